/** A signing key for tests, made once a process: RSA keys are slow to make. */
import { generateKeyPairSync } from "node:crypto";
import { pemSigner } from "../../proto/pem-signer.ts";
import type { Signer } from "../../proto/signer.ts";

/** @returns a fresh RSA-2048 private key as PEM (PKCS#8). */
export function newPrivateKeyPem(): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

let pem: string | undefined;
let signer: Signer | undefined;

/** @returns the key of {@link testSigner}. */
export function privateKeyOfTests(): string {
  pem ??= newPrivateKeyPem();
  return pem;
}

/** @returns the same signer for every test of this process. */
export function testSigner(): Signer {
  signer ??= pemSigner(privateKeyOfTests());
  return signer;
}
