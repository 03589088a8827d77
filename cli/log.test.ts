import { expect, it } from "vitest";
import { formatLine } from "./log.ts";

const time = Date.UTC(2026, 0, 2, 3, 4, 5);
const clock = new Date(time).toTimeString().slice(0, 8);

it.each<[entry: object, text: string]>([
  [{ level: 30, time, msg: "built" }, `${clock} info  built`],
  [{ level: 40, time, msg: "slow", package: "foo", count: 2 }, `${clock} warn  slow package=foo count=2`],
  [
    { level: 50, time, msg: "failed", err: { message: "no route", stack: "at ..." } },
    `${clock} error failed error="no route"`,
  ],
  [{ level: 30, time, deep: { a: 1 } }, `${clock} info   deep={"a":1}`],
  [{ level: 35, time, msg: "x" }, `${clock} 35    x`],
])("%j", (entry, text) => {
  expect(formatLine(JSON.stringify(entry))).toBe(text);
});

it("is one line without control characters, whatever is in it", () => {
  const hostile = "x\n12:00:00 info forged\u001b[2J\u009b2J";
  const line = formatLine(
    JSON.stringify({ level: 30, time, msg: hostile, path: hostile, err: { message: hostile } }),
  );
  expect(line).not.toMatch(/\p{Cc}/u);
});
