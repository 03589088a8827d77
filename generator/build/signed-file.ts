/** A registry file's bytes: payload, signature, one gzip member. */
import { gzipOneMember } from "../../proto/gzip.ts";
import { signPayload } from "../../proto/sign.ts";
import type { Signer } from "../../proto/signer.ts";
import type { SignedSource } from "./objects.ts";

/** @returns the bytes as they are stored and served. */
export async function signedFile(source: SignedSource, signer: Signer): Promise<Uint8Array> {
  const { index } = source;
  if (index === undefined) return gzipOneMember(await signPayload(source.payload, signer));
  return index.file.signedFile(index.end, signer);
}
