/** The registry's public key. */
import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { ProtoError } from "./errors.ts";

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----/g;
const LABELS = ["PUBLIC KEY", "RSA PUBLIC KEY"];

/**
 * Exactly one PEM block, as mix insists on it. Node alone would also take a certificate, or a private key,
 * which must not lie in public and pass for right.
 * @param pem SPKI, or PKCS#1 as `mix hex.registry build` writes it
 * @throws {ProtoError} `key_invalid` unless it is an RSA public key; the message holds nothing of the text.
 */
export function readPublicKey(pem: string): KeyObject {
  const labels = [...pem.matchAll(PEM_BLOCK)].map((match) => match[1] ?? "");
  const [label] = labels;
  if (labels.length !== 1 || label === undefined || !LABELS.includes(label)) {
    const found = labels.length === 0 ? "no PEM" : labels.join(", ");
    throw new ProtoError("key_invalid", `not one public key in PEM, but ${found}`);
  }
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch (cause) {
    throw new ProtoError("key_invalid", "the public key cannot be read", { cause });
  }
  if (key.asymmetricKeyType === "rsa") return key;
  throw new ProtoError("key_invalid", `not an RSA key, but one of type ${key.asymmetricKeyType}`);
}

/** @returns whether it is SPKI PEM, the only form that every client reads. */
export function isSpkiPem(pem: string): boolean {
  return pem.includes("-----BEGIN PUBLIC KEY-----");
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
