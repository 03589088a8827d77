/** What `names` and `versions` say of a package, from its row. */
import { isAffected } from "../../hex/advisories/ranges.ts";
import { sortByVersion } from "../../hex/versions/sort.ts";
import type { RegistryNames, RegistryVersions } from "../../proto/registry.ts";
import { secondsAndNanos } from "../../schemas/time.ts";
import type { IndexRow } from "../../store/queries/registry.ts";

export function namesPackage(row: IndexRow): RegistryNames["packages"][number] {
  return { name: row.name, updatedAt: secondsAndNanos(row.updatedAt) };
}

/** @returns versions in ascending order, and where among them the retired and affected ones are. */
export function versionsPackage(row: IndexRow): RegistryVersions["packages"][number] {
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
}
