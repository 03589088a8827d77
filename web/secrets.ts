/** Secrets of browsers: the cookie, and the token that its forms carry. Pure but for the randomness. */
import { createHmac } from "node:crypto";
import { sameSecret } from "../api/auth/key-secret.ts";

const SECRET_BYTES = 32;

export function newSessionSecret(random: (bytes: number) => Uint8Array): string {
  return Buffer.from(random(SECRET_BYTES)).toString("base64url");
}

/** @returns whether a cookie has the form of one of ours. */
export function isSessionSecret(text: string | undefined): text is string {
  return text !== undefined && /^[\w-]{43}$/.test(text);
}

/** What a form carries to show that it is ours: bound to the cookie, so that another site can neither read nor guess it. */
export function csrfToken(keySecret: string, sessionSecret: string): string {
  return createHmac("sha256", keySecret).update(`csrf:${sessionSecret}`).digest("base64url");
}

export function isCsrfToken(token: string | null, keySecret: string, sessionSecret: string): boolean {
  return token !== null && sameSecret(token, csrfToken(keySecret, sessionSecret));
}
