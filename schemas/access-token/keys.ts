/** The keys of access tokens. Their private halves belong to the API; whoever reads tokens needs the public ones. */
import { createHash, createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { SkepError } from "../errors.ts";

/** What tokens are judged by. */
export interface TokenVerifiers {
  readonly publicKeys: readonly KeyObject[];
}

/** What tokens are made with, too. */
export interface TokenKeys extends TokenVerifiers {
  readonly privateKey: KeyObject;
}

export interface JsonWebKeySet {
  readonly keys: readonly object[];
}

/**
 * @param pem one or more P-256 private keys in PEM. The first one signs; tokens of the others stay valid, so that a
 *   key is replaced by putting a new one in front of it.
 * @param origin where the text comes from, for messages
 * @throws SkepError `config_invalid`
 */
export function parseTokenKeys(pem: string, origin: string): TokenKeys {
  const blocks = pem.match(/-----BEGIN [A-Z ]+-----[^-]+-----END [A-Z ]+-----/g) ?? [];
  const privateKeys = blocks.map((block) => parsePrivateKey(block, origin));
  const [privateKey] = privateKeys;
  if (privateKey === undefined) throw unusable(origin, "it holds no PEM key");
  return { privateKey, publicKeys: privateKeys.map((key) => createPublicKey(key)) };
}

function parsePrivateKey(block: string, origin: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(block);
  } catch (cause) {
    throw unusable(origin, "it holds something else than private keys", cause);
  }
  if (key.asymmetricKeyType !== "ec" || key.asymmetricKeyDetails?.namedCurve !== "prime256v1") {
    throw unusable(origin, "its keys must be of the curve P-256");
  }
  return key;
}

function unusable(origin: string, why: string, cause?: unknown): SkepError {
  const text = `${origin} is no key for access tokens: ${why}; \`openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256\` makes one`;
  return new SkepError("config_invalid", text, { cause });
}

/** @returns the public keys as RFC 7517 writes them, for services that judge tokens themselves. */
export function keySetOf({ publicKeys }: TokenVerifiers): JsonWebKeySet {
  return {
    keys: publicKeys.map((key) => ({
      ...key.export({ format: "jwk" }),
      kid: keyIdOf(key),
      use: "sig",
      alg: "ES256",
    })),
  };
}

/** @returns the key's thumbprint (RFC 7638), by which tokens name the key that they were signed with. */
export function keyIdOf(key: KeyObject): string {
  const { kty, crv, x, y, e, n } = key.export({ format: "jwk" });
  // The members that the RFC demands of each kind, in alphabetical order.
  const members = kty === "RSA" ? { e, kty, n } : { crv, kty, x, y };
  return createHash("sha256").update(JSON.stringify(members)).digest("base64url");
}

const MOST_KEYS = 16;

/**
 * Reads what {@link keySetOf} has written. Keys of another kind are for others, and left out.
 * @param origin where the text comes from, for messages
 * @throws SkepError `config_invalid` when it is no key set, or has no key of ours.
 */
export function parseKeySet(text: string, origin: string): readonly KeyObject[] {
  const refuse = (why: string, cause?: unknown) =>
    new SkepError("config_invalid", `${origin} is no key set of access tokens: ${why}`, { cause });
  let entries: unknown;
  try {
    entries = (JSON.parse(text) as { readonly keys?: unknown } | null)?.keys;
  } catch (cause) {
    throw refuse("it is not JSON", cause);
  }
  if (!Array.isArray(entries)) throw refuse("it has no list `keys`");
  const keys = entries.slice(0, MOST_KEYS).flatMap((entry: unknown) => publicKeyOf(entry) ?? []);
  if (keys.length === 0) throw refuse("no key in it is of the curve P-256");
  return keys;
}

function publicKeyOf(entry: unknown): KeyObject | undefined {
  const { kty, crv, x, y } = (entry ?? {}) as JsonWebKey;
  if (kty !== "EC" || crv !== "P-256" || typeof x !== "string" || typeof y !== "string") return undefined;
  try {
    return createPublicKey({ key: { kty, crv, x, y }, format: "jwk" });
  } catch {
    // Not a point of the curve.
    return undefined;
  }
}
