/** Passwords: scrypt (RFC 7914), which needs memory to guess, with its parameters beside the hash. */
import { scrypt as scryptCallback, timingSafeEqual } from "node:crypto";

// 16 MiB and some 60 ms a guess; OWASP's second choice of parameters.
const COST = 2 ** 14;
const BLOCK = 8;
const PARALLEL = 5;
const KEY_BYTES = 32;
const SALT_BYTES = 16;

/** @returns `scrypt$N$r$p$salt$hash`, the last two in Base64. */
export async function hashPassword(password: string, random: (bytes: number) => Uint8Array): Promise<string> {
  const salt = Buffer.from(random(SALT_BYTES));
  const hash = await derive(password, salt, COST, BLOCK, PARALLEL);
  return ["scrypt", COST, BLOCK, PARALLEL, salt.toString("base64"), hash.toString("base64")].join("$");
}

/** @param stored null takes as long as a real one, so that nobody learns which names exist */
export async function verifyPassword(password: string, stored: string | null): Promise<boolean> {
  const [scheme, cost, block, parallel, salt, hash] = (stored ?? UNKNOWN).split("$");
  if (scheme !== "scrypt" || salt === undefined || hash === undefined) return false;
  const expected = Buffer.from(hash, "base64");
  const actual = await derive(
    password,
    Buffer.from(salt, "base64"),
    Number(cost),
    Number(block),
    Number(parallel),
  );
  return stored !== null && expected.length === actual.length && timingSafeEqual(expected, actual);
}

const UNKNOWN = ["scrypt", COST, BLOCK, PARALLEL, Buffer.alloc(SALT_BYTES).toString("base64"), ""].join("$");

function derive(password: string, salt: Buffer, N: number, r: number, p: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { N, r, p, maxmem: 64 << 20 };
    scryptCallback(password.normalize("NFC"), salt, KEY_BYTES, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
