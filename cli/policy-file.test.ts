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
      - { action: advisory, package: cowboy, advisory_id: CVE-2026-1234, comment: not reachable }
      - { action: retirement, package: poison, retirement_reason: security }
      - { action: cooldown, package: acme_client, requirement: ">= 1.0.0 and < 2.0.0" }
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
            { action: "advisory", package: "cowboy", advisory_id: "CVE-2026-1234", comment: "not reachable" },
            { action: "retirement", package: "poison", retirement_reason: "security" },
            { action: "cooldown", package: "acme_client", requirement: ">= 1.0.0 and < 2.0.0" },
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
      ["repositories[1].overrides[1].action: is one of allow, deny, advisory, retirement, cooldown"],
    ],
    ["name: [", [expect.stringMatching(/at line 1, column/)]],
    ["name: a\nname: b", [expect.stringMatching(/unique/)]],
    ["x".repeat(1_100_000), [expect.stringMatching(/^has more than/)]],
  ])("is refused by field: %j", (text, problems) => {
    expect(parsePolicyFile(text)).toEqual(problems);
  });

  // Hex's client leaves each of these out without a word (Hex.Policy.Filter), and lets through what they were to deny.
  const overrides = (...flow: readonly string[]) =>
    `${base}repositories: [{repository: hexpm, overrides: [${flow.map((fields) => `{package: plug, ${fields}}`)}]}]`;
  const at = (field: string) => `repositories[1].overrides[1].${field}`;
  it.each([
    ...["~> one", ">= 1.0.0 < 2.0.0", "1.0", "^1.0"].map((requirement): [string, string] => [
      `action: deny, requirement: "${requirement}"`,
      `${at("requirement")}: is no requirement: write it as in mix.exs, such as ~> 1.2 or >= 1.0.0 and < 2.0.0`,
    ]),
    ["action: advisory", `${at("advisory_id")}: is missing`],
    ["action: advisory, advisory_id: ' '", `${at("advisory_id")}: is blank`],
    ["action: retirement", `${at("retirement_reason")}: `],
    ["action: retirement, retirement_reason: old", `${at("retirement_reason")}: `],
    ["action: deny, advisory_id: CVE-1", "repositories[1].overrides[1] has no field advisory_id"],
    [
      "action: cooldown, retirement_reason: other",
      "repositories[1].overrides[1] has no field retirement_reason",
    ],
    [`action: deny, comment: ${"x".repeat(501)}`, `${at("comment")}: too big`],
    ...["\\u202e", "\\u200b", "\\e", "\\n"].map((unseen): [string, string] => [
      `action: deny, comment: "a${unseen}b"`,
      `${at("comment")}: holds a character that cannot be seen: leave it out`,
    ]),
  ])("is refused where clients would not obey it: %s", (fields, problem) => {
    expect(parsePolicyFile(overrides(fields))).toEqual([expect.stringContaining(problem)]);
  });

  it("has one entry for a repository, as clients read no second one", () => {
    const twice = "repositories: [{repository: hexpm}, {repository: acme}, {repository: hexpm}]";
    expect(parsePolicyFile(base + twice)).toEqual([
      "repositories[3].repository: stands in repositories[1] already: put both together, clients read one alone",
    ]);
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
