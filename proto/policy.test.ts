import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AdvisorySeverity, OverrideAction, PolicyVisibility, RetirementReason } from "./enums.ts";
import { decodePolicy, encodePolicy, type RegistryPolicy } from "./policy.ts";

const text = fc.string({ unit: "binary", maxLength: 12 });
const record = { noNullPrototype: true };

const restriction = fc.record(
  {
    advisoryMinSeverity: fc.constantFrom<AdvisorySeverity[]>("none", "low", "medium", "high", "critical", 5),
    retirementReasons: fc.array(fc.constantFrom<RetirementReason[]>("other", "invalid", "renamed", 5, 300), {
      maxLength: 4,
    }),
    cooldown: text,
  },
  { requiredKeys: ["retirementReasons"], ...record },
);
const override = fc.record(
  {
    action: fc.constantFrom<OverrideAction[]>("allow", "deny", "advisory", "retirement", "cooldown", 5),
    ref: fc.record({ package: text, requirement: text }, { requiredKeys: ["package"], ...record }),
    advisoryId: text,
    retirementReason: fc.constantFrom<RetirementReason[]>("other", "renamed", 5),
    comment: text,
  },
  { requiredKeys: ["action", "ref"], ...record },
);
const repositoryPolicy = fc.record(
  { repository: text, restriction, overrides: fc.array(override, { maxLength: 3 }) },
  { requiredKeys: ["repository", "overrides"], ...record },
);
const policies: fc.Arbitrary<RegistryPolicy> = fc.record(
  {
    repository: text,
    name: text,
    description: text,
    visibility: fc.constantFrom<PolicyVisibility[]>("private", "public", 2),
    repositories: fc.array(repositoryPolicy, { maxLength: 3 }),
    revision: fc.maxSafeNat(),
  },
  { requiredKeys: ["repository", "name", "visibility", "repositories"], ...record },
);

describe("a policy", () => {
  it("comes back as it was", () => {
    fc.assert(
      fc.property(policies, (policy) => {
        expect(decodePolicy(encodePolicy(policy))).toEqual(policy);
      }),
    );
  });

  it("has the field numbers of the Hex specification", () => {
    const bytes = encodePolicy({
      repository: "r",
      name: "n",
      description: "d",
      visibility: "public",
      repositories: [
        {
          repository: "o",
          restriction: { advisoryMinSeverity: "high", retirementReasons: ["security"], cooldown: "7d" },
          overrides: [
            {
              action: "cooldown",
              ref: { package: "p", requirement: "1" },
              advisoryId: "a",
              retirementReason: "renamed",
              comment: "c",
            },
          ],
        },
      ],
    });
    const restriction = "1209 0803 120102 1a023764".replaceAll(" ", "");
    const override = "1a12 0804 1206 0a0170 120131 1a0161 2004 2a0163".replaceAll(" ", "");
    const entry = `2a22 0a016f ${restriction} ${override}`.replaceAll(" ", "");
    expect(Buffer.from(bytes).toString("hex")).toBe(`0a0172 12016e 1a0164 2001 ${entry}`.replaceAll(" ", ""));
  });

  it.each([
    ["nothing", ""],
    ["no visibility", "0a017212016e"],
    ["a name that is not UTF-8", "0a01721201ff2001"],
  ])("is refused with %s", (_, hex) => {
    expect(() => decodePolicy(Buffer.from(hex, "hex"))).toThrow(
      expect.objectContaining({ code: "protobuf_malformed" }),
    );
  });
});
