/**
 * A dependency policy as people write it: which releases an organization lets its members resolve. The words are those
 * of the registry's policy.proto.
 */
import { z } from "zod";
import { isValidRequirement } from "../hex/versions/requirement.ts";

// What Hex's client reads. Anything else it takes for no cooldown at all, without a word.
const COOLDOWN = /^(0|[1-9]\d{0,4}(d|w|mo))$/;
const NAME = /^[a-z0-9_][a-z0-9_-]*$/;
const REPOSITORY = /^[a-z0-9_\-.]+$/;
const PACKAGE = /^[a-z][a-z0-9_]*$/;

const text = (most: number) => z.string().min(1).max(most);

// Control and format characters, with which a policy could show other text than it holds. Hex leaves out an override that
// has one.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const phrase = text(500)
  .refine((phrase) => phrase.trim() !== "", "is blank")
  .refine((phrase) => !UNSEEN.test(phrase), "holds a character that cannot be seen: leave it out");

const reason = z.enum(["other", "invalid", "security", "deprecated", "renamed"]);

// Hex leaves out an override whose requirement it cannot parse, without a word: a release that was to be denied would be
// let through.
const requirement = text(255).refine(
  isValidRequirement,
  "is no requirement: write it as in mix.exs, such as ~> 1.2 or >= 1.0.0 and < 2.0.0",
);

const matched = {
  package: z.string().regex(PACKAGE, "is no package name"),
  requirement: requirement.optional(),
  comment: phrase.optional(),
};

// What goes with another action makes the override one that Hex leaves out.
const override = z.discriminatedUnion(
  "action",
  [
    z.strictObject({ action: z.enum(["allow", "deny", "cooldown"]), ...matched }),
    z.strictObject({ action: z.literal("advisory"), advisory_id: phrase, ...matched }),
    z.strictObject({ action: z.literal("retirement"), retirement_reason: reason, ...matched }),
  ],
  { error: "is one of allow, deny, advisory, retirement, cooldown" },
);

const restriction = z.strictObject({
  advisory_min_severity: z.enum(["none", "low", "medium", "high", "critical"]).optional(),
  retirement_reasons: z.array(reason).default([]),
  cooldown: z.string().regex(COOLDOWN, "is 0, or a number of d, w or mo, such as 7d").optional(),
});

const repositoryPolicies = z
  .array(
    z.strictObject({
      repository: z.string().regex(REPOSITORY, "is no repository's name"),
      restriction: restriction.optional(),
      overrides: z.array(override).max(10_000).default([]),
    }),
  )
  .max(100)
  .superRefine((entries, context) => {
    const first = new Map<string, number>();
    for (const [index, { repository }] of entries.entries()) {
      const before = first.get(repository);
      if (before === undefined) first.set(repository, index);
      // Hex takes the first and never looks at another.
      else {
        const message = `stands in repositories[${before + 1}] already: put both together, clients read one alone`;
        context.addIssue({ code: "custom", path: [index, "repository"], message });
      }
    }
  });

export const policyDocument = z.strictObject({
  name: z.string().max(100).regex(NAME, "holds a-z, 0-9, _ and - alone"),
  organization: z.string().regex(REPOSITORY, "is no organization's name"),
  description: text(1_000).optional(),
  visibility: z.enum(["private", "public"]).default("private"),
  repositories: repositoryPolicies.default([]),
});

/** What a file holds. */
export type PolicyFile = z.infer<typeof policyDocument>;
/** What is kept of it: name and organization are where it is kept. */
export type PolicyDocument = Omit<PolicyFile, "name" | "organization">;
