/** Secrets that must be read again, kept encrypted: AES-256-GCM under a key derived from the API's secret (HKDF). */
import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** @param purpose whose secret of which kind it is: what is sealed for another does not open */
export function seal(
  keySecret: string,
  purpose: string,
  secret: Uint8Array,
  random: (bytes: number) => Uint8Array,
): string {
  const nonce = random(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", keyOf(keySecret), nonce);
  cipher.setAAD(Buffer.from(purpose));
  const body = Buffer.concat([cipher.update(secret), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString("base64url");
}

/** @throws when it was sealed under another secret or for another purpose, or was changed since */
export function unseal(keySecret: string, purpose: string, sealed: string): Buffer {
  const bytes = Buffer.from(sealed, "base64url");
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", keyOf(keySecret), nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(purpose));
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
}

function keyOf(keySecret: string): Buffer {
  return Buffer.from(hkdfSync("sha256", keySecret, "", "skep sealed secrets", 32));
}
