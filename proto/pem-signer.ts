/** A signer over a private key in PEM. */
import { constants, createPrivateKey, createPublicKey, privateEncrypt, sign } from "node:crypto";
import { ProtoError } from "./errors.ts";
import { publicKeyFingerprint } from "./public-key.ts";
import type { Signer } from "./signer.ts";

// Below this, clients of later OTP releases refuse to verify.
const LEAST_BITS = 2048;

// What stands before a SHA-512 in the signature: its algorithm in DER (RFC 8017, 9.2, note 1).
const SHA512_DIGEST_INFO = Buffer.from("3051300d060960864801650304020305000440", "hex");

/**
 * @param pem an RSA private key of 2048 bits or more, PKCS#8 or PKCS#1
 * @throws {ProtoError} `key_invalid`; the message holds nothing of the key.
 */
export function pemSigner(pem: string): Signer {
  const key = readPrivateKey(pem);
  const publicKeyPem = createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
  return {
    publicKeyPem,
    fingerprint: publicKeyFingerprint(publicKeyPem),
    // With a callback it runs in the thread pool, so that several signatures are made at once.
    sign: (payload) =>
      new Promise((resolve, reject) => {
        sign("sha512", payload, key, (error, signature) => (error ? reject(error) : resolve(signature)));
      }),
    signDigest: async (sha512) =>
      // "Encrypting" with a private key is the rest of a signature: padding and power (RFC 8017, 8.2.1).
      privateEncrypt(
        { key, padding: constants.RSA_PKCS1_PADDING },
        Buffer.concat([SHA512_DIGEST_INFO, sha512]),
      ),
  };
}

function readPrivateKey(pem: string) {
  let key: ReturnType<typeof createPrivateKey>;
  try {
    key = createPrivateKey(pem);
  } catch {
    // The cause is left out: OpenSSL's errors may quote what they could not read.
    throw new ProtoError("key_invalid", "the signing key is not a private key in PEM (PKCS#8 or PKCS#1)");
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== "rsa" || bits < LEAST_BITS) {
    const found = `${key.asymmetricKeyType ?? "unknown"}${bits ? ` of ${bits} bits` : ""}`;
    throw new ProtoError(
      "key_invalid",
      `the signing key must be RSA of ${LEAST_BITS} bits or more, not ${found}`,
    );
  }
  return key;
}
