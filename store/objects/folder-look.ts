/** Which file stands at a path: asked before everything else, so it is asked in the cheapest way. */
import { type BigIntStats, lstatSync } from "node:fs";
import { lstat } from "node:fs/promises";
import { errno, unless } from "./errno.ts";
import { type FileIdentity, fileIdentity } from "./folder-sidecar.ts";

const SLOW_MILLISECONDS = 0.5;
const AVOID_MILLISECONDS = 1_000;

/** A plain file, a symbolic link, or nothing that could be an object. */
export type Found = FileIdentity | "link" | undefined;

/** @returns the file that stands at the path now. */
export async function fileAt(path: string): Promise<Found> {
  return found(await unless(lstat(path, { bigint: true }), "ENOENT", "ENOTDIR"));
}

function found(stats: BigIntStats | undefined): Found {
  if (stats?.isSymbolicLink()) return "link";
  return stats?.isFile() ? fileIdentity(stats) : undefined;
}

/**
 * Looks at files that were looked at before. The system answers from memory, in a microsecond, and to hand
 * the question to another thread costs twenty times that; so it is asked directly. Where that takes long (a
 * network file system, a disk under stress), another thread asks for a while.
 */
export class RepeatedLook {
  #directlyAfter = 0;
  /** Of late, in milliseconds. One long pause alone may have been somebody else's. */
  #average = 0;
  readonly #now: () => number;

  /** @param now a monotonic clock in milliseconds */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  at(path: string): Found | Promise<Found> {
    const start = this.#now();
    if (start < this.#directlyAfter) return fileAt(path);
    try {
      return found(lstatSync(path, { bigint: true, throwIfNoEntry: false }));
    } catch (error) {
      if (errno(error) === "ENOTDIR") return undefined;
      throw error;
    } finally {
      this.#took(start, this.#now() - start);
    }
  }

  #took(start: number, milliseconds: number): void {
    this.#average = this.#average * 0.9 + milliseconds * 0.1;
    if (this.#average < SLOW_MILLISECONDS) return;
    this.#average = 0;
    this.#directlyAfter = start + AVOID_MILLISECONDS;
  }
}
