/** A package with all that the API shows of it alone, but for its releases: those are many. */
import type { Queryable } from "../postgres/pool.ts";
import { downloadsColumn, type PackageDownloads } from "./downloads.ts";
import { type ApiPackageRow, packageColumns } from "./packages.ts";
import type { UserReference } from "./users.ts";

export interface FullPackageRow extends ApiPackageRow {
  /** Raised by every change of the package, its releases and their documentation. */
  readonly revision: number;
  /** Null for a package of which none were counted. */
  readonly downloads: PackageDownloads | null;
  /** What everybody sees of the owners, by username. */
  readonly owners: readonly UserReference[];
  /** Another one whenever anything that is said in the package's advisories is another; null without any. */
  readonly advisoriesHash: string | null;
}

export async function fullPackageByName(
  sql: Queryable,
  repositoryId: number,
  name: string,
): Promise<FullPackageRow | undefined> {
  const [row] = await sql<FullPackageRow[]>`
    select ${packageColumns(sql)}, coalesce(v.revision, 0) as revision, ${downloadsColumn(sql)},
      (
        select coalesce(jsonb_agg(jsonb_build_object('username', u.username, 'publicEmail', (
            select e.email from emails e where e.user_id = u.id and e.is_public order by e.id limit 1
          )) order by u.username collate "C"), '[]')
        from package_owners o join users u on u.id = o.user_id where o.package_id = p.id
      ) as owners,
      (
        select md5(string_agg(a::text || q::text, ' ' order by a.id))
        from advisory_packages q join advisories a on a.id = q.advisory_id
        where q.repository_id = p.repository_id and q.package = p.name
      ) as "advisoriesHash"
    from packages p
      left join package_revisions v on v.repository_id = p.repository_id and v.name = p.name
      left join package_downloads d on d.package_id = p.id
    where p.repository_id = ${repositoryId} and p.name = ${name}`;
  return row;
}
