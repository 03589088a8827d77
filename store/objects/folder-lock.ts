/**
 * One writer per key of a folder, across processes: a conditional PUT compares and then renames, and
 * nothing may come between.
 *
 * A lock is a symbolic link whose target names the holder: the system creates it together with its content,
 * or not at all. A holder that was killed leaves its lock behind; others see that it is dead, and one of
 * them removes the lock.
 */
import { randomBytes } from "node:crypto";
import { mkdir, readlink, symlink, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { SkepError } from "../../schemas/errors.ts";
import { errno, unless } from "./errno.ts";
import { liveness, processIdentity } from "./process-identity.ts";

export interface LockTimes {
  /** How long to wait for another process, in milliseconds. */
  readonly wait: number;
  /**
   * How long a lock whose holder cannot be judged (another container, another boot) has to stand unchanged
   * before it counts as left behind.
   */
  readonly foreign: number;
  /** After this time a holder no longer acts under its lock. Far below `foreign`. */
  readonly hold: number;
}

const TIMES: LockTimes = { wait: 30_000, foreign: 15_000, hold: 5_000 };
const HOLDER = /^([0-9a-f]{16})\.(.+)$/;

/** Held by the caller. */
export interface HeldLock {
  /** @throws SkepError `store_unavailable` when it has been held for too long to be relied upon. */
  assertHeld(): void;
}

export class FolderLocks {
  readonly #folder: string;
  readonly #times: LockTimes;
  readonly #identity: string;
  /** The last in line for each name, within this process. */
  readonly #queues = new Map<string, Promise<void>>();

  /**
   * @param folder for the lock files; made when it is not there
   * @param identity of this process; another one in tests only
   */
  constructor(folder: string, times: Partial<LockTimes> = {}, identity = processIdentity()) {
    this.#folder = folder;
    this.#times = { ...TIMES, ...times };
    this.#identity = identity;
  }

  /**
   * Runs `work` while nobody else holds the name.
   * @param name letters, digits, `-` and `_`
   * @throws SkepError `store_unavailable` when the lock cannot be had in time; what `work` throws.
   */
  async withLock<T>(name: string, work: (lock: HeldLock) => Promise<T>): Promise<T> {
    const before = this.#queues.get(name);
    const { promise: done, resolve: leave } = deferred();
    this.#queues.set(name, done);
    try {
      await before;
      return await this.#holding(join(this.#folder, name), work);
    } finally {
      leave();
      if (this.#queues.get(name) === done) this.#queues.delete(name);
    }
  }

  async #holding<T>(path: string, work: (lock: HeldLock) => Promise<T>): Promise<T> {
    const mine = await this.#acquire(path);
    const since = performance.now();
    const { hold } = this.#times;
    const isFresh = () => performance.now() - since < hold;
    try {
      return await work({
        assertHeld() {
          if (!isFresh()) throw new SkepError("store_unavailable", `held the lock ${path} for too long`);
        },
      });
    } finally {
      // After a long pause somebody may have removed our lock and made another.
      if (isFresh() || (await holderOf(path)) === mine) await unless(unlink(path), "ENOENT");
    }
  }

  /** @returns what the lock says, which no other lock ever said. */
  async #acquire(path: string): Promise<string> {
    const mine = `${randomBytes(8).toString("hex")}.${this.#identity}`;
    const start = performance.now();
    let seen: { readonly holder: string; readonly since: number } | undefined;
    for (let delay = 1; ; delay = Math.min(delay * 2, 50)) {
      if (await create(path, mine)) return mine;
      const holder = await holderOf(path);
      if (holder === undefined) continue;
      if (seen?.holder !== holder) seen = { holder, since: performance.now() };
      if (this.#isLeftBehind(holder, performance.now() - seen.since)) {
        await this.#removeDead(path, holder);
        continue;
      }
      if (performance.now() - start > this.#times.wait)
        throw new SkepError("store_unavailable", `the lock ${path} is held by ${holder}`);
      await pause(delay * (0.5 + Math.random()));
    }
  }

  #isLeftBehind(holder: string, unchangedFor: number): boolean {
    const state = liveness(HOLDER.exec(holder)?.[2] ?? "");
    return state === "dead" || (state === "unknown" && unchangedFor > this.#times.foreign);
  }

  /**
   * Two may find the same lock dead, and the slower one must not remove the lock that a third has made by
   * then. So whoever removes it holds a lock on doing so, named after the dead one: under it, a lock that
   * still says the same is the dead one, as only the holder of that second lock removes it. Should its
   * holder die as well, the same is done one level deeper.
   */
  async #removeDead(path: string, dead: string): Promise<void> {
    const claim = `${path}.${HOLDER.exec(dead)?.[1]}`;
    await this.#holding(claim, async (lock) => {
      const found = await holderOf(path);
      lock.assertHeld();
      if (found === dead) await unless(unlink(path), "ENOENT");
    });
  }
}

async function create(path: string, holder: string): Promise<boolean> {
  for (;;) {
    try {
      await symlink(holder, path);
      return true;
    } catch (error) {
      if (errno(error) === "EEXIST") return false;
      if (errno(error) !== "ENOENT") throw error;
      await mkdir(dirname(path), { recursive: true });
    }
  }
}

/** @throws SkepError `store_unavailable` for a file that is no lock. */
async function holderOf(path: string): Promise<string | undefined> {
  const holder = await readlink(path).catch((error: unknown) => {
    if (errno(error) === "ENOENT") return undefined;
    if (errno(error) === "EINVAL") return "";
    throw error;
  });
  if (holder !== undefined && !HOLDER.test(holder))
    throw new SkepError("store_unavailable", `${path} is in the place of a lock; remove it`);
  return holder;
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
