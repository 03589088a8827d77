/** The tarballs of a folder, by package, and what tells that one of them has changed. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type PackageName, packageName, type Version, version } from "../../hex/ids.ts";
import { SkepError } from "../../schemas/errors.ts";

/** A file is another one when any of these is. */
export interface FileIdentity {
  readonly size: number;
  readonly mtimeMs: number;
  /** Of the inode: a file that takes another one's place with its time and size has another one. */
  readonly ctimeMs: number;
  readonly inode: number;
}

export interface TarballFile {
  readonly path: string;
  readonly version: Version;
  readonly identity: FileIdentity;
}

export interface TarballFolder {
  /** In the order of bytes of the names. */
  readonly packages: ReadonlyMap<PackageName, readonly TarballFile[]>;
  /** Files that are no package's, each with its reason. */
  readonly problems: readonly string[];
}

const NAME = /^([^-]*)-(.+)\.tar$/;

/**
 * Looks at no byte of the files. What does not end in `.tar`, and hidden files, are none of ours.
 * @throws SkepError `usage` when there is no such folder, `store_unavailable` when it cannot be read
 */
export function listTarballs(folder: string): TarballFolder {
  const packages = new Map<PackageName, TarballFile[]>();
  const problems: string[] = [];
  // Names are ASCII: sorted, those of a package stand together.
  for (const file of namesIn(folder).sort()) {
    const [, nameText = "", versionText = ""] = NAME.exec(file) ?? [];
    const [name, parsed] = [packageName(nameText), version(versionText)];
    const path = join(folder, file);
    if (name === undefined || parsed === undefined) {
      problems.push(`${path}: is not called NAME-VERSION.tar; give it its package's name and version`);
      continue;
    }
    const identity = identityOf(path);
    if (identity === undefined) {
      problems.push(`${path}: is not a file that can be read`);
      continue;
    }
    const files = packages.get(name) ?? [];
    files.push({ path, version: parsed, identity });
    packages.set(name, files);
  }
  return { packages: new Map([...packages].sort(([a], [b]) => (a < b ? -1 : 1))), problems };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".tar") && !name.startsWith("."));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new SkepError("usage", `there is no folder ${folder}, which holds the tarballs: make it`, {
        cause,
      });
    }
    throw new SkepError("store_unavailable", `${folder} cannot be read: ${message}`, { cause });
  }
}

/**
 * Asks the system directly: by way of the thread pool, tens of thousands of files would take longer than to read the
 * cache and to write the indexes.
 * @returns undefined when there is no such file.
 */
export function identityOf(path: string): FileIdentity | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isFile()) return undefined;
  return { size: found.size, mtimeMs: found.mtimeMs, ctimeMs: found.ctimeMs, inode: found.ino };
}

export function isSameFile(a: FileIdentity | undefined, b: FileIdentity | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.inode === b.inode;
}
