import { describe, expect, it } from "vitest";
import type { Finding } from "../generator/check/finding.ts";
import { findingLines, findingPrinter } from "./findings.ts";

const retired: Finding = {
  key: "packages/kiwi",
  difference: "other payload",
  fields: [
    { field: "releases[1.2.0].retired", wanted: { reason: "security" } },
    { field: "revision", stored: 4, wanted: 5 },
  ],
};

describe("a finding", () => {
  it("is a line for each field", () => {
    expect(findingLines(retired)).toEqual([
      'packages/kiwi: releases[1.2.0].retired: the store has nothing, the database says {"reason":"security"}',
      "packages/kiwi: revision: the store has 4, the database says 5",
    ]);
  });

  it("says what was left out, and what a build is to come for", () => {
    expect(findingLines({ ...retired, fields: [], moreFields: 7, pending: true })).toEqual([
      "packages/kiwi: 7 more fields differ (a build is pending)",
    ]);
    expect(findingLines({ key: "names", difference: "missing", pending: true })).toEqual([
      "names: missing (a build is pending)",
    ]);
  });

  it("cuts what is long, and steers no terminal", () => {
    const fields = [{ field: "advisories[A].summary", stored: "x".repeat(500) }];
    const [line] = findingLines({ key: "a\u001b[2J", difference: "other payload", fields });
    expect(line?.length).toBeLessThan(200);
    expect(line).not.toContain("\u001b");
  });
});

it("of many only the first are printed, and the rest is counted", () => {
  const [out, said]: [string[], string[]] = [[], []];
  const terminal = { out: (text: string) => out.push(text), say: (text: string) => said.push(text) };
  const printer = findingPrinter(terminal as never, 2, true);
  for (const key of ["a", "b", "c", "d"]) printer.print({ key, difference: "missing" });
  printer.end();
  expect(out.map((line) => JSON.parse(line).key)).toEqual(["a", "b"]);
  expect(said).toEqual(["... and 2 more; --limit shows more of them"]);
});
