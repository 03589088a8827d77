/**
 * An object store in a folder: each object is a plain file at its key, so that any web server can serve the
 * folder and rsync can copy it. `.skep-meta`, `.skep-lock` and `.skep-tmp` beside them need not be copied.
 *
 * A PUT writes a temporary file on the same file system, syncs it, compares under the key's lock, renames it
 * into place and syncs the directory. Out of scope: file systems that ignore case or change the spelling of
 * names, and folders that several machines write to.
 */
import { mkdir, realpath, rename, rmdir, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errno, reported, unless } from "./errno.ts";
import { FolderDirectories } from "./folder-directories.ts";
import { removeLeftOvers, replaceText, type StagedFile, stageFile } from "./folder-files.ts";
import { keysBelow, mapAhead } from "./folder-list.ts";
import { FolderLocks } from "./folder-lock.ts";
import { FolderReader, md5 } from "./folder-reader.ts";
import { formatSidecar, headOf, keyDigest, newRecord, type SidecarRecord } from "./folder-sidecar.ts";
import { assertKey, assertPrefix, invalidKey } from "./key.ts";
import { assertMetadata, checkPrecondition } from "./precondition.ts";
import type { ListedObject, ObjectHead, ObjectStore, PutOptions, StoredObject } from "./store.ts";

const LIST_AHEAD = 16;
const ATTEMPTS = 20;

/**
 * @param folder made when it is not there; its own path may lead through links
 * @throws SkepError `store_unavailable` when it cannot be made or read.
 */
export function openFolderStore(folder: string): Promise<FolderStore> {
  return reported(`open the folder ${folder}`, async () => {
    // Who may only read need not be able to make it.
    if ((await unless(stat(folder), "ENOENT")) === undefined) await mkdir(folder, { recursive: true });
    const root = await realpath(folder);
    await unless(removeLeftOvers(join(root, ".skep-tmp")), "EACCES", "EPERM", "EROFS");
    return new FolderStore(root);
  });
}

export class FolderStore implements ObjectStore {
  readonly conditionalDelete = true;
  readonly description: string;
  readonly #root: string;
  readonly #temporary: string;
  readonly #directories: FolderDirectories;
  readonly #reader: FolderReader;
  readonly #locks: FolderLocks;

  /** Use {@link openFolderStore}. @param root absolute, and free of symbolic links */
  constructor(root: string) {
    this.description = `folder ${root}`;
    this.#root = root;
    this.#temporary = join(root, ".skep-tmp");
    this.#directories = new FolderDirectories(root);
    this.#reader = new FolderReader(root, this.#directories);
    this.#locks = new FolderLocks(join(root, ".skep-lock"));
  }

  async get(key: string): Promise<StoredObject | undefined> {
    assertKey(key);
    const found = await reported(`read ${key}`, () => this.#reader.read(key));
    return found && { ...headOf(found.record), body: found.body };
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    assertKey(key);
    const record = await reported(`read ${key}`, () => this.#reader.look(key));
    return record && headOf(record);
  }

  async put(key: string, body: Uint8Array, options: PutOptions): Promise<{ readonly etag: string }> {
    assertKey(key);
    assertMetadata(options.metadata);
    return reported(`write ${key}`, async () => {
      await this.#prepare(key);
      const staged = await stageFile(this.#temporary, body);
      const record = newRecord(staged, md5(body), options);
      try {
        await this.#replace(key, staged, record, options);
      } catch (error) {
        await unless(unlink(staged.path), "ENOENT");
        throw error;
      }
      // A kill before this line loses nothing. After a power cut before it, the old object may stand again:
      // nobody was told otherwise yet.
      await this.#directories.sync(dirname(this.#reader.path(key)));
      return { etag: record.etag };
    });
  }

  async delete(key: string, options: { readonly ifMatch?: string } = {}): Promise<void> {
    assertKey(key);
    await reported(`delete ${key}`, () =>
      this.#locks.withLock(keyDigest(key), async (lock) => {
        const path = this.#reader.path(key);
        const current = await this.#reader.look(key);
        if (current === undefined) return;
        if (options.ifMatch !== undefined)
          checkPrecondition(key, { kind: "match", etag: options.ifMatch }, current.etag);
        lock.assertHeld();
        await unless(unlink(path), "ENOENT");
        this.#reader.forget(key);
        // A kill here leaves a sidecar that describes no later file.
        await unless(unlink(this.#reader.sidecar(key)), "ENOENT");
        await this.#directories.sync(dirname(path));
        await this.#removeEmpty(dirname(path));
      }),
    );
  }

  async *list(prefix: string): AsyncGenerator<ListedObject> {
    assertPrefix(prefix);
    const keys = keysBelow(this.#root, prefix);
    yield* mapAhead(keys, LIST_AHEAD, async (key) => {
      const head = await this.head(key);
      return head && { key, etag: head.etag, size: head.size, lastModified: head.lastModified };
    });
  }

  async close(): Promise<void> {}

  /** Makes the directory that the key lies in. */
  async #prepare(key: string): Promise<void> {
    if (!(await this.#directories.ensure(dirname(this.#reader.path(key)))))
      throw invalidKey(key, "needs a folder where an object or a link stands");
    await this.#reader.assertInside(key);
  }

  /** Compares and renames under the key's lock. */
  async #replace(key: string, staged: StagedFile, record: SidecarRecord, options: PutOptions): Promise<void> {
    await this.#locks.withLock(keyDigest(key), async (lock) => {
      const current = await this.#reader.look(key);
      checkPrecondition(key, options.precondition, current?.etag);
      const sidecar = formatSidecar(key, current === undefined ? [record] : [record, current]);
      await replaceText(this.#temporary, this.#reader.sidecar(key), sidecar);
      // A kill here leaves the record of a file that never stood, which no other file is taken for.
      lock.assertHeld();
      await this.#moveInto(key, staged.path);
      this.#reader.remember(key, record);
    });
  }

  async #moveInto(key: string, from: string): Promise<void> {
    const path = this.#reader.path(key);
    for (let attempt = 1; ; attempt++) {
      try {
        await rename(from, path);
        return;
      } catch (error) {
        const code = errno(error) ?? "";
        if (["EISDIR", "ENOTEMPTY", "EEXIST"].includes(code))
          throw invalidKey(key, "is a folder that holds other objects");
        // A deletion removed the directory, as it was empty.
        if (code !== "ENOENT" || attempt >= ATTEMPTS) throw error;
        this.#directories.forget(dirname(path));
        await this.#prepare(key);
      }
    }
  }

  /** So that a later object may have the directory's key. */
  async #removeEmpty(directory: string): Promise<void> {
    for (let path = directory; path.length > this.#root.length; path = dirname(path)) {
      try {
        await rmdir(path);
      } catch {
        // Usually because it is not empty. Whatever the reason, an empty directory does no harm.
        return;
      }
      this.#directories.forget(path);
    }
  }
}
