/** The policies of a repository as objects. Pure. */
import { objectKey, type RepositoryObject } from "../../hex/keys.ts";
import { encodePolicy, type PolicyOverride, type RegistryPolicy } from "../../proto/policy.ts";
import type { PolicyRow } from "../../store/queries/policies.ts";
import type { RepositoryRow } from "../../store/queries/registry.ts";
import { type DesiredObject, hashOf, type SigningKey } from "./objects.ts";

export function policyObjects(
  repository: RepositoryRow,
  rows: readonly PolicyRow[],
  key: SigningKey,
): readonly DesiredObject[] {
  return rows.map((row) => {
    const { visibility } = row.document;
    const object: RepositoryObject = { kind: "policy", policy: row.name, visibility };
    const payload = encodePolicy(policyOf(repository, row));
    return {
      key: objectKey(repository, object),
      object,
      package: null,
      payloadHash: hashOf(payload),
      keyFingerprint: key.fingerprint,
      revision: row.revision,
      source: { kind: "sign", payload },
    };
  });
}

function policyOf(
  { name: repository }: RepositoryRow,
  { name, document, revision }: PolicyRow,
): RegistryPolicy {
  const { description, visibility, repositories } = document;
  return {
    repository,
    name,
    ...(description === undefined ? {} : { description }),
    visibility,
    repositories: repositories.map((entry) => ({
      repository: entry.repository,
      ...(entry.restriction === undefined ? {} : { restriction: restrictionOf(entry.restriction) }),
      overrides: entry.overrides.map(overrideOf),
    })),
    revision,
  };
}

type Entry = PolicyRow["document"]["repositories"][number];
type Restriction = NonNullable<Entry["restriction"]>;

function restrictionOf({ advisory_min_severity, retirement_reasons, cooldown }: Restriction) {
  return {
    ...(advisory_min_severity === undefined ? {} : { advisoryMinSeverity: advisory_min_severity }),
    retirementReasons: retirement_reasons,
    ...(cooldown === undefined ? {} : { cooldown }),
  };
}

function overrideOf(override: Entry["overrides"][number]): PolicyOverride {
  const { action, package: name, requirement, comment } = override;
  return {
    action,
    ref: { package: name, ...(requirement === undefined ? {} : { requirement }) },
    ...(override.action === "advisory" ? { advisoryId: override.advisory_id } : {}),
    ...(override.action === "retirement" ? { retirementReason: override.retirement_reason } : {}),
    ...(comment === undefined ? {} : { comment }),
  };
}
