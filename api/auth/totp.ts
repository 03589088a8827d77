/** Codes of authenticator apps (RFC 6238): SHA-1, six digits, thirty seconds, which every app supports. Pure. */
import { createHmac } from "node:crypto";
import { sameSecret } from "./key-secret.ts";

/** 160 bits, as RFC 4226, 4 recommends. */
export const TOTP_SECRET_BYTES = 20;

const PERIOD_SECONDS = 30;
const DIGITS = 6;
// A phone's clock is behind, or the request was under way for a while.
const OFFSETS = [-1, 0, 1, 2];
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** @param seconds Unix time */
export function totpCode(secret: Uint8Array, seconds: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(seconds / PERIOD_SECONDS)));
  const digest = createHmac("sha1", secret).update(counter).digest();
  const offset = (digest.at(-1) ?? 0) & 0x0f;
  const number = (digest.readUInt32BE(offset) & 0x7fff_ffff) % 10 ** DIGITS;
  return String(number).padStart(DIGITS, "0");
}

/** @returns whether a code is the one of now, or of a moment close by. @param seconds Unix time */
export function isTotpCode(secret: Uint8Array, code: string, seconds: number): boolean {
  const given = code.replace(/\s/g, "");
  const matches = OFFSETS.map((offset) =>
    sameSecret(given, totpCode(secret, Math.max(0, seconds + offset * PERIOD_SECONDS))),
  );
  return matches.includes(true);
}

/** @returns RFC 4648, 6, without padding, as apps take it. */
export function base32(bytes: Uint8Array): string {
  let bits = "";
  for (const byte of bytes) bits += byte.toString(2).padStart(8, "0");
  return (bits.match(/.{1,5}/g) ?? [])
    .map((five) => BASE32[Number.parseInt(five.padEnd(5, "0"), 2)])
    .join("");
}

/** @returns what a QR code holds for an app (the Key URI format). */
export function otpauthUri(secret: Uint8Array, issuer: string, account: string): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(account)}`;
  return `otpauth://totp/${label}?secret=${base32(secret)}&issuer=${encodeURIComponent(issuer)}`;
}
