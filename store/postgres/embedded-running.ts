/** The embedded Postgres as a process: whether one runs in a folder, and whether it answers. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { SkepError } from "../../schemas/errors.ts";
import type { Layout } from "./embedded-cluster.ts";
import { openPool } from "./pool.ts";

const run = promisify(execFile);
const POLL_MILLISECONDS = 25;

export interface RunningServer {
  readonly pid: number;
  readonly port: number;
}

/**
 * What `postmaster.pid` says, if it is true: after a crash the file is left, and another program may have
 * its process id by then.
 * @returns the server once it answers; undefined when none runs.
 * @throws SkepError `database_unavailable` when one runs and does not answer in time.
 */
export async function runningServer(layout: Layout, seconds: number): Promise<RunningServer | undefined> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const found = await readPidFile(layout);
    if (found === undefined) return undefined;
    if (!isAlive(found.pid) || (await isAnother(layout, found.pid))) {
      await removePidFile(layout, found);
      return undefined;
    }
    // It may be starting, recovering or stopping: then it answers later, or is gone.
    if (found.port > 0 && (await answers(layout, found.port))) return { pid: found.pid, port: found.port };
    if (performance.now() > deadline) {
      throw new SkepError(
        "database_unavailable",
        `the embedded Postgres (pid ${found.pid}) runs but does not answer; see ${layout.log}`,
      );
    }
    await pause(POLL_MILLISECONDS);
  }
}

function pidFileOf(layout: Layout): string {
  return join(layout.data, "postmaster.pid");
}

async function readPidFile(layout: Layout): Promise<RunningServer | undefined> {
  const text = await readFile(pidFileOf(layout), "utf8").catch(() => undefined);
  const lines = text?.split("\n") ?? [];
  const pid = Number(lines[0]);
  return Number.isInteger(pid) && pid > 0 ? { pid, port: Number(lines[3] ?? 0) } : undefined;
}

/**
 * Postgres knows a stale file only by a process id that nobody has, so one that somebody else has, or that
 * nobody has buried, would keep it from starting. Should a server run after all, the shared memory of its
 * folder still keeps a second one out.
 */
async function removePidFile(layout: Layout, stale: RunningServer): Promise<void> {
  // Another program may have started the server since.
  if ((await readPidFile(layout))?.pid === stale.pid) await rm(pidFileOf(layout), { force: true });
}

/** @returns true when the process is certainly not the server of this folder. */
async function isAnother(layout: Layout, pid: number): Promise<boolean> {
  const command = await commandLine(pid);
  if (command === undefined) return false;
  const folder = /postgres(?:\.exe)?\0-D\0([^\0]+)/.exec(command)?.[1];
  if (folder === undefined) return true;
  const [theirs, ours] = await Promise.all([stat(folder).catch(() => undefined), stat(layout.data)]);
  return theirs !== undefined && (theirs.ino !== ours.ino || theirs.dev !== ours.dev);
}

/** @returns the arguments of a process, each ended by a NUL; undefined where that cannot be told. */
async function commandLine(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => undefined);
  if (text !== undefined) return text;
  if (process.platform === "win32" || process.platform === "linux") return undefined;
  const listed = await run("ps", ["-p", String(pid), "-o", "command="]).catch(() => undefined);
  return listed?.stdout.trim().replaceAll(" ", "\0");
}

/** @returns whether a server on that port takes our password, and queries. */
export async function answers(layout: Layout, port: number): Promise<boolean> {
  const sql = openPool(await urlOf(layout, port), { max: 1, applicationName: "skep start" });
  try {
    await sql`select 1`;
    return true;
  } catch {
    return false;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** @returns the URL of the superuser. */
export async function urlOf(layout: Layout, port: number): Promise<string> {
  const password = await readFile(layout.passwordFile, "utf8");
  return `postgres://skep:${password}@127.0.0.1:${port}/postgres`;
}

/**
 * Stops the server: first fast (it ends connections and checkpoints), then at once (it recovers at its next
 * start; nothing that was committed is lost).
 * @throws SkepError `database_unavailable` when it outlives both.
 */
export async function stopServer(pid: number, seconds: number): Promise<void> {
  for (const [name, patience] of [
    ["SIGINT", seconds],
    ["SIGQUIT", 5],
  ] as const) {
    sendSignal(pid, name);
    if (await isGoneWithin(pid, patience)) return;
  }
  throw new SkepError("database_unavailable", `the embedded Postgres (pid ${pid}) does not stop`);
}

/** As {@link stopServer} begins. */
export function requestStop(pid: number): void {
  sendSignal(pid, "SIGINT");
}

async function isGoneWithin(pid: number, seconds: number): Promise<boolean> {
  const deadline = performance.now() + seconds * 1000;
  while (isAlive(pid)) {
    if (performance.now() > deadline) return false;
    await pause(POLL_MILLISECONDS);
  }
  return true;
}

export function isAlive(pid: number): boolean {
  return sendSignal(pid, 0) && !isZombie(pid);
}

/** In a container without an init process nobody buries the server of a program that was killed. */
function isZombie(pid: number): boolean {
  try {
    return /^.*\) [ZX] /s.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

function sendSignal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
