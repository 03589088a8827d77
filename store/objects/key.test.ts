import { describe, expect, it } from "vitest";
import { assertKey, assertPrefix, compareKeys, isKey } from "./key.ts";

// What is refused stands in the contract suite, for all drivers.
describe("isKey", () => {
  it.each([
    "names",
    "packages/foo",
    "repos/acme/packages/foo",
    "a".repeat(255),
    "..a",
    "a..",
    ".well-known/x",
  ])("accepts %s", (key) => {
    expect(isKey(key)).toBe(true);
    expect(() => assertKey(key)).not.toThrow();
  });

  it("counts bytes of UTF-8", () => {
    expect(isKey("ä".repeat(127))).toBe(true);
    expect(isKey("ä".repeat(128))).toBe(false);
    expect(isKey(`${"a/".repeat(511)}aa`)).toBe(true);
    expect(isKey(`${"a/".repeat(511)}aaa`)).toBe(false);
  });

  it("quotes and shortens the key in its message", () => {
    expect(() => assertKey("a\nb")).toThrow(/^the key "a\\nb" has a control character/);
    expect(() => assertKey(`/${"a".repeat(5_000)}`)).toThrow(/^.{200,300}$/);
  });
});

it.each(["", "a", "a/", "a/b", ".", "a/.", "..", "a/..", "packages/f"])(
  "assertPrefix accepts %j",
  (prefix) => {
    expect(() => assertPrefix(prefix)).not.toThrow();
  },
);

it("compareKeys orders as the bytes of UTF-8 do", () => {
  const keys = [
    "",
    "a",
    "a-",
    "a/",
    "a0",
    "ab",
    "b",
    "\u007f",
    "\u0080",
    "ä",
    "\ud7ff",
    "\ue000",
    "\uffff",
    "😀",
  ];
  const shuffled = [...keys].sort();
  expect(shuffled.sort(compareKeys)).toEqual(keys);
  expect([...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))).toEqual(keys);
});
