/** Puts the files of a registry into their places, so that whatever cuts it off leaves a registry that clients can use. */
import { mkdir, rename, rm, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { unless } from "../../store/objects/errno.ts";
import { syncFolder } from "../data-folder.ts";

export interface NewFile {
  readonly key: string;
  readonly bytes: Uint8Array;
}

/** A new file that is on the disk already, but not yet in its place. */
export interface StagedFile {
  readonly key: string;
  readonly path: string;
}

export interface Replacement {
  /** The first in place before the second, and so on: what names others comes after them. */
  readonly groups: readonly (readonly StagedFile[])[];
  /** Goes when nothing names it any more. */
  readonly removed: readonly string[];
  /** Told of each file before it is put into place or removed; a test that throws in it cuts the run off. */
  readonly onStep?: ((key: string) => void) | undefined;
}

/**
 * Where files are written and synced before any of them is put into place: a disk that is full, and nearly every crash,
 * leaves the registry as it was.
 */
export class Staging {
  readonly #folder: string;
  #count = 0;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param folder on the registry's file system, for us alone; what a run that was cut off has left in it goes */
  static async open(folder: string): Promise<Staging> {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    return new Staging(folder);
  }

  async stage({ key, bytes }: NewFile): Promise<StagedFile> {
    const path = join(this.#folder, String(this.#count++));
    await writeFile(path, bytes, { flag: "wx", flush: true });
    return { key, path };
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

export async function replaceFiles(folder: string, wanted: Replacement): Promise<void> {
  const { groups, removed, onStep } = wanted;
  for (const group of groups) {
    // A crash in here: some files are new, and each of them names tarballs that are there.
    for (const { key, path } of group) {
      onStep?.(key);
      await rename(path, join(folder, key));
    }
    for (const parent of new Set(group.map(({ key }) => dirname(join(folder, key)))))
      await syncFolder(parent);
  }
  // A crash before this: files that no index names, until the next run.
  for (const key of removed) {
    onStep?.(key);
    await unless(unlink(join(folder, key)), "ENOENT");
  }
}
