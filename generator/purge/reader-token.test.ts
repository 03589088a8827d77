import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { isGeneratorToken } from "../../schemas/access-token/generator-token.ts";
import { keyIdOf } from "../../schemas/access-token/keys.ts";
import { tokenHeader } from "../../schemas/access-token/token.ts";
import { testSigner } from "../../test/support/signing.ts";
import { createReaderToken } from "./reader-token.ts";

const signer = testSigner();
const publicKey = createPublicKey(signer.publicKeyPem);
const START = new Date("2026-01-01T00:00:00Z");
const later = (seconds: number) => new Date(START.getTime() + seconds * 1000);

describe("the generator's token", () => {
  it("opens for ten minutes under the registry's key, and under no other", async () => {
    const token = await createReaderToken(signer, () => START)();
    expect(tokenHeader(token)).toEqual({ algorithm: "RS512", keyId: keyIdOf(publicKey) });
    expect(await isGeneratorToken([publicKey], token, START)).toBe(true);
    expect(await isGeneratorToken([publicKey], token, later(599))).toBe(true);
    expect(await isGeneratorToken([publicKey], token, later(601))).toBe(false);
    expect(await isGeneratorToken([publicKey], token, later(-60))).toBe(false);
    const other = generateKeyPairSync("rsa", { modulusLength: 2048 });
    expect(await isGeneratorToken([other.publicKey], token, START)).toBe(false);
    expect(await isGeneratorToken([other.publicKey, publicKey], token, START)).toBe(true);
  });

  it("is shared, and made anew before it runs out", async () => {
    let now = START;
    let signatures = 0;
    const counting = {
      ...signer,
      sign(payload: Uint8Array) {
        signatures += 1;
        return signer.sign(payload);
      },
    };
    const token = createReaderToken(counting, () => now);
    await Promise.all([token(), token(), token()]);
    now = later(299);
    await token();
    expect(signatures).toBe(1);
    now = later(300);
    expect(await isGeneratorToken([publicKey], await token(), later(899))).toBe(true);
    // The clock was set back: one of the future opens nothing.
    now = later(-1_000);
    expect(await isGeneratorToken([publicKey], await token(), now)).toBe(true);
    expect(signatures).toBe(3);
  });

  it("is tried again after a signer that failed", async () => {
    let fails = true;
    const failing = {
      ...signer,
      sign: (payload: Uint8Array) => (fails ? Promise.reject(new Error("away")) : signer.sign(payload)),
    };
    const token = createReaderToken(failing, () => START);
    await expect(token()).rejects.toThrow("away");
    fails = false;
    expect(await isGeneratorToken([publicKey], await token(), START)).toBe(true);
  });

  it("is none with another issuer, audience, algorithm or end", async () => {
    const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const make = (change: { iss?: string; aud?: string; exp?: number; alg?: string }) => {
      const jwt = new SignJWT({}).setProtectedHeader({ alg: change.alg ?? "RS512" });
      jwt.setIssuer(change.iss ?? "skep-generator").setAudience(change.aud ?? "skep-edge");
      jwt.setNotBefore(START).setExpirationTime(change.exp ?? later(60));
      return jwt.sign(pair.privateKey);
    };
    const judged = async (change: Parameters<typeof make>[0]) =>
      isGeneratorToken([pair.publicKey], await make(change), START);
    expect(await judged({})).toBe(true);
    for (const change of [{ iss: "hexpm" }, { aud: "hexpm:api" }, { exp: 1 }, { alg: "RS256" }])
      expect(await judged(change)).toBe(false);
  });
});
