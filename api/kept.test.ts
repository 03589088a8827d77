import { expect, it } from "vitest";
import { Kept } from "./kept.ts";

const MEBIBYTE = 1 << 20;

it("gives what was kept under the same stamp alone", () => {
  const kept = new Kept<{ length: number }>(({ length }) => length);
  const value = { length: 1 };
  kept.keep("a", "1", value);
  expect([kept.get("a", "1"), kept.get("a", "2"), kept.get("b", "1")]).toEqual([value, undefined, undefined]);
  kept.keep("a", "2", value);
  expect([kept.get("a", "1"), kept.get("a", "2")]).toEqual([undefined, value]);
});

it("forgets what was not used for longest when it becomes too much", () => {
  const kept = new Kept<{ length: number }>(({ length }) => length);
  const names = Array.from({ length: 100 }, (_, index) => `n${index}`);
  for (const name of names) {
    kept.keep(name, "", { length: MEBIBYTE });
    expect(kept.get("n0", "")).toBeDefined();
  }
  const left = names.filter((name) => kept.get(name, "") !== undefined);
  expect(left).toEqual(["n0", ...names.slice(100 - left.length + 1)]);
  expect(left.length).toBe(63);
});
