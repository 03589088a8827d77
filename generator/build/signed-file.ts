/** A registry file's bytes: payload, signature, one gzip member. */
import { gzipOneMember } from "../../proto/gzip.ts";
import { signPayload } from "../../proto/sign.ts";
import type { Signer } from "../../proto/signer.ts";

/** @returns the bytes as they are stored and served. */
export async function signedFile(payload: Uint8Array, signer: Signer): Promise<Uint8Array> {
  return gzipOneMember(await signPayload(payload, signer));
}
