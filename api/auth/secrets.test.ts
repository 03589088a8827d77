import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { hashKeySecret, newKeySecret, sameSecret } from "./key-secret.ts";
import { hashPassword, verifyPassword } from "./password.ts";

describe("3.2, appendix B: secrets of keys", () => {
  // Test vectors of the Hex API.
  const SERVER = "796f75666f756e64746865686578";
  it.each([
    [
      "2cd6d09334d4b00a2be4d532342b799b",
      "e65e2dbb7e22694dc577e7b3d3328ff4",
      "aebb59509b50226077c81216c2eba85b",
    ],
    [
      "95f956c30a9e7b02409e5df12ad684bd",
      "2c140dfe1429db3d449cf4265dc4cd1e",
      "5bcf597057c2d04a1d228cd8c3254450",
    ],
  ])("%s", (secret, first, second) => {
    expect(hashKeySecret(SERVER, secret)).toEqual({ first, second });
  });

  it("are 32 hexadecimal digits, and compared whole", () => {
    expect(newKeySecret(randomBytes)).toMatch(/^[0-9a-f]{32}$/);
    expect([sameSecret("ab", "ab"), sameSecret("ab", "ac"), sameSecret("ab", "abc")]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe("passwords", () => {
  it("verify, and only the right one", async () => {
    const stored = await hashPassword("pässword", randomBytes);
    expect(stored).toMatch(/^scrypt\$16384\$8\$5\$/);
    expect(stored).not.toContain("pässword");
    // The same letters in another normal form, as another keyboard types them.
    expect(await verifyPassword("pässword".normalize("NFD"), stored)).toBe(true);
    expect(await verifyPassword("password", stored)).toBe(false);
  });

  it("never verify without a stored one", async () => {
    expect(await verifyPassword("", null)).toBe(false);
    expect(await verifyPassword("x", "md5$abc")).toBe(false);
  });
});
