/**
 * Policies say themselves who may read them. One that cannot be understood, or says something that is not known yet,
 * is private.
 */
import { gunzipOneMember } from "../proto/gzip.ts";
import { decodePolicy } from "../proto/policy.ts";
import { openSigned } from "../proto/sign.ts";

const LARGEST = 4 << 20;

/** @param file as it lies in the store; whether it is ours is for clients to check, who have the key */
export function isPublicPolicy(file: Uint8Array): boolean {
  try {
    return decodePolicy(openSigned(gunzipOneMember(file, LARGEST)).payload).visibility === "public";
  } catch {
    return false;
  }
}
