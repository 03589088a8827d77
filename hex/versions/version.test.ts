import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { version } from "../ids.ts";
import { latestStableVersion, latestVersion, sortByVersion, sortVersions } from "./sort.ts";
import { compareVersions, isPrerelease, parseVersion } from "./version.ts";

describe("11.1: parseVersion", () => {
  it.each([
    "1.0.0-rc-1",
    "1.0.0--",
    "1.0.0-0a",
    "1.0.0+b",
    "0.0.0",
    "1.0.0-0",
    "1.0.0-00a",
    "1.0.0-a.b.c",
    "1.0.0-a+b.01",
    "1.0.0+b-c",
    "99999999999999999999.0.0",
  ])("accepts %s", (text) => {
    expect(parseVersion(text)?.text).toBe(text);
    expect(version(text)).toBe(text);
  });

  it.each([
    "",
    "1",
    "1.0",
    "1.0.0.0",
    "v1.0.0",
    "01.0.0",
    "1.00.0",
    "1.0.00",
    "1.0.0-01",
    "1.0.0-a.01",
    "1.0.0-",
    "1.0.0+",
    "1.0.0-+b",
    "1.0.0-a..b",
    "1.0.0-.a",
    "1.0.0-a.",
    "1.0.0-a_b",
    "1.0.0+a..b",
    "1.0.0+a+b",
    "1.0.0-é",
    "1.0.0-١",
    "-1.0.0",
    "+1.0.0",
    "1.-0.0",
    " 1.0.0",
    "1.0.0 ",
    "1.0.0\n",
    "\n1.0.0",
    "1.0.0\0",
    "1.0.0-a/../b",
  ])("refuses %j", (text) => {
    expect(parseVersion(text)).toBeUndefined();
    expect(version(text)).toBeUndefined();
  });

  it("takes a version apart", () => {
    expect(parseVersion("1.20.3-rc-1.0.x+b-1.2")).toMatchObject({
      numbers: ["1", "20", "3"],
      pre: ["rc-1", "0", "x"],
      build: "b-1.2",
    });
    expect(parseVersion("1.0.0+a-b")).toMatchObject({ pre: [], build: "a-b" });
  });

  it.each([
    ["1.0.0", false],
    ["1.0.0+a-b", false],
    ["1.0.0-0", true],
    ["1.0.0--", true],
  ])("tells whether %s is a pre-release", (text, is) => {
    expect(isPrerelease(text)).toBe(is);
  });
});

const ASCENDING = [
  ["0.0.0-0", "0.0.0", "0.0.1", "0.1.0", "0.2.0", "0.10.0", "0.10.1", "0.100.0", "1.0.0-0"],
  ["1.0.0-1", "1.0.0-10", "1.0.0-10.0", "1.0.0--", "1.0.0-2a", "1.0.0-Alpha", "1.0.0-alpha"],
  ["1.0.0-alpha.1", "1.0.0-alpha.1.0", "1.0.0-alpha.beta", "1.0.0-alpha-1", "1.0.0-alpha1"],
  ["1.0.0-rc", "1.0.0-rc.2", "1.0.0-rc.10", "1.0.0-rc.-", "1.0.0-rc-", "1.0.0-rc-0"],
  ["1.0.0", "2.0.0", "10.0.0", "9007199254740992.0.0", "9007199254740993.0.0"],
  [`${"9".repeat(25)}.0.0`, `1${"0".repeat(25)}.0.0`, `2${"0".repeat(25)}.0.0`, `${"9".repeat(99)}.0.0`],
  [`1${"0".repeat(99)}.0.0-${"9".repeat(30)}`, `1${"0".repeat(99)}.0.0-1${"0".repeat(30)}`],
  [`1${"0".repeat(99)}.0.0-a`, `1${"0".repeat(99)}.0.0`, `1${"0".repeat(400)}.0.0`],
].flat();

describe("11.1: compareVersions", () => {
  it("puts each below all that follow", () => {
    for (const [index, a] of ASCENDING.entries()) {
      for (const [other, b] of ASCENDING.entries()) {
        expect([a, b, compareVersions(a, b)]).toEqual([a, b, Math.sign(index - other)]);
      }
    }
  });

  it("ignores build metadata", () => {
    expect(compareVersions("1.0.0+a", "1.0.0+b")).toBe(0);
    expect(compareVersions("1.0.0-a+1", "1.0.0-a")).toBe(0);
  });

  it("refuses what is no version", () => {
    expect(() => compareVersions("1.0", "1.0.0")).toThrow(RangeError);
  });
});

