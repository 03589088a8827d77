import { spawn } from "node:child_process";
import { once } from "node:events";
import { lstat, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FolderLocks } from "./folder-lock.ts";
import { liveness, processIdentity } from "./process-identity.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "skep-lock-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const [, start, place] = processIdentity().split(/\.(.*?)\.(?=[^.]+$)/);
const FOREIGN = `${process.pid}.${start}.another-boot:pid:1`;

/** @returns the identity of a process that has just ended. */
async function deadIdentity(): Promise<string> {
  const child = spawn("true");
  await once(child, "exit");
  return `${child.pid}.1.${place}`;
}

let made = 0;
function leaveLock(name: string, identity: string): Promise<void> {
  made += 1;
  return symlink(`${String(made).padStart(16, "0")}.${identity}`, join(folder, name));
}

/** Takes the lock through each of them at once. @returns the most that ever held it together. */
async function crowd(locks: readonly FolderLocks[]): Promise<number> {
  let holders = 0;
  let most = 0;
  const work = async () => {
    holders += 1;
    most = Math.max(most, holders);
    await lstat(folder);
    holders -= 1;
  };
  await Promise.all(locks.map((lock) => lock.withLock("a", work)));
  return most;
}

const separate = (count: number) => Array.from({ length: count }, () => new FolderLocks(folder));

describe("withLock", () => {
  it("lets in one at a time, within an instance and between them", async () => {
    const [one, ...others] = separate(6);
    expect(await crowd([one, one, one, one, ...others].filter((lock) => lock !== undefined))).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });

  it("makes its folder, gives what the work gives, and is free after a failure", async () => {
    const locks = new FolderLocks(join(folder, "deep/er"));
    expect(await locks.withLock("a", async () => 7)).toBe(7);
    const failing = locks.withLock("a", () => Promise.reject(new Error("as expected")));
    await expect(failing).rejects.toThrow("as expected");
    expect(await locks.withLock("a", async () => 8)).toBe(8);
  });

  it("does not wait for the lock of another name", async () => {
    const locks = new FolderLocks(folder);
    expect(await locks.withLock("a", () => locks.withLock("b", async () => "inside"))).toBe("inside");
  });

  it("waits for a living process, and gives up without taking its lock", async () => {
    await leaveLock("a", processIdentity());
    const locks = new FolderLocks(folder, { wait: 20, foreign: 0 });
    const waiting = locks.withLock("a", async () => expect.unreachable());
    await expect(waiting).rejects.toMatchObject({ code: "store_unavailable" });
    expect(await readdir(folder)).toEqual(["a"]);
  });

  it("gives up on a file that is no lock", async () => {
    await writeFile(join(folder, "a"), "");
    const waiting = new FolderLocks(folder).withLock("a", async () => expect.unreachable());
    await expect(waiting).rejects.toThrow(/in the place of a lock/);
  });

  it("is not relied upon after a long time", async () => {
    const work = new FolderLocks(folder, { hold: -1 }).withLock("a", async (lock) => lock.assertHeld());
    await expect(work).rejects.toMatchObject({ code: "store_unavailable" });
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("a lock that was left behind", () => {
  it("by a process that is dead", async () => {
    await leaveLock("a", await deadIdentity());
    expect(await new FolderLocks(folder).withLock("a", async () => "in")).toBe("in");
    expect(await readdir(folder)).toEqual([]);
  });

  // Two find the lock dead; the slower one must not remove the lock that the faster one holds by then.
  it("lets in one at a time of many who find it dead", async () => {
    const dead = await deadIdentity();
    for (let round = 0; round < 20; round++) {
      await leaveLock("a", dead);
      expect(await crowd(separate(8))).toBe(1);
      expect(await readdir(folder)).toEqual([]);
    }
  });

  it("also when the one who was removing it died", async () => {
    const dead = await deadIdentity();
    await leaveLock("a", dead);
    await leaveLock(`a.${String(made).padStart(16, "0")}`, dead);
    expect(await crowd(separate(8))).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });

  it("by a process that cannot be judged: only after a time", async () => {
    await leaveLock("a", FOREIGN);
    const patient = new FolderLocks(folder, { wait: 20, foreign: 60_000 });
    await expect(patient.withLock("a", async () => "in")).rejects.toMatchObject({
      code: "store_unavailable",
    });
    const quick = new FolderLocks(folder, { wait: 10_000, foreign: 20 });
    expect(await quick.withLock("a", async () => "in")).toBe("in");
  });
});

describe("liveness", () => {
  it.each([
    ["this process", processIdentity(), "alive"],
    ["one that has the same id, but started at another time", `${process.pid}.1.${place}`, "dead"],
    ["one of another boot or container", FOREIGN, "unknown"],
    ["nonsense", "../../etc/passwd", "unknown"],
    ["nothing", "", "unknown"],
  ])("%s", (_, identity, expected) => {
    expect(liveness(identity)).toBe(expected);
  });

  it("one that has ended", async () => {
    expect(liveness(await deadIdentity())).toBe("dead");
  });

  it.runIf(process.platform === "linux")("one that has ended, but whose parent never asked", async () => {
    // The shell gives its place to a program that does not know of the child.
    const script = "sleep 60 & echo $!; exec tail -f /dev/null";
    const child = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
    const stat = async (pid: number) => (await readFile(`/proc/${pid}/stat`, "latin1")).split(/ \(|\) | /);
    try {
      const [line] = await once(createInterface({ input: child.stdout }), "line");
      while ((await stat(child.pid ?? 0))[1] !== "tail") await lstat(folder);
      const pid = Number(line);
      const identity = `${pid}.${(await stat(pid))[21]}.${place}`;
      expect(liveness(identity)).toBe("alive");
      process.kill(pid, "SIGKILL");
      while ((await stat(pid))[2] !== "Z") await lstat(folder);
      expect(liveness(identity)).toBe("dead");
    } finally {
      child.kill("SIGKILL");
    }
  });
});
