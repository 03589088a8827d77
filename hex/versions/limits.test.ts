import { describe, expect, it } from "vitest";
import { versionProblem } from "./limits.ts";

const NUMERIC = "numeric components must be at most 99999999999999";
const PRE = "prerelease must be at most 64 characters";
const BUILD = "build number not allowed";

describe("8.4: versionProblem", () => {
  it.each([
    ["1.0.0", undefined],
    ["1.0.0-rc.1", undefined],
    ["99999999999999.99999999999999.99999999999999-99999999999999", undefined],
    ["1.0", "is invalid SemVer"],
    ["", "is invalid SemVer"],
    ["1.0.0\n", "is invalid SemVer"],
    ["1.0.0+b", BUILD],
    ["1.0.0-a+b", BUILD],
    ["100000000000000.0.0", NUMERIC],
    ["0.100000000000000.0", NUMERIC],
    ["0.0.100000000000000", NUMERIC],
    ["0.0.0-a.100000000000000", NUMERIC],
    ["0.0.0-a100000000000000", undefined],
    [`${"9".repeat(500_000)}.0.0`, NUMERIC],
    [`1.0.0-${"a".repeat(64)}`, undefined],
    [`1.0.0-${"a".repeat(65)}`, PRE],
    [`1.0.0-${"a.".repeat(32)}a`, PRE],
    ["100000000000000.0.0+b", NUMERIC],
    [`1.0.0-${"9".repeat(65)}+b`, PRE],
  ])("says of case %# what is wrong", (text, message) => {
    expect(versionProblem(text)).toBe(message);
  });
});