/** Versions in which neighbours in precedence are likely. */
const identifier = fc.oneof(
  fc.constantFrom("0", "1", "9", "10", "-", "a", "A", "a1", "1a", "a-", "rc", "99999999999999999999"),
  fc.stringMatching(/^[a-zA-Z-][0-9A-Za-z-]{0,3}$/),
);
const number = fc.oneof(fc.nat(12), fc.maxSafeInteger().map(Math.abs), fc.bigInt(0n, 10n ** 40n)).map(String);
const generated = fc
  .tuple(number, number, number, fc.array(identifier, { maxLength: 3 }))
  .map(
    ([major, minor, patch, pre]) => `${major}.${minor}.${patch}${pre.length > 0 ? `-${pre.join(".")}` : ""}`,
  );

/** Section 11 of SemVer 2.0.0, word by word. */
function precedence(a: string, b: string): number {
  const [x, y] = [parseVersion(a), parseVersion(b)];
  if (x === undefined || y === undefined) throw new Error("not versions");
  for (const index of [0, 1, 2] as const) {
    const order = sign(BigInt(x.numbers[index]), BigInt(y.numbers[index]));
    if (order !== 0) return order;
  }
  if (x.pre.length === 0 || y.pre.length === 0) return Math.sign(y.pre.length - x.pre.length);
  for (const [index, left] of x.pre.entries()) {
    const right = y.pre[index];
    if (right === undefined) return 1;
    const [leftIsNumber, rightIsNumber] = [left, right].map((text) => /^[0-9]+$/.test(text));
    if (leftIsNumber !== rightIsNumber) return leftIsNumber ? -1 : 1;
    const order = leftIsNumber
      ? sign(BigInt(left), BigInt(right))
      : Math.sign(Buffer.from(left).compare(Buffer.from(right)));
    if (order !== 0) return order;
  }
  return Math.sign(x.pre.length - y.pre.length);
}

function sign(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

describe("order", () => {
  it("is SemVer's", () => {
    fc.assert(
      fc.property(generated, generated, (a, b) => {
        expect(compareVersions(a, b)).toBe(precedence(a, b));
      }),
      { numRuns: 2_000 },
    );
  });

  it("has keys whose bytes are in the same order", () => {
    fc.assert(
      fc.property(generated, generated, (a, b) => {
        const [x, y] = [a, b].map((text) => Buffer.from(parseVersion(text)?.key ?? ""));
        expect(x && y && Math.sign(x.compare(y))).toBe(compareVersions(a, b));
      }),
    );
  });

  it("is that in which they are sorted", () => {
    fc.assert(
      fc.property(fc.array(generated, { maxLength: 30 }), (versions) => {
        expect(sortVersions(versions)).toEqual([...versions].sort(precedence));
        expect(latestVersion(versions)).toBe([...versions].sort(precedence).at(-1));
        const stable = versions.filter((text) => !isPrerelease(text));
        expect(latestStableVersion(versions)).toBe(stable.sort(precedence).at(-1));
      }),
    );
  });
});

describe("sorting", () => {
  it("sorts items by their versions, and keeps the order of equals", () => {
    const items = [{ v: "1.0.0+b" }, { v: "2.0.0-a" }, { v: "1.0.0+a" }, { v: "1.0.0-z" }];
    expect(sortByVersion(items, ({ v }) => v).map(({ v }) => v)).toEqual([
      ...["1.0.0-z", "1.0.0+b", "1.0.0+a", "2.0.0-a"],
    ]);
  });

  it("takes each version apart once, of 200,000", () => {
    const versions = Array.from({ length: 200_000 }, (_, index) => {
      const mixed = (index * 7_919) % 200_003;
      return `${mixed % 3}.${mixed % 101}.${mixed % 997}${mixed % 4 === 0 ? `-rc.${mixed % 13}` : ""}`;
    });
    let asked = 0;
    const sorted = sortByVersion(versions, (text) => {
      asked++;
      return text;
    });
    expect(asked).toBe(200_000);
    expect(sorted).toHaveLength(200_000);
    expect(sorted[0]).toBe("0.0.0-rc.0");
    expect(
      sorted.every((text, index) => index === 0 || compareVersions(sorted[index - 1] ?? "", text) <= 0),
    ).toBe(true);
  });

  it.each([
    [[], undefined, undefined],
    [["1.0.0-rc"], "1.0.0-rc", undefined],
    [["1.0.0", "1.1.0-rc", "0.9.0"], "1.1.0-rc", "1.0.0"],
    [["1.9.0", "1.10.0"], "1.10.0", "1.10.0"],
  ])("finds the latest of %j", (versions, latest, stable) => {
    expect(latestVersion(versions)).toBe(latest);
    expect(latestStableVersion(versions)).toBe(stable);
  });

  it("refuses what is no version", () => {
    expect(() => sortVersions(["1.0"])).toThrow(RangeError);
    expect(() => latestVersion(["1.0.0", "x"])).toThrow(RangeError);
  });
});
