/**
 * Where services that speak the protocol of S3 differ, and which of it matters here. HTTP quotes an ETag in
 * If-Match, and AWS does so; Ceph's gateway compares it as it stands and answers 412 to the quoted one.
 */
import { randomBytes } from "node:crypto";
import { hasCode } from "../../schemas/errors.ts";
import type { ObjectStore } from "./store.ts";

export interface S3Dialect {
  /** Whether an ETag in If-Match is quoted. */
  readonly quotedEtags: boolean;
  /** Whether If-Match on a DELETE is honoured. */
  readonly conditionalDelete: boolean;
}

export const AWS_DIALECT: S3Dialect = { quotedEtags: true, conditionalDelete: true };

const BODY = Buffer.from("skep tries out which dialect of S3 this service speaks; this may be deleted\n");
const OTHER_ETAG = "0".repeat(32);

/**
 * Tries out on an object of its own which dialect the service speaks. Whether it honours conditions at all
 * is another question, see `probe.ts`.
 * @param openAs opens the same bucket under a dialect; what it gives is not closed here
 * @throws SkepError `store_unavailable` when the bucket cannot be written to.
 */
export async function learnDialect(openAs: (dialect: S3Dialect) => ObjectStore): Promise<S3Dialect> {
  const quoted = openAs({ quotedEtags: true, conditionalDelete: true });
  const bare = openAs({ quotedEtags: false, conditionalDelete: true });
  const key = `skep-probe/${randomBytes(16).toString("hex")}`;
  try {
    const { etag } = await quoted.put(key, BODY, { precondition: { kind: "none" } });
    // A service that refuses both will be refused by the probe; until then it is one like AWS.
    const quotedEtags = (await takes(quoted, key, etag)) || !(await takes(bare, key, etag));
    const conditionalDelete = await refusesToDelete(quotedEtags ? quoted : bare, key, etag);
    return { quotedEtags, conditionalDelete };
  } finally {
    // Should it stay behind, it does no harm.
    await quoted.delete(key).catch(() => undefined);
  }
}

async function takes(store: ObjectStore, key: string, etag: string): Promise<boolean> {
  try {
    await store.put(key, BODY, { precondition: { kind: "match", etag } });
    return true;
  } catch (error) {
    if (hasCode(error, "store_precondition", "store_not_found")) return false;
    throw error;
  }
}

/** Only when it refuses the wrong ETag, keeps the object then, and accepts the right one. */
async function refusesToDelete(store: ObjectStore, key: string, etag: string): Promise<boolean> {
  try {
    await store.delete(key, { ifMatch: OTHER_ETAG });
    return false;
  } catch (error) {
    // Some services answer 501 to what they do not know; any other failure says as little for it.
    if (!hasCode(error, "store_precondition")) return false;
  }
  try {
    await store.delete(key, { ifMatch: etag });
    return (await store.head(key)) === undefined;
  } catch (error) {
    if (hasCode(error, "store_precondition", "store_unavailable")) return false;
    throw error;
  }
}
