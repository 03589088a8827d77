/** The bytes that were accepted, in the private store. */
import { createHash } from "node:crypto";
import { type Sha256, sha256, trusted } from "../hex/ids.ts";
import { BLOB_PREFIX, blobKey } from "../hex/keys.ts";
import { hasCode } from "../schemas/errors.ts";
import { micros } from "../schemas/time.ts";
import type { ObjectStore } from "./objects/store.ts";
import type { Sql } from "./postgres/pool.ts";
import { blobsDroppedSince, forgetDroppedBlobs, referredBlobs } from "./queries/releases.ts";

export interface StagedBlob {
  readonly key: string;
  readonly checksum: Sha256;
}

/**
 * Stages bytes, durable but referred to by nothing yet.
 * @param uploadId 32 hexadecimal digits of this upload alone, so that collecting the bytes of one upload
 *   can never take those of another
 */
export async function stageBlob(
  store: ObjectStore,
  bytes: Uint8Array,
  uploadId: string,
): Promise<StagedBlob> {
  const checksum = trusted(sha256, createHash("sha256").update(bytes).digest("hex"));
  const key = blobKey(checksum, uploadId);
  const put = () =>
    store.put(key, bytes, { precondition: { kind: "none" }, contentType: "application/octet-stream" });
  // The key is of this upload alone, so that writing it again is the same write.
  await put().catch((error: unknown) =>
    hasCode(error, "store_unavailable") ? put() : Promise.reject(error),
  );
  return { key, checksum };
}

/** No publish takes this long from staging to its commit, and no build from its snapshot to its last PUT. */
export const BLOB_GRACE_SECONDS = 86_400;
const BLOBS_AT_ONCE = 500;

/**
 * Deletes bytes that no row has referred to for a day: uploads that were refused after staging, and what was
 * replaced or reverted.
 * @returns how many were deleted.
 */
export async function collectBlobs(sql: Sql, store: ObjectStore, now: Date): Promise<number> {
  const before = now.getTime() - BLOB_GRACE_SECONDS * 1000;
  const since = micros(before * 1000);
  let old: string[] = [];
  let deleted = 0;
  const sweep = async () => {
    const referred = await referredBlobs(sql, old);
    // Old bytes that were dropped a moment ago: a generator may be about to publish what it read before that.
    const dropped = await blobsDroppedSince(sql, old, since);
    for (const key of old) {
      if (referred.has(key) || dropped.has(key)) continue;
      await store.delete(key);
      deleted += 1;
    }
    old = [];
  };
  for await (const { key, lastModified } of store.list(BLOB_PREFIX)) {
    if (lastModified.getTime() < before) old.push(key);
    if (old.length >= BLOBS_AT_ONCE) await sweep();
  }
  await sweep();
  await forgetDroppedBlobs(sql, since);
  return deleted;
}
