import { describe, expect, it } from "vitest";
import { type Affected, affectedRequirements, isAffected, type RangeEvent } from "./ranges.ts";

const VERSIONS = ["0.0.1", "1.0.0-rc.1", "1.0.0", "1.4.9", "1.5.0-rc.1", "1.5.0", "2.0.0", "2.1.0", "10.0.0"];
const range = (...events: RangeEvent[]): Affected => ({ ranges: [events], versions: [] });

describe("OSV: evaluation", () => {
  it.each<[string, Affected, string[], string[]]>([
    ["all", range({ introduced: "0" }), VERSIONS, [">= 0.0.0"]],
    ["nothing", { ranges: [], versions: [] }, [], []],
    [
      "until it is fixed",
      range({ introduced: "0" }, { fixed: "1.5.0" }),
      ["0.0.1", "1.0.0-rc.1", "1.0.0", "1.4.9", "1.5.0-rc.1"],
      ["< 1.5.0"],
    ],
    [
      "from when it was introduced",
      range({ introduced: "1.0.0" }, { fixed: "1.5.0" }),
      ["1.0.0", "1.4.9", "1.5.0-rc.1"],
      [">= 1.0.0 and < 1.5.0"],
    ],
    ["never fixed", range({ introduced: "2.0.0" }), ["2.0.0", "2.1.0", "10.0.0"], [">= 2.0.0"]],
    [
      "up to the last",
      range({ introduced: "1.0.0" }, { last_affected: "1.5.0" }),
      ["1.0.0", "1.4.9", "1.5.0-rc.1", "1.5.0"],
      [">= 1.0.0 and <= 1.5.0"],
    ],
    [
      "one version",
      range({ introduced: "2.0.0" }, { last_affected: "2.0.0" }),
      ["2.0.0"],
      [">= 2.0.0 and <= 2.0.0"],
    ],
    [
      "twice in one range",
      range({ introduced: "0" }, { fixed: "1.0.0" }, { introduced: "2.0.0" }, { fixed: "2.1.0" }),
      ["0.0.1", "1.0.0-rc.1", "2.0.0"],
      ["< 1.0.0", ">= 2.0.0 and < 2.1.0"],
    ],
    [
      "fixed and introduced again at once",
      range({ introduced: "0" }, { fixed: "1.0.0" }, { introduced: "1.0.0" }, { fixed: "1.5.0" }),
      ["0.0.1", "1.0.0-rc.1", "1.0.0", "1.4.9", "1.5.0-rc.1"],
      ["< 1.0.0", ">= 1.0.0 and < 1.5.0"],
    ],
    [
      "two ranges",
      { ranges: [[{ introduced: "0" }, { fixed: "1.0.0" }], [{ introduced: "10.0.0" }]], versions: [] },
      ["0.0.1", "1.0.0-rc.1", "10.0.0"],
      ["< 1.0.0", ">= 10.0.0"],
    ],
    ["a list", { ranges: [], versions: ["1.0.0", "3.0.0"] }, ["1.0.0"], ["== 1.0.0", "== 3.0.0"]],
    [
      "a list and a range",
      { ranges: [[{ introduced: "2.0.0" }]], versions: ["1.0.0", "2.0.0"] },
      ["1.0.0", "2.0.0", "2.1.0", "10.0.0"],
      [">= 2.0.0", "== 1.0.0"],
    ],
    ["a limit", range({ introduced: "0" }, { limit: "1.0.0" }), ["0.0.1", "1.0.0-rc.1"], [">= 0.0.0"]],
    ["no limit", range({ introduced: "2.0.0" }, { limit: "*" }), ["2.0.0", "2.1.0", "10.0.0"], [">= 2.0.0"]],
  ])("%s", (_, affected, versions, requirements) => {
    expect(VERSIONS.filter((version) => isAffected(version, affected))).toEqual(versions);
    expect(affectedRequirements(affected)).toEqual(requirements);
  });

  it("what is no version is in none", () => {
    expect(isAffected("1.0", range({ introduced: "0" }))).toBe(false);
  });
});
