/** The embedded Postgres through every crash that its parent, the server or the machine can have. */
import { type ChildProcess, spawn } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { processIdentity } from "../../store/objects/process-identity.ts";
import { findEmbeddedPostgres, startEmbeddedPostgres } from "../../store/postgres/embedded.ts";
import { isAlive } from "../../store/postgres/embedded-running.ts";
import { openPool } from "../../store/postgres/pool.ts";

const QUICK = { fsync: "off" };
const PROGRAM = join(import.meta.dirname, "embedded-process.ts");

let folder: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "skep-embedded-"));
  await chmod(folder, 0o755);
});

afterEach(async () => {
  for (const child of children.splice(0)) await kill(child, "SIGKILL");
  const left = await findEmbeddedPostgres(folder);
  if (left !== undefined) await startEmbeddedPostgres({ folder }).then((server) => server.stop());
  await rm(folder, { recursive: true, force: true });
});

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  readonly pid: number;
  readonly reused: boolean;
}

/** @returns what the program said, or what it died of. */
async function startProgram(mode = ""): Promise<Started | { readonly failure: string }> {
  const child = spawn(process.execPath, ["--import", "tsx", PROGRAM, folder, mode]);
  children.push(child);
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  return new Promise((resolve) => {
    child.stdout.once("data", (line: Buffer) => resolve({ child, ...JSON.parse(line.toString()) }));
    child.once("exit", () => resolve({ failure: errors }));
  });
}

async function startedProgram(mode = ""): Promise<Started> {
  const started = await startProgram(mode);
  if ("failure" in started) throw new Error(started.failure);
  return started;
}

async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await gone;
}

async function query(url: string, text: string): Promise<readonly unknown[]> {
  const sql = openPool(url, { max: 1 });
  try {
    return await sql.unsafe(text);
  } finally {
    await sql.end();
  }
}

describe("an ordinary life", () => {
  it("keeps what it holds, and its password to itself", async () => {
    const first = await startEmbeddedPostgres({ folder });
    expect(first.reused).toBe(false);
    await query(first.url, "create table kept as select 1 as one");
    expect(await query(first.url, "show fsync")).toEqual([{ fsync: "on" }]);
    expect(await query(first.url, "show listen_addresses")).toEqual([{ listen_addresses: "127.0.0.1" }]);
    expect(await query(first.url, "show server_encoding")).toEqual([{ server_encoding: "UTF8" }]);
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);
    expect((await stat(join(folder, "cluster", "password"))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, "cluster", "data"))).mode & 0o777).toBe(0o700);

    const second = await startEmbeddedPostgres({ folder, settings: QUICK });
    expect(await query(second.url, "select one from kept")).toEqual([{ one: 1 }]);
    await second.stop();
  });

  it("refuses who has no password", async () => {
    const server = await startEmbeddedPostgres({ folder, settings: QUICK });
    const url = new URL(server.url);
    url.password = "guess";
    await expect(query(url.href, "select 1")).rejects.toThrow("password authentication failed");
    await server.stop();
  });

  it("is stopped by the last of its users", async () => {
    const first = await startEmbeddedPostgres({ folder, settings: QUICK });
    const second = await startEmbeddedPostgres({ folder });
    expect([second.reused, second.pid]).toEqual([true, first.pid]);
    await first.stop();
    expect(isAlive(first.pid)).toBe(true);
    await second.stop();
    expect(isAlive(first.pid)).toBe(false);
  });
});

