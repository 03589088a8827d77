import { describe, expect, it } from "vitest";
import { requirementProblem } from "./limits.ts";
import { isValidRequirement, matches, parseRequirement } from "./requirement.ts";
import { parsedVersion } from "./version.ts";

describe("11.2: parseRequirement", () => {
  it.each([
    "1.0.0",
    "== 1.0.0",
    "!= 1.0.0",
    "! 1.0.0",
    "!1.0.0",
    "> 1.0.0",
    ">=1.0.0",
    "<1.0.0",
    "<= 1.0.0",
    "~> 1.0",
    "~>1.0",
    "~> 1.0.0",
    "~> 1.0-rc",
    "~> 1.0-rc.1.2",
    "~> 1.0+b",
    "~> 1.0-rc+b",
    "1.0.0+b",
    ">= 1.0.0-rc",
    " >=  1.0.0 ",
    ">= 1.0.0 and < 2.0.0",
    "~> 1.0 or  ~> 2.0   and != 2.1.0",
  ])("accepts %j", (text) => {
    expect(parseRequirement(text)?.text).toBe(text);
    expect(isValidRequirement(text)).toBe(true);
  });

  it.each([
    "",
    " ",
    "~> 1",
    "~> 1.",
    "~> 1.0.",
    "~> 1.0-",
    "~> 1.0.0.0",
    "~> 01.0",
    "~> 1.00",
    "~> 1.0-01",
    "~> -1.0",
    ">= 1.0",
    "1.0",
    "= 1.0.0",
    "== 1.0",
    "> = 1.0.0",
    "! = 1.0.0",
    "!! 1.0.0",
    "!== 1.0.0",
    "=> 1.0.0",
    "^ 1.0.0",
    "^1.0.0",
    "*",
    "1.x",
    "1.0.x",
    "v1.0.0",
    "(1.0.0)",
    "1.0.0, 2.0.0",
    "1.0.0 || 2.0.0",
    "1.0.0 && 2.0.0",
    "1.0.0 2.0.0",
    "and",
    "and 1.0.0",
    "1.0.0 and",
    "1.0.0 or",
    "1.0.0 or or 2.0.0",
    "1.0.0 and or 2.0.0",
    "1.0.0 AND 2.0.0",
    "1.0.0 Or 2.0.0",
    "1.0.0 and<2.0.0",
    "1.0.0and 2.0.0",
    ">=1.0.0<2.0.0",
    ">= >= 1.0.0",
    ">=",
    ">=\t1.0.0",
    "1.0.0\tand 2.0.0",
    "1.0.0 and\n2.0.0",
    "1.0.0\n",
    "\t1.0.0",
    "\u00a01.0.0",
    "1.0.0+a+b",
  ])("refuses %j", (text) => {
    expect(parseRequirement(text)).toBeUndefined();
    expect(isValidRequirement(text)).toBe(false);
  });

  it("takes a long one without a deep stack", () => {
    const text = Array(20_000).fill("!= 1.0.0").join(" and ");
    expect(matches(parse(text), "1.0.1")).toBe(true);
    expect(parseRequirement(`${text} and`)).toBeUndefined();
  });
});

function parse(text: string) {
  const requirement = parseRequirement(text);
  if (requirement === undefined) throw new Error(`no requirement: ${text}`);
  return requirement;
}

