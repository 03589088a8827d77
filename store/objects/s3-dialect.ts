/**
 * Where services that speak the protocol of S3 differ, and which of it matters here. HTTP quotes an ETag in
 * If-Match, and AWS does so; Ceph's gateway compares it as it stands and answers 412 to the quoted one.
 */
import { randomBytes } from "node:crypto";
import { hasCode } from "../../schemas/errors.ts";
import { S3Store } from "./s3.ts";
import type { S3Settings } from "./s3-settings.ts";
import type { ObjectStore } from "./store.ts";

export interface S3Dialect {
  /** Whether an ETag in If-Match is quoted. */
  readonly quotedEtags: boolean;
  /** Whether If-Match on a DELETE is honoured. */
  readonly conditionalDelete: boolean;
}

export const AWS_DIALECT: S3Dialect = { quotedEtags: true, conditionalDelete: true };

/**
 * Opens a bucket for reading and writing, after having tried out on an object of its own which dialect the
 * service speaks. Whether it honours conditions at all is another question: `probe.ts`.
 * @throws SkepError `store_unavailable` when it cannot be written to; `config_invalid`.
 */
export async function openS3Store(settings: S3Settings): Promise<S3Store> {
  return new S3Store(settings, await learnDialect(settings));
}

async function learnDialect(settings: S3Settings): Promise<S3Dialect> {
  const quoted = new S3Store(settings, { quotedEtags: true, conditionalDelete: true });
  const bare = new S3Store(settings, { quotedEtags: false, conditionalDelete: true });
  const key = `skep-probe/${randomBytes(16).toString("hex")}`;
  try {
    const { etag } = await quoted.put(key, Buffer.from("dialect"), { precondition: { kind: "none" } });
    const quotedEtags = (await accepts(quoted, key, etag)) || !(await accepts(bare, key, etag));
    const conditionalDelete = await refusesDelete(quotedEtags ? quoted : bare, key, etag);
    return { quotedEtags, conditionalDelete };
  } finally {
    // A probe that stays behind does no harm.
    await quoted.delete(key).catch(() => undefined);
    await Promise.all([quoted.close(), bare.close()]);
  }
}

async function accepts(store: ObjectStore, key: string, etag: string): Promise<boolean> {
  try {
    await store.put(key, Buffer.from("dialect"), { precondition: { kind: "match", etag } });
    return true;
  } catch (error) {
    if (hasCode(error, "store_precondition", "store_not_found")) return false;
    throw error;
  }
}