describe("crashes", () => {
  it("goes on with the server of a program that was killed", async () => {
    const killed = await startedProgram();
    await query(killed.url, "create table kept as select 1 as one");
    await kill(killed.child, "SIGKILL");
    expect(isAlive(killed.pid)).toBe(true);
    const next = await startEmbeddedPostgres({ folder });
    expect([next.reused, next.pid]).toEqual([true, killed.pid]);
    expect(await query(next.url, "select one from kept")).toEqual([{ one: 1 }]);
    // Nothing of the killed one is left in the way.
    await next.stop();
    expect(isAlive(killed.pid)).toBe(false);
  });

  it("starts anew after a crash of the whole machine", async () => {
    const killed = await startedProgram();
    await query(killed.url, "create table kept as select 1 as one");
    await kill(killed.child, "SIGKILL");
    process.kill(killed.pid, "SIGKILL");
    await expect.poll(() => isAlive(killed.pid)).toBe(false);
    expect(await readFile(join(folder, "cluster/data/postmaster.pid"), "utf8")).toContain(String(killed.pid));
    const next = await startEmbeddedPostgres({ folder });
    expect(next.reused).toBe(false);
    expect(await query(next.url, "select one from kept")).toEqual([{ one: 1 }]);
    await next.stop();
  });

  it("does not take another program for its server", async () => {
    const first = await startEmbeddedPostgres({ folder, settings: QUICK });
    await first.stop();
    const stale = [process.pid, join(folder, "cluster/data"), 1, 5432, "", "127.0.0.1", "", "ready", ""];
    await writeFile(join(folder, "cluster/data/postmaster.pid"), stale.join("\n"));
    const next = await startEmbeddedPostgres({ folder, settings: QUICK });
    expect([next.reused, next.pid === process.pid]).toEqual([false, false]);
    await next.stop();
  });

  it("does not take the server of another folder for its own", async () => {
    const other = await mkdtemp(join(tmpdir(), "skep-embedded-"));
    await chmod(other, 0o755);
    const theirs = await startEmbeddedPostgres({ folder: other, settings: QUICK });
    await (await startEmbeddedPostgres({ folder, settings: QUICK })).stop();
    await cp(join(other, "cluster/data/postmaster.pid"), join(folder, "cluster/data/postmaster.pid"));
    const ours = await startEmbeddedPostgres({ folder, settings: QUICK });
    expect([ours.reused, ours.pid === theirs.pid]).toEqual([false, false]);
    await ours.stop();
    await theirs.stop();
    await rm(other, { recursive: true });
  });

  it("begins again where a set-up was killed", async () => {
    // The process id of init, with another start: a program that is certainly gone.
    const dead = `new-${identityOfTheDead()}-00000000`;
    await mkdir(join(folder, dead, "data"), { recursive: true });
    await writeFile(join(folder, dead, "data", "PG_VERSION"), "half");
    const server = await startEmbeddedPostgres({ folder, settings: QUICK });
    await server.stop();
    expect((await readdir(folder)).sort()).toEqual(["cluster", "postgres.log"]);
  });

  it("starts a server again that died, on its port", async () => {
    const server = await startEmbeddedPostgres({ folder, settings: QUICK });
    const said: string[] = [];
    server.keepRunning((message) => said.push(message));
    const { pid } = server;
    process.kill(pid, "SIGKILL");
    await expect
      .poll(() => query(server.url, "select 1 as one").catch(() => []), { timeout: 20_000 })
      .toHaveLength(1);
    await expect.poll(() => server.pid).not.toBe(pid);
    expect(said).toEqual(["the embedded Postgres has ended; it is started again"]);
    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
  });
});

describe("several at once", () => {
  it("serves two that start together for the first time", async () => {
    const [one, two] = await Promise.all([startedProgram(), startedProgram()]);
    expect(one.pid).toBe(two.pid);
    expect([one.reused, two.reused].sort()).toEqual([false, true]);
    expect((await readdir(folder)).sort()).toEqual(["cluster", "postgres.log"]);
  });

  it("lets one be the sole one, and names it to the next", async () => {
    const sole = await startedProgram("sole");
    const refused = await startProgram("sole");
    expect("failure" in refused && refused.failure).toContain(`tester (pid ${sole.child.pid}) already uses`);
    const guest = await startedProgram();
    expect(guest.pid).toBe(sole.pid);
    // A lock of a program that was killed is gone with it.
    await kill(sole.child, "SIGKILL");
    expect((await startedProgram("sole")).pid).toBe(sole.pid);
  });

  it("starts while the last user is stopping it", async () => {
    const first = await startEmbeddedPostgres({ folder, settings: QUICK });
    const [, second] = await Promise.all([first.stop(), startEmbeddedPostgres({ folder, settings: QUICK })]);
    expect(await query(second.url, "select 1 as one")).toEqual([{ one: 1 }]);
    await second.stop();
  });
});

describe("refusals", () => {
  it("does not touch data of another major version", async () => {
    await (await startEmbeddedPostgres({ folder, settings: QUICK })).stop();
    await writeFile(join(folder, "cluster/data/PG_VERSION"), "17\n");
    await expect(startEmbeddedPostgres({ folder })).rejects.toThrow(
      /was made by Postgres 17, but .* Postgres 18/,
    );
    await writeFile(join(folder, "cluster/data/PG_VERSION"), "18\n");
  });

  it("says in the server's own words why it does not start", async () => {
    const settings = { shared_buffers: "no number" };
    await expect(startEmbeddedPostgres({ folder, settings })).rejects.toThrow(
      /does not start: invalid value for parameter "shared_buffers"/,
    );
  });
});

it.runIf(process.getuid?.() === 0)("runs for root below a folder that others may not enter", async () => {
  const closed = join(folder, "closed");
  await mkdir(closed, { mode: 0o700 });
  const server = await startEmbeddedPostgres({ folder: join(closed, "postgres"), settings: QUICK });
  expect(await query(server.url, "select 1 as one")).toEqual([{ one: 1 }]);
  await server.stop();
});

/** @returns how a process of this machine was named that has ended. */
function identityOfTheDead(): string {
  return processIdentity().replace(/^\d+\.\d+/, "1.1");
}
