import { createHash, randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { answersChallenge, isChallenge } from "./pkce.ts";
import { newUserCode, parseUserCode, showUserCode } from "./user-code.ts";

it("user codes are of letters that nobody takes for others, each as likely", () => {
  const counts = new Map<string, number>();
  for (let count = 0; count < 4000; count += 1) {
    for (const letter of newUserCode(randomBytes)) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  }
  expect([...counts.keys()].sort().join("")).toBe("23456789BCDFGHJKLMNPQRSTVWXYZ");
  for (const count of counts.values()) expect(Math.abs(count - 32_000 / 29)).toBeLessThan(250);
});

it("bytes that would favour the first letters are thrown away", () => {
  const bytes = [255, 232, 0, 231, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
  expect(newUserCode((length) => Uint8Array.from(bytes.splice(0, length)))).toBe("2Z345678");
});

it.each([
  ["bcdf-2345", "BCDF2345"],
  ["BCDF2345", "BCDF2345"],
  [" b c d f\t2-3-4-5 ", "BCDF2345"],
  ["BCDF234", undefined],
  ["BCDF23456", undefined],
  ["ACDF2345", undefined],
  ["BCDF0345", undefined],
  ["", undefined],
])("10: %j is typed for %s", (text, code) => {
  expect(parseUserCode(text)).toBe(code);
});

it("a code is shown in two halves", () => {
  expect(showUserCode("BCDF2345")).toBe("BCDF-2345");
});

it("RFC 7636, appendix B", () => {
  const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
  expect(isChallenge(challenge)).toBe(true);
  expect(answersChallenge(verifier, challenge)).toBe(true);
  for (let index = 0; index < challenge.length; index += 1) {
    const changed = `${challenge.slice(0, index)}${challenge[index] === "A" ? "B" : "A"}${challenge.slice(index + 1)}`;
    expect(answersChallenge(verifier, changed)).toBe(false);
  }
});

it.each(["x".repeat(42), "x".repeat(129), `${"x".repeat(43)}\n`, "x".repeat(43).replace("x", "+"), ""])(
  "%j is no verifier",
  (verifier) => {
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    expect(answersChallenge(verifier, challenge)).toBe(false);
  },
);
