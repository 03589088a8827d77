/** A registry file's bytes: payload, signature, one gzip member. */
import { gzipOneMember } from "../../proto/gzip.ts";
import { signPayload } from "../../proto/sign.ts";
import type { Signer } from "../../proto/signer.ts";
import type { SignedSource } from "./objects.ts";

/** @returns the bytes as they are stored and served. */
export async function signedFile({ payload, index }: SignedSource, signer: Signer): Promise<Uint8Array> {
  if (index === undefined) return gzipOneMember(await signPayload(payload, signer));
  // Both in the thread pool, so at once.
  const [signature] = await Promise.all([signer.sign(payload), index.file.deflate()]);
  return index.file.gzip(payload, index.end, signature);
}
