/** Releases as the API shows and changes them. */
import type { Sha256 } from "../../hex/ids.ts";
import type { Micros } from "../../schemas/time.ts";
import type { Queryable, Transaction } from "../postgres/pool.ts";
import type { RequirementRow, RetirementReason } from "./registry.ts";

export interface ReleaseMeta {
  readonly app: string;
  readonly build_tools: readonly string[];
  readonly elixir?: string | null;
}

export interface ApiReleaseRow {
  readonly id: number;
  readonly version: string;
  /** SHA-256 of the tarball, lower-case hexadecimal. */
  readonly checksum: Sha256;
  readonly hasDocs: boolean;
  readonly meta: ReleaseMeta;
  readonly retirement: { readonly reason: RetirementReason; readonly message: string | null } | null;
  readonly publisherId: number | null;
  readonly insertedAt: Micros;
  readonly updatedAt: Micros;
}

const apiColumns = (sql: Queryable) => sql`
  id, version, encode(outer_checksum, 'hex') as checksum, docs_blob_key is not null as "hasDocs", meta,
  case when retirement_reason is null then null
    else jsonb_build_object('reason', retirement_reason, 'message', retirement_message) end as retirement,
  publisher_id as "publisherId", inserted_at as "insertedAt", updated_at as "updatedAt"`;

export async function releaseByVersion(
  sql: Queryable,
  packageId: number,
  version: string,
): Promise<ApiReleaseRow | undefined> {
  const [row] = await sql<ApiReleaseRow[]>`
    select ${apiColumns(sql)} from releases where package_id = ${packageId} and version = ${version}`;
  return row;
}

/** @returns the release's requirements by package name. */
export function requirementsOf(sql: Queryable, releaseId: number): Promise<readonly RequirementRow[]> {
  return sql<RequirementRow[]>`
    select repository, package, app, requirement, optional from requirements
    where release_id = ${releaseId} order by package collate "C"`;
}

export interface NewRelease {
  readonly packageId: number;
  readonly version: string;
  readonly innerChecksum: Uint8Array;
  readonly outerChecksum: Sha256;
  readonly blobKey: string;
  readonly meta: ReleaseMeta;
  readonly publisherId: number | null;
  readonly requirements: readonly RequirementRow[];
}

/** Adds a release, and gives it back. The caller holds the package's lock and has looked for the version. */
export async function insertRelease(tx: Transaction, release: NewRelease): Promise<ApiReleaseRow> {
  const [row] = await tx<ApiReleaseRow[]>`
    insert into releases
      (package_id, version, inner_checksum, outer_checksum, blob_key, meta, publisher_id)
    values (${release.packageId}, ${release.version}, ${release.innerChecksum},
      decode(${release.outerChecksum}, 'hex'), ${release.blobKey}, ${tx.json(release.meta as never)},
      ${release.publisherId})
    returning ${apiColumns(tx)}`;
  if (row === undefined) throw new TypeError("insert returned no row");
  await insertRequirements(tx, row.id, release.requirements);
  return row;
}

/**
 * Replaces what a release is made of, and gives it back; when it was published, its docs and its retirement stay.
 * The caller holds the package's lock and has looked for the release.
 */
export async function replaceRelease(
  tx: Transaction,
  id: number,
  release: NewRelease,
): Promise<ApiReleaseRow> {
  const [row] = await tx<ApiReleaseRow[]>`
    update releases set inner_checksum = ${release.innerChecksum},
      outer_checksum = decode(${release.outerChecksum}, 'hex'), blob_key = ${release.blobKey},
      meta = ${tx.json(release.meta as never)}, publisher_id = ${release.publisherId}, updated_at = now()
    where id = ${id} returning ${apiColumns(tx)}`;
  if (row === undefined) throw new TypeError(`no release ${id}`);
  await tx`delete from requirements where release_id = ${id}`;
  await insertRequirements(tx, id, release.requirements);
  return row;
}

