/**
 * An object store in a folder: each object is a plain file at its key, so that any web server can serve the
 * folder and rsync can copy it. `.skep-meta`, `.skep-lock` and `.skep-tmp` beside them need not be copied.
 *
 * A PUT writes a temporary file on the same file system, syncs it, compares under the key's lock, renames it
 * into place and syncs the directory. Out of scope: file systems that ignore case or change the spelling of
 * names, and folders that several machines write to.
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, realpath, rename, rmdir, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { SkepError } from "../../schemas/errors.ts";
import { errno, reported, unless } from "./errno.ts";
import { FolderDirectories } from "./folder-directories.ts";
import {
  fileAt,
  readFileAt,
  removeLeftOvers,
  replaceText,
  type StagedFile,
  stageFile,
} from "./folder-files.ts";
import { keysBelow, mapAhead } from "./folder-list.ts";
import { FolderLocks } from "./folder-lock.ts";
import {
  type FileIdentity,
  formatSidecar,
  headOf,
  keyDigest,
  newRecord,
  parseSidecar,
  type SidecarRecord,
  sameFile,
  sidecarPath,
} from "./folder-sidecar.ts";
import { assertKey, assertPrefix, invalidKey } from "./key.ts";
import { assertMetadata, checkPrecondition } from "./precondition.ts";
import type { ListedObject, ObjectHead, ObjectStore, PutOptions, StoredObject } from "./store.ts";

const REMEMBERED = 20_000;
const LIST_AHEAD = 16;
const ATTEMPTS = 5;

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
  readonly #directories: FolderDirectories;
  readonly #locks: FolderLocks;
  /**
   * What was found out of the files that stand. Each was read without following a link, so a file that is
   * still the same needs no second look at its directories.
   */
  readonly #remembered = new Map<string, SidecarRecord>();

  /** Use {@link openFolderStore}. @param root absolute, and free of symbolic links */
  constructor(root: string) {
    this.#root = root;
    this.description = `folder ${root}`;
    this.#directories = new FolderDirectories(root);
    this.#locks = new FolderLocks(join(root, ".skep-lock"));
  }

  async get(key: string): Promise<StoredObject | undefined> {
    assertKey(key);
    return reported(`read ${key}`, () => this.#read(key));
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    assertKey(key);
    const record = await reported(`read ${key}`, () => this.#look(key));
    return record && headOf(record);
  }

  async put(key: string, body: Uint8Array, options: PutOptions): Promise<{ readonly etag: string }> {
    assertKey(key);
    assertMetadata(options.metadata);
    return reported(`write ${key}`, async () => {
      const directory = dirname(this.#path(key));
      await this.#prepare(key, directory);
      const staged = await stageFile(join(this.#root, ".skep-tmp"), body);
      const record = newRecord(staged, md5(body), options);
      try {
        await this.#replace(key, staged, record, options);
      } catch (error) {
        await unless(unlink(staged.path), "ENOENT");
        throw error;
      }
      // A kill before this line loses nothing. After a power cut before it, the old object may stand again:
      // nobody was told otherwise yet.
      await this.#directories.sync(directory);
      return { etag: record.etag };
    });
  }

  async delete(key: string, options: { readonly ifMatch?: string } = {}): Promise<void> {
    assertKey(key);
    await reported(`delete ${key}`, () =>
      this.#locks.withLock(keyDigest(key), async (lock) => {
        const path = this.#path(key);
        const current = await this.#look(key);
        if (current === undefined) return;
        if (options.ifMatch !== undefined)
          checkPrecondition(key, { kind: "match", etag: options.ifMatch }, current.etag);
        lock.assertHeld();
        await unless(unlink(path), "ENOENT");
        this.#remembered.delete(key);
        // A sidecar that stays behind describes no later file.
        await unless(unlink(this.#sidecar(key)), "ENOENT");
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

  async close(): Promise<void> {
    this.#remembered.clear();
  }

  #path(key: string): string {
    return join(this.#root, key);
  }

  #sidecar(key: string): string {
    return sidecarPath(join(this.#root, ".skep-meta"), key);
  }

  async #prepare(key: string, directory: string): Promise<void> {
    if (!(await this.#directories.ensure(directory)))
      throw invalidKey(
        key,
        "needs a folder where an object or a link stands; a folder store cannot hold both",
      );
    await this.#assertInside(key);
  }

  async #assertInside(key: string): Promise<void> {
    if (!(await this.#directories.isInside(dirname(this.#path(key))))) throw linked(key);
  }

  /** Compares and renames under the key's lock. */
  async #replace(key: string, staged: StagedFile, record: SidecarRecord, options: PutOptions): Promise<void> {
    await this.#locks.withLock(keyDigest(key), async (lock) => {
      const current = await this.#look(key);
      checkPrecondition(key, options.precondition, current?.etag);
      await this.#writeSidecar(key, current === undefined ? [record] : [record, current]);
      // A kill here leaves a record of a file that never stood, which no later file is taken for.
      lock.assertHeld();
      await this.#moveInto(key, staged.path);
      this.#remember(key, record);
    });
  }

  async #moveInto(key: string, from: string): Promise<void> {
    const path = this.#path(key);
    for (let attempt = 1; ; attempt++) {
      try {
        await rename(from, path);
        return;
      } catch (error) {
        const code = errno(error) ?? "";
        if (["EISDIR", "ENOTEMPTY", "EEXIST"].includes(code))
          throw invalidKey(key, "is a folder of other objects; a folder store cannot hold both");
        // A deletion removed the directory, as it was empty.
        if (code !== "ENOENT" || attempt >= ATTEMPTS) throw error;
        this.#directories.forget(dirname(path));
        await this.#prepare(key, dirname(path));
      }
    }
  }

  async #writeSidecar(key: string, records: readonly SidecarRecord[]): Promise<void> {
    const temporary = join(this.#root, ".skep-tmp");
    await replaceText(temporary, this.#sidecar(key), formatSidecar(key, records));
  }

  /** @returns what is known of the object that stands, without reading its bytes if that can be avoided. */
  async #look(key: string): Promise<SidecarRecord | undefined> {
    const identity = await fileAt(this.#path(key));
    if (identity === "link") throw linked(key);
    if (identity === undefined) return undefined;
    const remembered = this.#recall(key, identity);
    if (remembered !== undefined) return remembered;
    await this.#assertInside(key);
    const record = (await this.#records(key)).find((candidate) => sameFile(candidate, identity));
    if (record === undefined) return (await this.#readRecord(key))?.record;
    return this.#remember(key, record);
  }

  async #read(key: string): Promise<StoredObject | undefined> {
    const found = await this.#readRecord(key);
    return found && { ...headOf(found.record), body: found.body };
  }

  async #readRecord(
    key: string,
  ): Promise<{ readonly record: SidecarRecord; readonly body: Uint8Array } | undefined> {
    for (let attempt = 1; ; attempt++) {
      const file = await readFileAt(this.#path(key), async (identity) => {
        if (this.#recall(key, identity) === undefined) await this.#assertInside(key);
      });
      if (file === "link") throw linked(key);
      if (file === undefined) return undefined;
      const { identity, body } = file;
      const remembered = this.#recall(key, identity);
      if (remembered !== undefined) return { record: remembered, body };
      const records = await this.#records(key);
      const exact = records.find((candidate) => sameFile(candidate, identity));
      if (exact === undefined && attempt < ATTEMPTS && (await this.#changed(key, identity))) continue;
      return { record: this.#remember(key, exact ?? recordByBytes(records, identity, body)), body };
    }
  }

  async #changed(key: string, identity: FileIdentity): Promise<boolean> {
    const now = await fileAt(this.#path(key));
    return now === undefined || now === "link" || !sameFile(now, identity);
  }

  async #records(key: string): Promise<readonly SidecarRecord[]> {
    const text = await unless(readFile(this.#sidecar(key), "utf8"), "ENOENT");
    return text === undefined ? [] : parseSidecar(key, text);
  }

  #recall(key: string, identity: FileIdentity): SidecarRecord | undefined {
    const record = this.#remembered.get(key);
    return record !== undefined && sameFile(record, identity) ? record : undefined;
  }

  #remember(key: string, record: SidecarRecord): SidecarRecord {
    this.#remembered.delete(key);
    this.#remembered.set(key, record);
    const [oldest] = this.#remembered.size > REMEMBERED ? this.#remembered.keys() : [];
    if (oldest !== undefined) this.#remembered.delete(oldest);
    return record;
  }

  /** So that a later object may have the directory's key. Another object in it is no error. */
  async #removeEmpty(directory: string): Promise<void> {
    for (let path = directory; path.length > this.#root.length; path = dirname(path)) {
      try {
        await rmdir(path);
      } catch {
        return;
      }
      this.#directories.forget(path);
    }
  }
}

/**
 * For a file that no record is of: it was copied here, or written by another program, or the sidecar was
 * lost. A record with the right ETag still describes the same bytes.
 */
function recordByBytes(
  records: readonly SidecarRecord[],
  identity: FileIdentity,
  body: Uint8Array,
): SidecarRecord {
  const etag = md5(body);
  const known = records.find((candidate) => candidate.etag === etag);
  const none = { contentType: undefined, cacheControl: undefined, metadata: {} };
  return { ...(known ?? none), ...identity, etag };
}

function md5(body: Uint8Array): string {
  return createHash("md5").update(body).digest("hex");
}

function linked(key: string): SkepError {
  return invalidKey(key, "leads through a symbolic link, which a folder store does not follow");
}
