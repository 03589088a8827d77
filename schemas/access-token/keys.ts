/** The keys of access tokens. Their private halves belong to the API; whoever reads tokens needs the public ones. */
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
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
  return { keys: publicKeys.map((key) => ({ ...key.export({ format: "jwk" }), use: "sig", alg: "ES256" })) };
}
