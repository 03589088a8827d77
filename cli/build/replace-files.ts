/** Puts the files of a registry into their places, so that whatever cuts it off leaves a registry that clients can use. */
import { mkdir, rename, rm, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { inParallel } from "../../generator/parallel.ts";
import { reported, unless } from "../../store/objects/errno.ts";
import { stageFile } from "../../store/objects/folder-files.ts";
import { syncFolder } from "../data-folder.ts";

export interface NewFile {
  readonly key: string;
  readonly bytes: Uint8Array;
}

export interface Replacement {
  /** The first in place before the second, and so on: what names others comes after them. */
  readonly groups: readonly (readonly NewFile[])[];
  /** Goes when nothing names it any more. */
  readonly removed: readonly string[];
}

// Syncs of several files go to the disk together.
const AT_ONCE = 16;

/**
 * All files are written and synced elsewhere first: a disk that is full, and nearly every crash, leaves the folder as it was.
 * @param staging a folder on the same file system, for us alone
 * @throws SkepError `store_unavailable`
 */
export async function replaceFiles(folder: string, staging: string, wanted: Replacement): Promise<void> {
  await reported(`write into ${folder}`, async () => {
    // What a run that was cut off has left.
    await rm(staging, { recursive: true, force: true });
    await mkdir(staging, { recursive: true });
    const staged = await stage(staging, wanted.groups.flat());
    for (const group of wanted.groups) {
      // A crash in here: some files are new, and each of them names tarballs that are there.
      for (const file of group) await rename(staged.get(file) ?? "", join(folder, file.key));
      for (const parent of new Set(group.map(({ key }) => dirname(join(folder, key)))))
        await syncFolder(parent);
    }
    // A crash before this: files that no index names, until the next run.
    for (const key of wanted.removed) await unless(unlink(join(folder, key)), "ENOENT");
    await rm(staging, { recursive: true, force: true });
  });
}

async function stage(staging: string, files: readonly NewFile[]): Promise<ReadonlyMap<NewFile, string>> {
  const staged = new Map<NewFile, string>();
  await inParallel(AT_ONCE, files, async (file) => {
    staged.set(file, (await stageFile(staging, file.bytes)).path);
  });
  return staged;
}
