/** Whatever holds the registry's private key: a PEM file, a command, a key service. */
export interface Signer {
  /** SPKI PEM (`BEGIN PUBLIC KEY`), the only form that every client reads. */
  readonly publicKeyPem: string;
  /** As {@link publicKeyFingerprint} gives it. */
  readonly fingerprint: string;
  /** @returns RSA PKCS#1 v1.5 with SHA-512 over the payload (RFC 8017, 8.2); the same bytes each time. */
  sign(payload: Uint8Array): Promise<Uint8Array>;
  /** The same signature from the payload's SHA-512. Absent where whatever holds the key wants the payload. */
  signDigest?(sha512: Uint8Array): Promise<Uint8Array>;
}