describe("11.2: matching with pre-releases", () => {
  it.each<[string, string, string]>([
    [
      "~> 1.2",
      "1.2.0 1.2.1 1.3.0 1.10.0 1.3.0-a 1.99.0-rc",
      "1.1.9 1.2.0-a 2.0.0 2.0.0-a 2.0.0-0 11.2.0 0.2.0",
    ],
    ["~> 1.2.3", "1.2.3 1.2.4 1.2.10 1.2.4-a", "1.2.2 1.2.3-a 1.3.0 1.3.0-a 1.3.0-0 1.20.3 2.2.3"],
    ["~> 1.0-rc", "1.0.0-rc 1.0.0-rc.1 1.0.0 1.5.0-a 1.5.0", "1.0.0-beta 2.0.0 2.0.0-rc 0.9.0"],
    ["~> 1.2.0-rc", "1.2.0-rc 1.2.0 1.2.5 1.2.5-a", "1.2.0-beta 1.3.0 1.3.0-rc"],
    ["~> 0.0", "0.0.0 0.5.0", "0.0.0-a 1.0.0"],
    ["~> 9007199254740993.0", "9007199254740993.1.0", "9007199254740992.1.0 9007199254740994.0.0"],
    ["~> 1.2+b", "1.2.0 1.9.0+c", "2.0.0"],
    ["< 2.0.0", "2.0.0-rc.1 1.9.9 0.0.0-0", "2.0.0 2.0.1-a"],
    ["<= 2.0.0", "2.0.0 2.0.0+b 2.0.0-rc", "2.0.1-a"],
    [">= 1.0.0", "1.0.0 1.1.0-dev 2.0.0", "1.0.0-rc.1 0.9.9"],
    ["> 1.0.0", "1.0.1-a 1.0.1", "1.0.0 1.0.0+b 1.0.0-rc"],
    ["> 1.0.0-rc", "1.0.0 1.0.0-rc.1", "1.0.0-rc"],
    ["1.0.0", "1.0.0 1.0.0+b", "1.0.1 1.0.0-a"],
    ["== 1.0.0+a", "1.0.0 1.0.0+b", "1.0.1"],
    ["!= 1.0.0", "1.0.1 1.0.0-a", "1.0.0 1.0.0+b"],
    ["! 1.0.0", "1.0.1", "1.0.0"],
    [">= 1.0.0 and < 1.1.0", "1.0.0 1.0.9", "0.9.0 1.1.0"],
    ["1.0.0 or 2.0.0", "1.0.0 2.0.0", "1.1.0"],
    ["1.0.0 or 2.0.0 and 3.0.0", "1.0.0", "2.0.0 3.0.0"],
    ["1.0.0 and 2.0.0 or 3.0.0", "3.0.0", "1.0.0 2.0.0"],
    ["> 1.0.0 and < 2.0.0 or > 3.0.0 and < 4.0.0", "1.5.0 3.5.0", "2.5.0 4.5.0"],
  ])("%s", (requirement, accepted, refused) => {
    const parsed = parse(requirement);
    for (const text of accepted.split(" ")) expect([text, matches(parsed, text)]).toEqual([text, true]);
    for (const text of refused.split(" ")) expect([text, matches(parsed, text)]).toEqual([text, false]);
  });
});

describe("11.2: matching without pre-releases", () => {
  it.each([
    [">= 1.0.0", false],
    [">= 1.0.0 and < 2.0.0-a", false],
    ["~> 1.0", false],
    ["~> 1.5.0", false],
    ["> 1.0.0", false],
    ["< 2.0.0", true],
    ["<= 2.0.0", true],
    ["!= 1.0.0", true],
    ["== 1.5.0-rc.1", true],
    [">= 1.0.0-a and < 2.0.0", true],
    ["~> 1.0-a", true],
    ["> 1.0.0-a", true],
    ["~> 1.0 or < 2.0.0", true],
  ])("1.5.0-rc.1 and %s", (requirement, is) => {
    expect(matches(parse(requirement), "1.5.0-rc.1", { allowPre: false })).toBe(is);
  });

  it("makes no difference to releases", () => {
    expect(matches(parse("~> 1.0"), parsedVersion("1.5.0"), { allowPre: false })).toBe(true);
  });

  it("refuses what is no version", () => {
    expect(() => matches(parse("~> 1.0"), "1.5")).toThrow(RangeError);
  });
});

describe("8.4, 11.2: requirementProblem", () => {
  it.each([
    ["~> 1.0", undefined],
    [">= 1.0.0 and < 2.0.0", undefined],
    ["1.0", 'invalid requirement: "1.0"'],
    ["", 'invalid requirement: ""'],
    ['"', 'invalid requirement: "\\""'],
    ["!= 1.0", 'invalid requirement: "!= 1.0"'],
    ["!= 1.0.0", 'invalid requirement: "!= 1.0.0", != is not allowed in requirements'],
    ["~> 1.0 and !=1.1.0", 'invalid requirement: "~> 1.0 and !=1.1.0", != is not allowed in requirements'],
    ["~> 1.0 and ! 1.1.0", 'invalid requirement: "~> 1.0 and ! 1.1.0"'],
  ])("says of %j %s", (text, message) => {
    expect(requirementProblem(text)).toBe(message);
  });
});
