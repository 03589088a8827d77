/** The rows that registry files are made of, read for the generator in one snapshot. */
import type { PackageName, RepositoryName, Sha256, Version } from "../../hex/ids.ts";
import type { Micros } from "../../schemas/time.ts";
import type { Queryable, Sql } from "../postgres/pool.ts";
import { type PackageAdvisory, packageAdvisories } from "./advisories.ts";

export interface RepositoryRow {
  readonly id: number;
  readonly name: RepositoryName;
  readonly public: boolean;
  readonly revision: number;
}

export type RetirementReason = "other" | "invalid" | "security" | "deprecated" | "renamed";

export interface RequirementRow {
  readonly repository: RepositoryName;
  readonly package: PackageName;
  readonly app: string;
  readonly requirement: string;
  readonly optional: boolean;
}

export interface ReleaseRow {
  readonly version: Version;
  readonly innerChecksum: Sha256;
  readonly outerChecksum: Sha256;
  /** Where the private store keeps the tarball. */
  readonly blobKey: string;
  readonly docs: { readonly blobKey: string; readonly checksum: Sha256 } | null;
  readonly retirement: { readonly reason: RetirementReason; readonly message: string | null } | null;
  readonly insertedAt: Micros;
  readonly requirements: readonly RequirementRow[];
}

/** A package with its releases in no particular order; a package that is gone has none. */
export interface PackageRow {
  readonly name: PackageName;
  readonly revision: number;
  readonly releases: readonly ReleaseRow[];
  /** What stands against the package, by id; absent: nothing. */
  readonly advisories?: readonly PackageAdvisory[];
}

/** What the index files hold of a package. The arrays run in parallel, in no particular order. */
export interface IndexRow {
  readonly name: PackageName;
  readonly updatedAt: Micros;
  readonly versions: readonly Version[];
  readonly retired: readonly boolean[];
  readonly advisories?: readonly PackageAdvisory[];
}

export async function repositoryByName(sql: Queryable, name: string): Promise<RepositoryRow | undefined> {
  const [row] = await sql<RepositoryRow[]>`
    select id, name, public, revision from repositories where name = ${name}`;
  return row;
}

export async function repositoryById(sql: Queryable, id: number): Promise<RepositoryRow | undefined> {
  const [row] = await sql<RepositoryRow[]>`
    select id, name, public, revision from repositories where id = ${id}`;
  return row;
}

export function allRepositories(sql: Queryable): Promise<readonly RepositoryRow[]> {
  return sql<RepositoryRow[]>`select id, name, public, revision from repositories order by name`;
}

/** @returns the names of all packages that have ever been there, live or gone. */
export async function allPackageNames(sql: Queryable, repositoryId: number): Promise<readonly PackageName[]> {
  const rows = await sql<{ name: PackageName }[]>`
    select name from package_revisions where repository_id = ${repositoryId} order by name collate "C"`;
  return rows.map((row) => row.name);
}

/** A release by name, without its contents. */
export interface ReleaseName {
  readonly package: PackageName;
  readonly version: Version;
  readonly docs: boolean;
}

/** @returns every release of these packages, in no particular order. */
export function releaseNames(
  sql: Queryable,
  repositoryId: number,
  names: readonly PackageName[],
): Promise<readonly ReleaseName[]> {
  return sql<ReleaseName[]>`
    select p.name as package, r.version, r.docs_blob_key is not null as docs
    from packages p join releases r on r.package_id = p.id
    where p.repository_id = ${repositoryId} and p.name = any(${names as PackageName[]})`;
}

interface ReleaseQueryRow extends Omit<ReleaseRow, "requirements" | "docs" | "retirement"> {
  readonly id: number;
  readonly package: PackageName;
  readonly docsBlobKey: string | null;
  readonly docsChecksum: Sha256 | null;
  readonly retirementReason: RetirementReason | null;
  readonly retirementMessage: string | null;
}

