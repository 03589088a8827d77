/** The registry's public key. */
import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { ProtoError } from "./errors.ts";

/**
 * @param pem SPKI, or PKCS#1 as `mix hex.registry build` writes it
 * @throws {ProtoError} `key_invalid` unless it is an RSA public key.
 */
export function readPublicKey(pem: string): KeyObject {
  try {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyType !== "rsa") throw new TypeError(`it is of type ${key.asymmetricKeyType}`);
    return key;
  } catch (cause) {
    throw new ProtoError("key_invalid", `not an RSA public key: ${(cause as Error).message}`, { cause });
  }
}

/**
 * The form that `mix hex.repo add --fetch-public-key` compares: OpenSSH's SHA-256 fingerprint of the key
 * (RFC 4253, 6.6, for the bytes that are hashed).
 * @returns `SHA256:` and 43 characters of Base64.
 * @throws {ProtoError} `key_invalid`
 */
export function publicKeyFingerprint(pem: string): string {
  const { n = "", e = "" } = readPublicKey(pem).export({ format: "jwk" });
  const bytes = Buffer.concat([sshString(Buffer.from("ssh-rsa")), sshInteger(e), sshInteger(n)]);
  return `SHA256:${createHash("sha256").update(bytes).digest("base64").replace(/=+$/, "")}`;
}

function sshString(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

// Signed, so a leading one bit needs a zero byte before it.
function sshInteger(base64url: string): Buffer {
  const bytes = Buffer.from(base64url, "base64url");
  return sshString((bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
}
