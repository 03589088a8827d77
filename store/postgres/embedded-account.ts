/**
 * Postgres refuses to run as root. Where we are root, its programs run under another account; where that
 * account may not enter the folders on the way (a checkout below `/root`), it is lent the one capability
 * that lets it read there.
 */
import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";
import { SkepError } from "../../schemas/errors.ts";

const run = promisify(execFile);

/** Programs get nothing of our environment: it may hold secrets, and PG variables that mean another server. */
export const PROGRAM_ENVIRONMENT = { LC_ALL: "C", TZ: "UTC" };

/** A program as it is to be started. */
export interface Launch {
  readonly file: string;
  readonly args: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
}

export interface Account {
  /** Who has to own the data; undefined: whoever runs us. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  launch(program: string, args: readonly string[]): Launch;
}

/**
 * @param program the server's, which the account has to reach
 * @param dataFolder owned by the account once it is there; the folder two levels up has to be there
 * @throws SkepError `database_unavailable` when no account can do it.
 */
export async function serverAccount(program: string, dataFolder: string): Promise<Account> {
  if (process.getuid?.() !== 0) return { owner: undefined, launch: (file, args) => ({ file, args }) };
  const owner =
    (await ownerOf(dataFolder)) ?? (await accountNamed("postgres")) ?? (await accountNamed("nobody"));
  if (owner === undefined) {
    throw new SkepError(
      "database_unavailable",
      "Postgres refuses to run as root, and this machine has no account `postgres` or `nobody` to run it under; " +
        "run skep as an ordinary user, or set DATABASE_URL",
    );
  }
  const closed = await firstClosed(program, dataFolder, owner);
  if (closed === undefined) return { owner, launch: (file, args) => ({ file, args, ...owner }) };
  const prefix = await readingPrefix(owner, closed, program);
  return { owner, launch: (file, args) => ({ file: "setpriv", args: [...prefix, file, ...args] }) };
}

/** The data stays with the account that made it, whatever accounts the machine has now. */
async function ownerOf(folder: string): Promise<{ uid: number; gid: number } | undefined> {
  const found = await stat(folder).catch(() => undefined);
  return found === undefined || found.uid === 0 ? undefined : { uid: found.uid, gid: found.gid };
}

async function accountNamed(name: string): Promise<{ uid: number; gid: number } | undefined> {
  try {
    const ids = await Promise.all([run("id", ["-u", name]), run("id", ["-g", name])]);
    const [uid, gid] = ids.map(({ stdout }) => Number(stdout));
    return uid && gid ? { uid, gid } : undefined;
  } catch {
    return undefined;
  }
}

/** @returns the program, or the first folder on the way to it or to the data, when it is closed to the account. */
async function firstClosed(
  program: string,
  dataFolder: string,
  owner: { readonly uid: number; readonly gid: number },
): Promise<string | undefined> {
  const isOpen = async (path: string, bits: number) => {
    const { mode, uid, gid } = await stat(path);
    const shift = uid === owner.uid ? 6 : gid === owner.gid ? 3 : 0;
    return ((mode >> shift) & bits) === bits;
  };
  if (!(await isOpen(program, 0o5))) return program;
  for (const path of [program, dirname(dataFolder)]) {
    for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
      if (!(await isOpen(folder, 0o1))) return folder;
      if (folder === dirname(folder)) break;
    }
  }
  return undefined;
}

const CAPABILITIES = [
  ["dac_read_search", 2],
  ["dac_override", 1],
] as const;

/** access(2), with which initdb looks for its programs, drops capabilities unless a secure bit keeps them. */
async function readingPrefix(
  owner: { readonly uid: number; readonly gid: number },
  closed: string,
  program: string,
): Promise<readonly string[]> {
  const status = await readFile("/proc/self/status", "latin1").catch(() => "");
  const ours = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  for (const [capability, bit] of CAPABILITIES) {
    if (((ours >> BigInt(bit)) & 1n) === 0n) continue;
    const prefix = [
      `--reuid=${owner.uid}`,
      `--regid=${owner.gid}`,
      "--clear-groups",
      `--inh-caps=+${capability}`,
      `--ambient-caps=+${capability}`,
      "--securebits=+no_setuid_fixup",
      "--",
    ];
    const arguments_ = [...prefix, program, "--version"];
    const works = run("setpriv", arguments_, { cwd: "/", env: PROGRAM_ENVIRONMENT });
    if (await works.then(() => true).catch(() => false)) return prefix;
  }
  throw new SkepError(
    "database_unavailable",
    `Postgres refuses to run as root, and the account that it would run under may not enter ${closed}; run skep as ` +
      "an ordinary user, or install it and keep its data where everybody may enter, or set DATABASE_URL",
  );
}
