import { describe, expect, it } from "vitest";
import { editDistance, nearest } from "./suggest.ts";

const NAMES = ["SKEP_URL", "SKEP_HOST", "SKEP_PORT", "SKEP_CDN", "SKEP_CDN_URL", "SKEP_KEY_SECRET"];

describe("editDistance", () => {
  it.each([
    ["", "", 0],
    ["", "abc", 3],
    ["abc", "abc", 0],
    ["abc", "axc", 1],
    ["abc", "abcd", 1],
    ["abc", "bac", 1],
    ["kitten", "sitting", 3],
  ])("%s and %s: %i", (a, b, distance) => {
    expect([editDistance(a, b), editDistance(b, a)]).toEqual([distance, distance]);
  });
});

describe("nearest", () => {
  it.each([
    ["SKEP_PROT", "SKEP_PORT"],
    ["SKEP_KEYSECRET", "SKEP_KEY_SECRET"],
    ["SKEP_CDN_UR", "SKEP_CDN_URL"],
    ["SKEP_SOMETHING_ELSE", undefined],
    ["X", undefined],
  ])("%s: %s", (text, name) => {
    expect(nearest(text, NAMES)).toBe(name);
  });
});
