/** What is stored of secrets that we make: tokens, codes, cookies and the keys of links. */
import { createHash } from "node:crypto";

/**
 * They are random and long, so that a plain hash keeps them.
 * @returns SHA-256 in lower-case hexadecimal.
 */
export function hashToken(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
