/**
 * A dependency policy as people write it: which releases an organization lets its members resolve. The words are those
 * of the registry's policy.proto.
 */
import { z } from "zod";

// What Hex's client reads. Anything else it takes for no cooldown at all, without a word.
const COOLDOWN = /^(0|[1-9]\d{0,4}(d|w|mo))$/;
const NAME = /^[a-z0-9_][a-z0-9_-]*$/;
const REPOSITORY = /^[a-z0-9_\-.]+$/;
const PACKAGE = /^[a-z][a-z0-9_]*$/;

const text = (most: number) => z.string().min(1).max(most);

const override = z.strictObject({
  action: z.enum(["allow", "deny"]),
  package: z.string().regex(PACKAGE, "is no package name"),
  requirement: text(255).optional(),
});

const restriction = z.strictObject({
  advisory_min_severity: z.enum(["none", "low", "medium", "high", "critical"]).optional(),
  retirement_reasons: z.array(z.enum(["other", "invalid", "security", "deprecated", "renamed"])).default([]),
  cooldown: z.string().regex(COOLDOWN, "is 0, or a number of d, w or mo, such as 7d").optional(),
});

export const policyDocument = z.strictObject({
  name: z.string().max(100).regex(NAME, "holds a-z, 0-9, _ and - alone"),
  organization: z.string().regex(REPOSITORY, "is no organization's name"),
  description: text(1_000).optional(),
  visibility: z.enum(["private", "public"]).default("private"),
  repositories: z
    .array(
      z.strictObject({
        repository: z.string().regex(REPOSITORY, "is no repository's name"),
        restriction: restriction.optional(),
        overrides: z.array(override).max(10_000).default([]),
      }),
    )
    .max(100)
    .default([]),
});

/** What a file holds. */
export type PolicyFile = z.infer<typeof policyDocument>;
/** What is kept of it: name and organization are where it is kept. */
export type PolicyDocument = Omit<PolicyFile, "name" | "organization">;
