/** Registry messages of every shape for property tests; not necessarily ones that a registry would publish. */
import fc from "fast-check";
import type { AdvisorySeverity, RetirementReason } from "../../proto/enums.ts";
import type {
  RegistryAdvisory,
  RegistryDependency,
  RegistryNames,
  RegistryPackage,
  RegistryRelease,
  RegistryVersions,
} from "../../proto/registry.ts";
import type { RegistryTimestamp } from "../../proto/wire.ts";

const text = fc.string({ unit: "binary", maxLength: 12 });
const bytes = fc.uint8Array({ maxLength: 40 });
const int32 = fc.oneof(fc.nat(9), fc.integer());
// The codec must carry numbers that have no name yet.
const reason = fc.constantFrom<RetirementReason[]>(
  "other",
  "invalid",
  "security",
  "deprecated",
  "renamed",
  5,
  300,
);
const severity = fc.constantFrom<AdvisorySeverity[]>("none", "low", "medium", "high", "critical", 5, 300);
const revision = fc.maxSafeNat();

const timestamp: fc.Arbitrary<RegistryTimestamp> = fc.record({
  seconds: fc.oneof(fc.nat(2_000_000_000), fc.maxSafeInteger()),
  nanos: fc.nat(999_999_999),
});

export const namesMessages: fc.Arbitrary<RegistryNames> = fc.record(
  {
    repository: text,
    packages: fc.array(
      fc.record({ name: text, updatedAt: timestamp }, { requiredKeys: ["name"], noNullPrototype: true }),
      {
        maxLength: 5,
      },
    ),
    revision,
  },
  { requiredKeys: ["repository", "packages"], noNullPrototype: true },
);

export const versionsMessages: fc.Arbitrary<RegistryVersions> = fc.record(
  {
    repository: text,
    packages: fc.array(
      fc.record({
        name: text,
        versions: fc.array(text, { maxLength: 5 }),
        retired: fc.array(int32, { maxLength: 5 }),
        withAdvisories: fc.array(int32, { maxLength: 5 }),
      }),
      { maxLength: 5 },
    ),
    revision,
  },
  { requiredKeys: ["repository", "packages"], noNullPrototype: true },
);

const dependency: fc.Arbitrary<RegistryDependency> = fc.record(
  { package: text, requirement: text, optional: fc.boolean(), app: text, repository: text },
  { requiredKeys: ["package", "requirement"], noNullPrototype: true },
);

const release: fc.Arbitrary<RegistryRelease> = fc.record(
  {
    version: text,
    innerChecksum: bytes,
    outerChecksum: bytes,
    dependencies: fc.array(dependency, { maxLength: 4 }),
    retired: fc.record({ reason, message: text }, { requiredKeys: ["reason"], noNullPrototype: true }),
    advisoryIndexes: fc.array(fc.oneof(fc.nat(9), fc.integer({ min: 0, max: 0xffff_ffff })), {
      maxLength: 4,
    }),
    publishedAt: timestamp,
  },
  { requiredKeys: ["version", "innerChecksum", "dependencies", "advisoryIndexes"], noNullPrototype: true },
);

const advisory: fc.Arbitrary<RegistryAdvisory> = fc.record(
  {
    id: text,
    summary: text,
    htmlUrl: text,
    severity,
    cvssScore: fc.float(),
    apiUrl: text,
    aliases: fc.array(text, { maxLength: 3 }),
  },
  { requiredKeys: ["id", "summary", "htmlUrl", "apiUrl", "aliases"], noNullPrototype: true },
);

export const packageMessages: fc.Arbitrary<RegistryPackage> = fc.record(
  {
    repository: text,
    name: text,
    releases: fc.array(release, { maxLength: 5 }),
    advisories: fc.array(advisory, { maxLength: 3 }),
    revision,
  },
  { requiredKeys: ["repository", "name", "releases", "advisories"], noNullPrototype: true },
);
