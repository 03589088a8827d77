/**
 * What is stored of an API key: HMAC-SHA256 of its secret's text, in two halves. One is looked up, the other
 * compared in constant time, so that neither index nor comparison tells how close a guess was.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

export interface HashedSecret {
  readonly first: string;
  readonly second: string;
}

/** @param serverSecret used as the text that it is */
export function hashKeySecret(serverSecret: string, secret: string): HashedSecret {
  const digest = createHmac("sha256", serverSecret).update(secret).digest("hex");
  return { first: digest.slice(0, 32), second: digest.slice(32) };
}

export function sameSecret(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
