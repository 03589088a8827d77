/** What a build is still to come for, so that a difference by that is told from one that nobody will mend. */
import type { PackageName } from "../../hex/ids.ts";
import type { Queryable } from "../postgres/pool.ts";
import type { RepositoryRow } from "./registry.ts";

/**
 * @returns those of the packages that a change names which is not done yet, or an intent that nobody has looked after:
 *   later looks at the same key find it as it should be.
 */
export async function pendingPackages(
  sql: Queryable,
  repository: RepositoryRow,
  names: readonly PackageName[],
): Promise<ReadonlySet<PackageName>> {
  const list = names as PackageName[];
  const rows = await sql<{ package: PackageName }[]>`
    select package from changes
    where repository = ${repository.name} and finished_at is null and package = any(${list})
    union
    select package from intents
    where repository_id = ${repository.id} and package = any(${list}) and look_at is null`;
  return new Set(rows.map((row) => row.package));
}

/** @returns whether any change of the repository is not done yet: each of them is one of its indexes, too. */
export async function hasPendingChanges(sql: Queryable, repository: RepositoryRow): Promise<boolean> {
  const [row] = await sql<{ pending: boolean }[]>`
    select exists (select from changes where repository = ${repository.name} and finished_at is null)
      or exists (
        select from intents where repository_id = ${repository.id} and package is null and look_at is null
      ) as pending`;
  return row?.pending ?? false;
}
