/** The reading half of the folder driver: which object stands under a key, and what is known of it. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { SkepError } from "../../schemas/errors.ts";
import { unless } from "./errno.ts";
import type { FolderDirectories } from "./folder-directories.ts";
import { readFileAt } from "./folder-files.ts";
import { fileAt, RepeatedLook } from "./folder-look.ts";
import {
  type FileIdentity,
  parseSidecar,
  type SidecarRecord,
  sameFile,
  sidecarPath,
} from "./folder-sidecar.ts";
import { invalidKey } from "./key.ts";

const REMEMBERED = 20_000;
const ATTEMPTS = 5;

export interface FoundObject {
  readonly record: SidecarRecord;
  readonly body: Uint8Array;
}

export class FolderReader {
  readonly #root: string;
  readonly #directories: FolderDirectories;
  /**
   * What was found out of the files that stand. Each was reached without following a link, so a file that is
   * still the same needs no second look at its directories.
   */
  readonly #remembered = new Map<string, SidecarRecord>();
  readonly #repeatedLook = new RepeatedLook();

  /** @param root absolute, and free of symbolic links */
  constructor(root: string, directories: FolderDirectories) {
    this.#root = root;
    this.#directories = directories;
  }

  path(key: string): string {
    return join(this.#root, key);
  }

  sidecar(key: string): string {
    return sidecarPath(join(this.#root, ".skep-meta"), key);
  }

  /**
   * @returns what is known of the object, without reading its bytes if that can be avoided.
   * @throws SkepError `store_key_invalid` for a symbolic link; system errors.
   */
  async look(key: string): Promise<SidecarRecord | undefined> {
    const path = this.path(key);
    const identity = await (this.#remembered.has(key) ? this.#repeatedLook.at(path) : fileAt(path));
    if (identity === "link") throw linked(key);
    if (identity === undefined) return undefined;
    const remembered = this.#recall(key, identity);
    if (remembered !== undefined) return remembered;
    await this.assertInside(key);
    const record = (await this.#records(key)).find((candidate) => sameFile(candidate, identity));
    if (record === undefined) return (await this.read(key))?.record;
    return this.remember(key, record);
  }

  /** @throws as {@link look} */
  async read(key: string): Promise<FoundObject | undefined> {
    for (let attempt = 1; ; attempt++) {
      const file = await readFileAt(this.path(key), async (identity) => {
        if (this.#recall(key, identity) === undefined) await this.assertInside(key);
      });
      if (file === "link") throw linked(key);
      if (file === undefined) return undefined;
      const { identity, body } = file;
      const remembered = this.#recall(key, identity);
      if (remembered !== undefined) return { record: remembered, body };
      const records = await this.#records(key);
      const exact = records.find((candidate) => sameFile(candidate, identity));
      // Two PUTs since we opened the file: its record is gone, but that of the next one is there.
      if (exact === undefined && attempt < ATTEMPTS && (await this.#changed(key, identity))) continue;
      return { record: this.remember(key, exact ?? recordByBytes(records, identity, body)), body };
    }
  }

  /** @throws SkepError `store_key_invalid` when a symbolic link leads out of the folder. */
  async assertInside(key: string): Promise<void> {
    if (!(await this.#directories.isInside(dirname(this.path(key))))) throw linked(key);
  }

  remember(key: string, record: SidecarRecord): SidecarRecord {
    this.#remembered.delete(key);
    this.#remembered.set(key, record);
    const [oldest] = this.#remembered.size > REMEMBERED ? this.#remembered.keys() : [];
    if (oldest !== undefined) this.#remembered.delete(oldest);
    return record;
  }

  forget(key: string): void {
    this.#remembered.delete(key);
  }

  #recall(key: string, identity: FileIdentity): SidecarRecord | undefined {
    const record = this.#remembered.get(key);
    return record !== undefined && sameFile(record, identity) ? record : undefined;
  }

  async #changed(key: string, identity: FileIdentity): Promise<boolean> {
    const now = await fileAt(this.path(key));
    return now === undefined || now === "link" || !sameFile(now, identity);
  }

  async #records(key: string): Promise<readonly SidecarRecord[]> {
    const text = await unless(readFile(this.sidecar(key), "utf8"), "ENOENT");
    return text === undefined ? [] : parseSidecar(key, text);
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

/** @returns the ETag that S3 gives these bytes. */
export function md5(body: Uint8Array): string {
  return createHash("md5").update(body).digest("hex");
}

function linked(key: string): SkepError {
  return invalidKey(key, "leads through a symbolic link, which a folder store does not follow");
}
