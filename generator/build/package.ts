/** `packages/NAME` from rows: order, elision and full field set of the Hex specification. */
import type { RepositoryName } from "../../hex/ids.ts";
import { sortByVersion } from "../../hex/versions/sort.ts";
import type { RegistryDependency, RegistryPackage, RegistryRelease } from "../../proto/registry.ts";
import { secondsAndNanos } from "../../schemas/time.ts";
import type { PackageRow, ReleaseRow, RequirementRow } from "../../store/queries/registry.ts";
import { compareOptional, compareText } from "./order.ts";

/** @returns the message, releases in ascending order. */
export function buildPackage(repository: RepositoryName, row: PackageRow): RegistryPackage {
  return {
    repository,
    name: row.name,
    releases: sortByVersion(row.releases, (release) => release.version).map((release) =>
      buildRelease(repository, release),
    ),
    advisories: [],
    revision: row.revision,
  };
}

function buildRelease(repository: RepositoryName, row: ReleaseRow): RegistryRelease {
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
    advisoryIndexes: [],
    publishedAt: secondsAndNanos(row.insertedAt),
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
