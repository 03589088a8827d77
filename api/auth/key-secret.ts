/** Secrets of API keys: 16 random bytes, shown once. */

export { type HashedSecret, hashKeySecret, sameSecret } from "../../store/key-secret.ts";

/** @returns 32 lower-case hexadecimal digits. */
export function newKeySecret(random: (bytes: number) => Uint8Array): string {
  return Buffer.from(random(16)).toString("hex");
}
