import { describe, expect, it } from "vitest";
import { parsePolicyFile } from "./policy-file.ts";

const WHOLE = `
organization: acme
name: production
description: What may run on our servers
visibility: public
repositories:
  - repository: hexpm
    restriction:
      advisory_min_severity: high
      retirement_reasons: [security, invalid]
      cooldown: 7d
    overrides:
      - { action: allow, package: plug, requirement: "~> 1.16" }
      - action: deny
        package: left_pad
`;

describe("a policy as a file", () => {
  it("is read whole", () => {
    expect(parsePolicyFile(WHOLE)).toEqual({
      organization: "acme",
      name: "production",
      description: "What may run on our servers",
      visibility: "public",
      repositories: [
        {
          repository: "hexpm",
          restriction: {
            advisory_min_severity: "high",
            retirement_reasons: ["security", "invalid"],
            cooldown: "7d",
          },
          overrides: [
            { action: "allow", package: "plug", requirement: "~> 1.16" },
            { action: "deny", package: "left_pad" },
          ],
        },
      ],
    });
  });

  it("may be JSON, is private unless it says otherwise, and may forbid nothing", () => {
    expect(parsePolicyFile('{"organization":"acme","name":"a"}')).toEqual({
      organization: "acme",
      name: "a",
      visibility: "private",
      repositories: [],
    });
  });

  const base = "organization: acme\nname: a\n";
  it.each([
    ["", ["the policy: invalid input: expected object, received null"]],
    ["name: a", ["organization: is missing"]],
    [`${base}visibility: secret`, ['visibility: invalid option: expected one of "private"|"public"']],
    [`${base}visiblity: public`, ["the policy has no field visiblity"]],
    ["organization: acme\nname: A/b", ["name: holds a-z, 0-9, _ and - alone"]],
    ...["7days", "12h", "1y", "+5d", "5", "d"].map((cooldown): [string, string[]] => [
      `${base}repositories: [{repository: hexpm, restriction: {cooldown: "${cooldown}"}}]`,
      ["repositories[1].restriction.cooldown: is 0, or a number of d, w or mo, such as 7d"],
    ]),
    [
      `${base}repositories: [{repository: hexpm, overrides: [{action: allow, package: Plug}]}]`,
      ["repositories[1].overrides[1].package: is no package name"],
    ],
    [
      `${base}repositories: [{repository: hexpm, overrides: [{package: plug}]}]`,
      [expect.stringMatching(/^repositories\[1\]\.overrides\[1\]\.action: /)],
    ],
    ["name: [", [expect.stringMatching(/at line 1, column/)]],
    ["name: a\nname: b", [expect.stringMatching(/unique/)]],
    ["x".repeat(1_100_000), [expect.stringMatching(/^has more than/)]],
  ])("is refused by field: %j", (text, problems) => {
    expect(parsePolicyFile(text)).toEqual(problems);
  });

  it("is no bomb: aliases of aliases", () => {
    const levels = Array.from({ length: 9 }, (_, level) =>
      level === 0
        ? "a0: &a0 [x, x, x, x, x, x, x, x, x]"
        : `a${level}: &a${level} [${Array(9)
            .fill(`*a${level - 1}`)
            .join(", ")}]`,
    );
    expect(parsePolicyFile(levels.join("\n"))).toEqual([expect.stringMatching(/alias/i)]);
  });
});
