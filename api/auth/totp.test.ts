import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { hashRecoveryCode, newRecoveryCodes } from "./recovery-codes.ts";
import { seal, unseal } from "./sealed.ts";
import { base32, isTotpCode, otpauthUri, totpCode } from "./totp.ts";

const SECRET = Buffer.from("12345678901234567890");

describe("codes", () => {
  // RFC 6238, appendix B, of which apps show the last six digits.
  it.each([
    [59, "287082"],
    [1_111_111_109, "081804"],
    [1_111_111_111, "050471"],
    [1_234_567_890, "005924"],
    [2_000_000_000, "279037"],
    [20_000_000_000, "353130"],
  ])("appendix B: at %i it is %s", (seconds, code) => {
    expect(totpCode(SECRET, seconds)).toBe(code);
    expect(isTotpCode(SECRET, code, seconds)).toBe(true);
    expect(isTotpCode(SECRET, ` ${code.slice(0, 3)} ${code.slice(3)} `, seconds)).toBe(true);
  });

  it.each([
    [-60, false],
    [-30, true],
    [0, true],
    [30, true],
    [60, true],
    [90, false],
  ])("3.5: the one of %i seconds from now counts: %s", (offset, counts) => {
    const now = 1_700_000_010;
    expect(isTotpCode(SECRET, totpCode(SECRET, now + offset), now)).toBe(counts);
  });

  it.each(["", "12345", "1234567", "abcdef", "２８７０８２", "287082\0", "-87082"])("%j is none", (code) => {
    expect(isTotpCode(SECRET, code, 59)).toBe(false);
  });

  it("the secret as apps take it", () => {
    expect(base32(SECRET)).toBe("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    // RFC 4648, 10.
    const vectors = {
      f: "MY",
      fo: "MZXQ",
      foo: "MZXW6",
      foob: "MZXW6YQ",
      fooba: "MZXW6YTB",
      foobar: "MZXW6YTBOI",
    };
    for (const [text, encoded] of Object.entries(vectors)) expect(base32(Buffer.from(text))).toBe(encoded);
    expect(otpauthUri(SECRET, "a b:c", "ann&x=y")).toBe(
      `otpauth://totp/a%20b%3Ac:ann%26x%3Dy?secret=${base32(SECRET)}&issuer=a%20b%3Ac`,
    );
  });
});

describe("recovery codes", () => {
  it("are ten, each another, and stored as hashes whatever way they are typed", () => {
    const codes = newRecoveryCodes(randomBytes);
    expect(new Set(codes).size).toBe(10);
    const [code = ""] = codes;
    expect(code).toMatch(/^[0-9a-f]{5}(-[0-9a-f]{5}){3}$/);
    expect(hashRecoveryCode(` ${code.toUpperCase().replaceAll("-", " ")}`)).toBe(hashRecoveryCode(code));
    expect(hashRecoveryCode(code)).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe("a sealed secret", () => {
  const sealed = seal("key", "of ann", SECRET, randomBytes);

  it("opens for its purpose, and is another each time", () => {
    expect(unseal("key", "of ann", sealed)).toEqual(SECRET);
    expect(seal("key", "of ann", SECRET, randomBytes)).not.toBe(sealed);
  });

  it("opens neither for another, nor under another key, nor changed in any bit", () => {
    expect(() => unseal("key", "of bob", sealed)).toThrow();
    expect(() => unseal("kez", "of ann", sealed)).toThrow();
    const bytes = Buffer.from(sealed, "base64url");
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => unseal("key", "of ann", changed.toString("base64url"))).toThrow();
    }
    expect(() => unseal("key", "of ann", sealed.slice(0, 20))).toThrow();
    expect(() => unseal("key", "of ann", "")).toThrow();
  });
});
