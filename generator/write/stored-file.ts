/** A registry file as the store holds it. */
import type { KeyObject } from "node:crypto";
import { gunzipOneMember } from "../../proto/gzip.ts";
import { verifySigned } from "../../proto/sign.ts";
import type { DesiredObject } from "../build/objects.ts";
import type { GeneratorContext } from "../context.ts";
import type { CurrentObject } from "./metadata.ts";

// Far beyond any that exists: a bomb in the bucket ends here.
const LARGEST_FILE = 1 << 30;

/**
 * @param publicKey PEM, or a key that was read from it, which spares reading it for every file
 * @returns the payload of a stored file; undefined when it is not one that we signed.
 */
export function signedPayload(body: Uint8Array, publicKey: string | KeyObject): Uint8Array | undefined {
  try {
    return verifySigned(gunzipOneMember(body, LARGEST_FILE), publicKey);
  } catch {
    return undefined;
  }
}

/**
 * A file that is to be written anew for its headers alone has its signature already; checking one takes a thirtieth of
 * making it.
 * @param known what stands under the key
 * @returns its bytes, undefined when they are not this very payload under our signature.
 * @throws SkepError `store_unavailable`
 */
export async function reusableFile(
  context: GeneratorContext,
  { key, source, payloadHash }: DesiredObject,
  known: CurrentObject | undefined,
): Promise<Uint8Array | undefined> {
  // Metadata that was lost tells nothing of the bytes.
  const isAlike =
    known?.payloadHash === payloadHash || (known !== undefined && known.payloadHash === undefined);
  if (!isAlike || source.kind !== "sign") return undefined;
  const stored = await context.publicStore.get(key);
  const payload = stored && signedPayload(stored.body, context.signer.publicKeyPem);
  return payload && Buffer.compare(payload, source.payload) === 0 ? stored.body : undefined;
}
