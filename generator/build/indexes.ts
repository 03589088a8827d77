/** `names` and `versions` from rows. */
import { isAffected } from "../../hex/advisories/ranges.ts";
import type { RepositoryName } from "../../hex/ids.ts";
import { sortByVersion } from "../../hex/versions/sort.ts";
import type { RegistryNames, RegistryVersions } from "../../proto/registry.ts";
import { secondsAndNanos } from "../../schemas/time.ts";
import type { IndexRow } from "../../store/queries/registry.ts";
import { compareText } from "./order.ts";

/** @returns the rows in the byte order of their names, which both files share. */
export function sortIndexRows(rows: readonly IndexRow[]): readonly IndexRow[] {
  return [...rows].sort((a, b) => compareText(a.name, b.name));
}

/** @param rows in the order of {@link sortIndexRows} */
export function buildNames(
  repository: RepositoryName,
  revision: number,
  rows: readonly IndexRow[],
): RegistryNames {
  return {
    repository,
    packages: rows.map((row) => ({ name: row.name, updatedAt: secondsAndNanos(row.updatedAt) })),
    revision,
  };
}

/** @param rows in the order of {@link sortIndexRows} */
export function buildVersions(
  repository: RepositoryName,
  revision: number,
  rows: readonly IndexRow[],
): RegistryVersions {
  return {
    repository,
    packages: rows.map((row) => {
      const order = sortByVersion([...row.versions.keys()], (index) => row.versions[index] ?? "");
      return {
        name: row.name,
        versions: order.map((index) => row.versions[index] ?? ""),
        retired: order.flatMap((index, position) => (row.retired[index] ? [position] : [])),
        withAdvisories: order.flatMap((index, position) =>
          row.advisories?.some(({ affected }) => isAffected(row.versions[index] ?? "", affected))
            ? [position]
            : [],
        ),
      };
    }),
    revision,
  };
}
