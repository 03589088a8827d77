/** Codes for the day on which the authenticator is lost: each works once, in a browser. Pure but for chance. */
import { hashToken } from "./token-hash.ts";

const HOW_MANY = 10;
const CODE_BYTES = 10;

/** @returns new codes of 80 bits, in the form `xxxxx-xxxxx-xxxxx-xxxxx`. */
export function newRecoveryCodes(random: (bytes: number) => Uint8Array): readonly string[] {
  return Array.from({ length: HOW_MANY }, () => {
    const letters = [...random(CODE_BYTES)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return (letters.match(/.{5}/g) ?? []).join("-");
  });
}

/** @returns what is stored of a code, however it was typed. */
export function hashRecoveryCode(code: string): string {
  return hashToken(code.toLowerCase().replace(/[\s-]/g, ""));
}