/** @returns one row for each name asked for, in that order. */
export async function packageRows(
  sql: Queryable,
  repositoryId: number,
  names: readonly PackageName[],
): Promise<readonly PackageRow[]> {
  if (names.length === 0) return [];
  const list = names as PackageName[];
  const revisions = await sql<{ name: PackageName; revision: number }[]>`
    select name, revision from package_revisions
    where repository_id = ${repositoryId} and name = any(${list})`;
  const releases = await sql<ReleaseQueryRow[]>`
    select r.id, p.name as package, r.version, encode(r.inner_checksum, 'hex') as "innerChecksum",
      encode(r.outer_checksum, 'hex') as "outerChecksum", r.blob_key as "blobKey",
      r.docs_blob_key as "docsBlobKey", encode(r.docs_checksum, 'hex') as "docsChecksum",
      r.retirement_reason as "retirementReason", r.retirement_message as "retirementMessage",
      r.inserted_at as "insertedAt"
    from packages p join releases r on r.package_id = p.id
    where p.repository_id = ${repositoryId} and p.name = any(${list})`;
  const requirements = await sql<(RequirementRow & { releaseId: number })[]>`
    select q.release_id as "releaseId", q.repository, q.package, q.app, q.requirement, q.optional
    from packages p join releases r on r.package_id = p.id join requirements q on q.release_id = r.id
    where p.repository_id = ${repositoryId} and p.name = any(${list})`;

  const advisories = groupBy(await packageAdvisories(sql, repositoryId, list), (row) => row.package);
  const byRelease = groupBy(requirements, (row) => row.releaseId);
  const byPackage = groupBy(releases, (row) => row.package);
  const revisionOf = new Map(revisions.map((row) => [row.name, row.revision]));
  return names.map((name) => ({
    name,
    revision: revisionOf.get(name) ?? 0,
    releases: (byPackage.get(name) ?? []).map((row) => releaseRow(row, byRelease.get(row.id) ?? [])),
    ...advisoriesOf(advisories, name),
  }));
}

function groupBy<Row, Key>(rows: Iterable<Row>, keyOf: (row: Row) => Key): Map<Key, Row[]> {
  const groups = new Map<Key, Row[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group) group.push(row);
    else groups.set(keyOf(row), [row]);
  }
  return groups;
}

function releaseRow(row: ReleaseQueryRow, requirements: readonly RequirementRow[]): ReleaseRow {
  const { docsBlobKey, docsChecksum, retirementReason, retirementMessage } = row;
  return {
    version: row.version,
    innerChecksum: row.innerChecksum,
    outerChecksum: row.outerChecksum,
    blobKey: row.blobKey,
    insertedAt: row.insertedAt,
    docs:
      docsBlobKey === null || docsChecksum === null ? null : { blobKey: docsBlobKey, checksum: docsChecksum },
    retirement: retirementReason === null ? null : { reason: retirementReason, message: retirementMessage },
    requirements,
  };
}

/** @returns those of the packages that have a release, in no particular order. */
export async function indexRows(
  sql: Queryable,
  repositoryId: number,
  names: readonly PackageName[],
): Promise<readonly IndexRow[]> {
  if (names.length === 0) return [];
  const list = names as PackageName[];
  const rows = await sql<IndexRow[]>`
    select ${indexColumns(sql)} from packages p join releases r on r.package_id = p.id
    where p.repository_id = ${repositoryId} and p.name = any(${list}) group by p.id`;
  const advisories = groupBy(await packageAdvisories(sql, repositoryId, list), (row) => row.package);
  return rows.map((row) => ({ ...row, ...advisoriesOf(advisories, row.name) }));
}

/** Packages of {@link allIndexRows} that are read at once. */
const ROWS_AT_ONCE = 1_000;

/** Every package that has a release, in the byte order of their names; few of them are held at a time. */
export async function* allIndexRows(tx: Queryable, repositoryId: number): AsyncGenerator<IndexRow> {
  const advisories = groupBy(await packageAdvisories(tx, repositoryId), (row) => row.package);
  const rows = tx<IndexRow[]>`
    select ${indexColumns(tx)} from packages p join releases r on r.package_id = p.id
    where p.repository_id = ${repositoryId} group by p.id order by p.name collate "C"`;
  for await (const some of rows.cursor(ROWS_AT_ONCE)) {
    for (const row of some) yield { ...row, ...advisoriesOf(advisories, row.name) };
  }
}

const indexColumns = (sql: Queryable) => sql`
  p.name, p.updated_at as "updatedAt", array_agg(r.version) as versions,
  array_agg(r.retirement_reason is not null) as retired`;

function advisoriesOf(
  byPackage: ReadonlyMap<PackageName, readonly PackageAdvisory[]>,
  name: PackageName,
): Pick<PackageRow, "advisories"> {
  const advisories = byPackage.get(name);
  return advisories === undefined ? {} : { advisories };
}

/** Reads in one snapshot, which no write of others changes while it lasts; nothing is locked. */
export function inSnapshot<T>(sql: Sql, read: (tx: Queryable) => Promise<T>): Promise<T> {
  return sql.begin("isolation level repeatable read read only", read) as Promise<T>;
}
