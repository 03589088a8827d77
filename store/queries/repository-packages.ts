/** The packages of a repository, as its organization's page lists them. */
import type { Micros } from "../../schemas/time.ts";
import type { Queryable } from "../postgres/pool.ts";

export interface ListedPackage {
  readonly name: string;
  readonly latestVersion: string | null;
  /** When that was. */
  readonly publishedAt: Micros | null;
}

/** @returns them by name, at most `limit`. */
export function repositoryPackages(
  sql: Queryable,
  organizationId: number,
  limit: number,
): Promise<readonly ListedPackage[]> {
  return sql<ListedPackage[]>`
    select p.name, l.version as "latestVersion", l.inserted_at as "publishedAt"
    from packages p join repositories r on r.id = p.repository_id left join releases l on l.id = p.latest_release_id
    where r.organization_id = ${organizationId} order by p.name collate "C" limit ${limit}`;
}
