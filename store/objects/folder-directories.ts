/** The directories of a folder store: made when needed, durable, and never behind a symbolic link. */
import { lstat, mkdir, open, realpath } from "node:fs/promises";
import { dirname } from "node:path";
import { errno, unless } from "./errno.ts";

const KNOWN_LIMIT = 10_000;

export class FolderDirectories {
  readonly #root: string;
  /** Made and synced, all the way from the root. */
  readonly #known = new Set<string>();
  readonly #syncs = new Map<string, DirectorySync>();

  /** @param root absolute, and free of symbolic links */
  constructor(root: string) {
    this.#root = root;
  }

  /**
   * An object must not be written or read through a link to somewhere else. Whoever can exchange a directory
   * for a link between this look and the use can write to the folder anyway.
   * @param directory at or below the root
   * @returns false when a symbolic link leads elsewhere; true also when there is no such directory.
   */
  async isInside(directory: string): Promise<boolean> {
    const real = await unless(realpath(directory), "ENOENT", "ENOTDIR");
    return real === undefined || real === directory;
  }

  /**
   * Makes a directory, so that it is still there after a power cut.
   * @returns false when a file stands in the way.
   */
  async ensure(directory: string): Promise<boolean> {
    if (directory === this.#root || this.#known.has(directory)) return true;
    const parent = dirname(directory);
    if (!(await this.ensure(parent))) return false;
    try {
      await mkdir(directory);
    } catch (error) {
      // Somebody removed the empty parent, which a deletion does. The root is removed by nobody.
      if (errno(error) === "ENOENT" && parent !== this.#root) return this.#again(directory);
      if (errno(error) !== "EEXIST") throw error;
      const found = await unless(lstat(directory), "ENOENT");
      if (found === undefined) return this.#again(directory);
      if (!found.isDirectory()) return false;
    }
    await this.sync(parent);
    if (this.#known.size >= KNOWN_LIMIT) this.#known.clear();
    this.#known.add(directory);
    return true;
  }

  #again(directory: string): Promise<boolean> {
    this.forget(directory);
    return this.ensure(directory);
  }

  /** After a directory was found missing. */
  forget(directory: string): void {
    for (let path = directory; path.length > this.#root.length; path = dirname(path))
      this.#known.delete(path);
  }

  /** Makes durable what was renamed into the directory or unlinked from it before this call. */
  sync(directory: string): Promise<void> {
    const running = this.#syncs.get(directory);
    // One that has started may have missed what we changed; the next one has not, and all who come
    // meanwhile share it.
    if (running !== undefined) {
      running.next ??= running.done.catch(() => undefined).then(() => this.#start(directory));
      return running.next;
    }
    return this.#start(directory);
  }

  #start(directory: string): Promise<void> {
    const sync: DirectorySync = { done: syncDirectory(directory), next: undefined };
    this.#syncs.set(directory, sync);
    const leave = () => {
      if (sync.next === undefined) this.#syncs.delete(directory);
    };
    sync.done.then(leave, leave);
    return sync.done;
  }
}

interface DirectorySync {
  readonly done: Promise<void>;
  next: Promise<void> | undefined;
}

async function syncDirectory(directory: string): Promise<void> {
  // Removed meanwhile: then there is nothing in it that could be lost.
  const handle = await unless(open(directory), "ENOENT");
  if (handle === undefined) return;
  try {
    // Some network file systems have no such call for directories.
    await unless(handle.sync(), "EINVAL");
  } finally {
    await handle.close();
  }
}