async function insertRequirements(
  tx: Transaction,
  id: number,
  rows: readonly RequirementRow[],
): Promise<void> {
  if (rows.length === 0) return;
  // As arrays: a parameter for each value would end at 65,534 of them. The client takes a list of booleans for one
  // boolean, so they travel as text.
  const column = (key: keyof RequirementRow): string[] => rows.map((row) => String(row[key]));
  await tx`
    insert into requirements (release_id, repository, package, app, requirement, optional)
    select ${id}::bigint, repository, package, app, requirement, optional::boolean
    from unnest(${column("repository")}::text[], ${column("package")}::text[], ${column("app")}::text[],
      ${column("requirement")}::text[], ${column("optional")}::text[])
      as row (repository, package, app, requirement, optional)`;
}

export async function deleteRelease(tx: Transaction, id: number): Promise<void> {
  await tx`delete from releases where id = ${id}`;
}

export async function countReleases(tx: Transaction, packageId: number): Promise<number> {
  const [row] = await tx<{ count: number }[]>`
    select count(*)::int as count from releases where package_id = ${packageId}`;
  return row?.count ?? 0;
}

export interface Retirement {
  readonly reason: RetirementReason;
  readonly message: string | null;
}

export async function setRetirement(
  tx: Transaction,
  id: number,
  retirement: Retirement | null,
): Promise<void> {
  await tx`
    update releases set retirement_reason = ${retirement?.reason ?? null},
      retirement_message = ${retirement?.message ?? null}, updated_at = now()
    where id = ${id}`;
}

/** @param all also those that are retired already @returns the releases that were retired. */
export async function retireAll(
  tx: Transaction,
  packageId: number,
  retirement: Retirement,
  all: boolean,
): Promise<readonly ApiReleaseRow[]> {
  return tx<ApiReleaseRow[]>`
    update releases set retirement_reason = ${retirement.reason}, retirement_message = ${retirement.message},
      updated_at = now()
    where package_id = ${packageId} ${all ? tx`` : tx`and retirement_reason is null`}
    returning ${apiColumns(tx)}`;
}

/** @param docs null takes them away */
export async function setDocs(
  tx: Transaction,
  id: number,
  docs: { readonly blobKey: string; readonly checksum: Sha256 } | null,
): Promise<void> {
  await tx`
    update releases set docs_blob_key = ${docs?.blobKey ?? null},
      docs_checksum = decode(${docs?.checksum ?? null}, 'hex'), updated_at = now()
    where id = ${id}`;
}

/** @returns which of the blob keys some release refers to. */
export async function referredBlobs(sql: Queryable, keys: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await sql<{ key: string }[]>`
    select blob_key as key from releases where blob_key = any(${keys as string[]})
    union select docs_blob_key from releases where docs_blob_key = any(${keys as string[]})`;
  return new Set(rows.map((row) => row.key));
}

/** @returns which of the blob keys lost the row that referred to them at that time or later. */
export async function blobsDroppedSince(
  sql: Queryable,
  keys: readonly string[],
  since: Micros,
): Promise<ReadonlySet<string>> {
  const rows = await sql<{ key: string }[]>`
    select key from dropped_blobs where key = any(${keys as string[]}) and dropped_at >= ${since}`;
  return new Set(rows.map((row) => row.key));
}

export async function forgetDroppedBlobs(sql: Queryable, before: Micros): Promise<void> {
  await sql`delete from dropped_blobs where dropped_at < ${before}`;
}

/** @returns whether the version stood for other bytes before it was reverted. */
export async function stoodForOtherBytes(
  tx: Transaction,
  repositoryId: number,
  name: string,
  version: string,
  outerChecksum: Sha256,
): Promise<boolean> {
  const rows = await tx`
    select from reverted_releases where repository_id = ${repositoryId} and package = ${name}
      and version = ${version} and outer_checksum <> decode(${outerChecksum}, 'hex') limit 1`;
  return rows.length > 0;
}
