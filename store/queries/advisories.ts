/** Security advisories: what was imported, and which packages it is about. */
import type { Affected, RangeEvent } from "../../hex/advisories/ranges.ts";
import type { CvssRating } from "../../hex/advisories/rating.ts";
import type { PackageName } from "../../hex/ids.ts";
import type { Micros } from "../../schemas/time.ts";
import type { Queryable, Transaction } from "../postgres/pool.ts";

export interface AdvisoryRow {
  readonly id: string;
  readonly summary: string;
  readonly aliases: readonly string[];
  readonly publishedAt: Micros;
  readonly modifiedAt: Micros;
  readonly withdrawnAt: Micros | null;
  readonly cvssVector: string | null;
  readonly cvssScore: number | null;
  readonly cvssRating: CvssRating | null;
  readonly references: readonly { readonly type: string; readonly url: string }[];
}

/** An advisory with what it says of one package. */
export interface PackageAdvisory extends AdvisoryRow {
  readonly package: PackageName;
  readonly affected: Affected;
}

const advisoryColumns = (sql: Queryable) => sql`
  a.id, a.summary, a.aliases, a.published_at as "publishedAt", a.modified_at as "modifiedAt",
  a.withdrawn_at as "withdrawnAt", a.cvss_vector as "cvssVector", a.cvss_score as "cvssScore",
  a.cvss_rating as "cvssRating", a.reference_urls as "references"`;

/**
 * @param names undefined: all packages
 * @returns what stands against the repository's packages, by id; what was withdrawn does not.
 */
export function packageAdvisories(
  sql: Queryable,
  repositoryId: number,
  names?: readonly string[],
): Promise<readonly PackageAdvisory[]> {
  return sql<PackageAdvisory[]>`
    select ${advisoryColumns(sql)}, p.package,
      jsonb_build_object('ranges', p.ranges, 'versions', to_jsonb(p.versions)) as affected
    from advisory_packages p join advisories a on a.id = p.advisory_id
    where p.repository_id = ${repositoryId} and a.withdrawn_at is null
      ${names === undefined ? sql`` : sql`and p.package = any(${names as string[]})`}
    order by a.id collate "C"`;
}

/** One importer at a time; readers go on. */
export async function lockAdvisories(tx: Transaction): Promise<void> {
  await tx`lock table advisories in share row exclusive mode`;
}

/** Everything that was imported for the repository, withdrawn or not, with the packages of each. */
export async function importedAdvisories(
  tx: Transaction,
  repositoryId: number,
): Promise<
  ReadonlyMap<string, { readonly row: AdvisoryRow; readonly affected: ReadonlyMap<PackageName, Affected> }>
> {
  const rows = await tx<AdvisoryRow[]>`select ${advisoryColumns(tx)} from advisories a`;
  const packages = await tx<
    {
      id: string;
      package: PackageName;
      ranges: readonly (readonly RangeEvent[])[];
      versions: readonly string[];
    }[]
  >`
    select advisory_id as id, package, ranges, versions from advisory_packages
    where repository_id = ${repositoryId}`;
  const affected = new Map<string, Map<PackageName, Affected>>(rows.map((row) => [row.id, new Map()]));
  for (const { id, package: name, ranges, versions } of packages)
    affected.get(id)?.set(name, { ranges, versions });
  return new Map(rows.map((row) => [row.id, { row, affected: affected.get(row.id) ?? new Map() }]));
}

/** Makes the advisory what is given. */
export async function writeAdvisory(
  tx: Transaction,
  repositoryId: number,
  row: AdvisoryRow,
  affected: ReadonlyMap<PackageName, Affected>,
): Promise<void> {
  await tx`
    insert into advisories (id, summary, aliases, published_at, modified_at, withdrawn_at, cvss_vector, cvss_score,
      cvss_rating, reference_urls)
    values (${row.id}, ${row.summary}, ${row.aliases as string[]}, ${row.publishedAt}, ${row.modifiedAt},
      ${row.withdrawnAt}, ${row.cvssVector}, ${row.cvssScore}, ${row.cvssRating}, ${tx.json(row.references as never)})
    on conflict (id) do update set summary = excluded.summary, aliases = excluded.aliases,
      published_at = excluded.published_at, modified_at = excluded.modified_at, withdrawn_at = excluded.withdrawn_at,
      cvss_vector = excluded.cvss_vector, cvss_score = excluded.cvss_score, cvss_rating = excluded.cvss_rating,
      reference_urls = excluded.reference_urls`;
  await tx`delete from advisory_packages where advisory_id = ${row.id} and repository_id = ${repositoryId}`;
  for (const [name, { ranges, versions }] of affected) {
    await tx`
      insert into advisory_packages (repository_id, package, advisory_id, ranges, versions)
      values (${repositoryId}, ${name}, ${row.id}, ${tx.json(ranges as never)}, ${versions as string[]})`;
  }
}

export async function deleteAdvisories(tx: Transaction, ids: readonly string[]): Promise<void> {
  await tx`delete from advisories where id = any(${ids as string[]})`;
}
