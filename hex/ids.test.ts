import { describe, expect, it } from "vitest";
import { packageName, repositoryName, sha256, trusted, version } from "./ids.ts";

const DIGEST = "0123456789abcdef".repeat(4);

/** Whatever a parser accepts, it accepts as a whole. */
const WRAPPINGS: readonly ((text: string) => string)[] = [
  (text) => `${text}\n`,
  (text) => `\n${text}`,
  (text) => `${text}\r\n`,
  (text) => `${text}\n${text}`,
  (text) => `${text} `,
  (text) => ` ${text}`,
  (text) => `${text}\0`,
  (text) => `${text}\u2028`,
  (text) => `${text}/`,
  (text) => `/${text}`,
  (text) => `../${text}`,
  (text) => `${text}/..`,
  (text) => `..\\${text}`,
  (text) => `${text}%00`,
  (text) => `${text}\u0301`,
];

describe("packageName", () => {
  it.each(["a", "ab", "a1_", "phoenix_live_view"])("accepts %s", (text) => {
    expect(packageName(text)).toBe(text);
  });

  it.each(["", "A", "1a", "_a", "a-b", "a.b", "a:b", "é", "..", ".", "aé", "a%61", ...wrapped("ab")])(
    "refuses %j",
    (text) => {
      expect(packageName(text)).toBeUndefined();
    },
  );
});

describe("repositoryName", () => {
  it.each(["local", "hexpm", "a", "0", "-", "_a", "a.b", ".a", "a.", "..a"])("accepts %s", (text) => {
    expect(repositoryName(text)).toBe(text);
  });

  it.each(["", ".", "..", "...", "A", "a b", "a:b", "é", "a+b", "a%2f", ...wrapped("ab")])(
    "refuses %j",
    (text) => {
      expect(repositoryName(text)).toBeUndefined();
    },
  );
});

describe("version", () => {
  it.each(["1.0.0", "0.0.0-a", "1.0.0-rc.1+b", "1.0.0--"])("accepts %s", (text) => {
    expect(version(text)).toBe(text);
  });

  it.each(["", "1.0", "1.0.0.0", "01.0.0", "v1.0.0", "1.0.0-", "1.0.0+", "1.0.0-a/b", ...wrapped("1.0.0")])(
    "refuses %j",
    (text) => {
      expect(version(text)).toBeUndefined();
    },
  );

  it.each([
    ["digits", `1.0.0-${"1".repeat(1_000_000)}!`],
    ["letters", `1.0.0-${"a".repeat(1_000_000)}!`],
    ["hyphens", `1.0.0-${"-".repeat(1_000_000)}!`],
    ["identifiers", `1.0.0-${"1.".repeat(500_000)}`],
    ["build identifiers", `1.0.0+${"1.".repeat(500_000)}`],
  ])("refuses a megabyte of %s without trying every split", (_, text) => {
    expect(version(text)).toBeUndefined();
  });
});

describe("sha256", () => {
  it("accepts 64 lowercase digits", () => {
    expect(sha256(DIGEST)).toBe(DIGEST);
  });

  it.each([
    "",
    DIGEST.slice(1),
    `${DIGEST}0`,
    DIGEST.toUpperCase(),
    `g${DIGEST.slice(1)}`,
    ...wrapped(DIGEST),
  ])("refuses %j", (text) => {
    expect(sha256(text)).toBeUndefined();
  });
});

describe("trusted", () => {
  it("gives what the parser gives, and takes its refusal for a defect", () => {
    expect(trusted(packageName, "ab")).toBe("ab");
    expect(() => trusted(packageName, "a b")).toThrow(new TypeError('not a valid packageName: "a b"'));
  });
});

function wrapped(text: string): readonly string[] {
  return WRAPPINGS.map((wrap) => wrap(text));
}
