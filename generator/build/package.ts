/** `packages/NAME` from rows: order, elision and full field set of the Hex specification. */
import { advisoryApiUrl, advisoryPageUrl } from "../../hex/advisories/links.ts";
import { isAffected } from "../../hex/advisories/ranges.ts";
import type { RepositoryName } from "../../hex/ids.ts";
import { sortByVersion } from "../../hex/versions/sort.ts";
import type {
  RegistryAdvisory,
  RegistryDependency,
  RegistryPackage,
  RegistryRelease,
} from "../../proto/registry.ts";
import { secondsAndNanos } from "../../schemas/time.ts";
import type { PackageAdvisory } from "../../store/queries/advisories.ts";
import type { PackageRow, ReleaseRow, RequirementRow } from "../../store/queries/registry.ts";
import { compareOptional, compareText } from "./order.ts";

/** @returns the message, releases in ascending order; of the advisories those that a release of the file is in. */
export function buildPackage(repository: RepositoryName, row: PackageRow): RegistryPackage {
  const releases = sortByVersion(row.releases, (release) => release.version);
  const advisories = (row.advisories ?? [])
    .filter(({ affected }) => releases.some(({ version }) => isAffected(version, affected)))
    .sort((a, b) => compareText(a.id, b.id));
  return {
    repository,
    name: row.name,
    releases: releases.map((release) => buildRelease(repository, release, advisories)),
    advisories: advisories.map(buildAdvisory),
    revision: row.revision,
  };
}

function buildRelease(
  repository: RepositoryName,
  row: ReleaseRow,
  advisories: readonly PackageAdvisory[],
): RegistryRelease {
  return {
    version: row.version,
    innerChecksum: Buffer.from(row.innerChecksum, "hex"),
    outerChecksum: Buffer.from(row.outerChecksum, "hex"),
    dependencies: row.requirements
      .map((requirement) => buildDependency(repository, requirement))
      .sort(compareDependencies),
    ...(row.retirement === null
      ? {}
      : {
          retired: {
            reason: row.retirement.reason,
            ...(row.retirement.message === null ? {} : { message: row.retirement.message }),
          },
        }),
    advisoryIndexes: advisories.flatMap(({ affected }, index) =>
      isAffected(row.version, affected) ? [index] : [],
    ),
    publishedAt: secondsAndNanos(row.insertedAt),
  };
}

function buildAdvisory(row: PackageAdvisory): RegistryAdvisory {
  return {
    id: row.id,
    summary: row.summary,
    htmlUrl: advisoryPageUrl(row.id),
    ...(row.cvssRating === null ? {} : { severity: row.cvssRating }),
    ...(row.cvssScore === null ? {} : { cvssScore: row.cvssScore }),
    apiUrl: advisoryApiUrl(row.id),
    aliases: row.aliases,
  };
}

// Gleam takes the presence of `optional` for true, so it is written only when it is.
function buildDependency(repository: RepositoryName, row: RequirementRow): RegistryDependency {
  return {
    package: row.package,
    requirement: row.requirement,
    ...(row.optional ? { optional: true } : {}),
    ...(row.app === row.package ? {} : { app: row.app }),
    ...(row.repository === repository ? {} : { repository: row.repository }),
  };
}

function compareDependencies(a: RegistryDependency, b: RegistryDependency): number {
  return compareOptional(a.repository, b.repository) || compareText(a.package, b.package);
}
