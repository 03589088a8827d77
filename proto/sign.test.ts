import { createHash, createPrivateKey, generateKeyPairSync } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { newPrivateKeyPem, privateKeyOfTests, testSigner } from "../test/support/signing.ts";
import { pemSigner } from "./pem-signer.ts";
import { publicKeyFingerprint } from "./public-key.ts";
import { encodeNames } from "./registry.ts";
import { openSigned, signPayload, verifySigned, wrapSigned } from "./sign.ts";

const payload = encodeNames({ repository: "local", packages: [{ name: "pear" }], revision: 7 });
const signer = testSigner();
let signed: Uint8Array;
beforeAll(async () => {
  signed = await signPayload(payload, signer);
});

describe("a signed file", () => {
  it("gives its payload under its key", () => {
    expect(Buffer.from(verifySigned(signed, signer.publicKeyPem)).equals(payload)).toBe(true);
  });

  it("is signed with the same bytes each time", async () => {
    expect(Buffer.from(await signPayload(payload, signer)).equals(signed)).toBe(true);
  });

  it("has the same signature when it is made from the digest", async () => {
    const digest = createHash("sha512").update(payload).digest();
    expect(await signer.signDigest?.(digest)).toEqual(openSigned(signed).signature);
  });

  it("is refused when any bit of payload or signature is another", () => {
    for (let at = 0; at < signed.length; at++) {
      for (const bit of [1, 0x80]) {
        const damaged = Buffer.from(signed);
        damaged[at] = (damaged[at] ?? 0) ^ bit;
        expect(() => verifySigned(damaged, signer.publicKeyPem), `byte ${at}`).toThrow();
      }
    }
  });

  it("is refused under another key, without a signature, and when it is cut", () => {
    const other = pemSigner(newPrivateKeyPem());
    expect(() => verifySigned(signed, other.publicKeyPem)).toThrow(
      expect.objectContaining({ code: "signature_invalid" }),
    );
    const unsigned = wrapSigned(payload, new Uint8Array());
    expect(() => verifySigned(unsigned, signer.publicKeyPem)).toThrow(
      expect.objectContaining({ code: "signature_missing" }),
    );
    expect(openSigned(unsigned).signature).toBeUndefined();
    expect(() => openSigned(signed.subarray(0, 5))).toThrow(
      expect.objectContaining({ code: "protobuf_malformed" }),
    );
  });
});

describe("a signer of a PEM file", () => {
  it("takes PKCS#8 and PKCS#1, and gives SPKI", () => {
    const pkcs1 = createPrivateKey(privateKeyOfTests()).export({ type: "pkcs1", format: "pem" }).toString();
    expect(pemSigner(pkcs1).publicKeyPem).toBe(signer.publicKeyPem);
    expect(signer.publicKeyPem).toMatch(/^-----BEGIN PUBLIC KEY-----\n/);
    expect(signer.fingerprint).toBe(publicKeyFingerprint(signer.publicKeyPem));
  });

  it.each([
    ["nothing", ""],
    ["a public key", signer.publicKeyPem],
    [
      "another kind of key",
      generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    ],
    [
      "a short key",
      generateKeyPairSync("rsa", { modulusLength: 1024 })
        .privateKey.export({ type: "pkcs8", format: "pem" })
        .toString(),
    ],
    ["a damaged key", privateKeyOfTests().replace(/[A-Z]{3}/, "???")],
  ])("refuses %s, and quotes nothing of it", (_, pem) => {
    try {
      pemSigner(pem);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: "key_invalid" });
      const said = `${error}${(error as Error).stack}${JSON.stringify(error)}`;
      for (const line of pem.split("\n").filter((text) => text.length > 40)) expect(said).not.toContain(line);
    }
  });
});
