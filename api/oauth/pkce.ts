/** Proof that who redeems a code is who asked for it (RFC 7636), by S256 alone. Pure. */
import { createHash } from "node:crypto";
import { sameSecret } from "../auth/key-secret.ts";

/** @returns whether a challenge is the SHA-256 of something, in base64url. */
export function isChallenge(text: string): boolean {
  return /^[\w-]{43}$/.test(text);
}

/** @returns whether a verifier has the form that RFC 7636, 4.1 gives it, and belongs to the challenge. */
export function answersChallenge(verifier: string, challenge: string): boolean {
  if (!/^[A-Za-z0-9._~-]{43,128}$/.test(verifier)) return false;
  return sameSecret(createHash("sha256").update(verifier).digest("base64url"), challenge);
}
