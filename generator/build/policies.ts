/** The policies of a repository as objects. Pure. */
import { objectKey, type RepositoryObject } from "../../hex/keys.ts";
import { encodePolicy, type RegistryPolicy } from "../../proto/policy.ts";
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
      overrides: entry.overrides.map(({ action, package: name, requirement }) => ({
        action,
        ref: { package: name, ...(requirement === undefined ? {} : { requirement }) },
      })),
    })),
    revision,
  };
}

type Restriction = NonNullable<PolicyRow["document"]["repositories"][number]["restriction"]>;

function restrictionOf({ advisory_min_severity, retirement_reasons, cooldown }: Restriction) {
  return {
    ...(advisory_min_severity === undefined ? {} : { advisoryMinSeverity: advisory_min_severity }),
    retirementReasons: retirement_reasons,
    ...(cooldown === undefined ? {} : { cooldown }),
  };
}
