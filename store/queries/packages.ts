/** Packages as the API shows and changes them. */
import type { PackageName } from "../../hex/ids.ts";
import type { Micros } from "../../schemas/time.ts";
import type { Queryable, Transaction } from "../postgres/pool.ts";
import type { RetirementReason } from "./registry.ts";
import { countReleases, deleteRelease } from "./releases.ts";

export interface PackageMeta {
  readonly description?: string | null;
  readonly licenses?: readonly string[];
  readonly links?: Readonly<Record<string, string>>;
  readonly maintainers?: readonly string[];
  readonly extra?: unknown;
}

export interface ApiPackageRow {
  readonly id: number;
  readonly name: PackageName;
  readonly meta: PackageMeta;
  readonly insertedAt: Micros;
  readonly updatedAt: Micros;
}

/** A release as a package lists it. */
export interface ReleaseSummary {
  readonly packageId: number;
  readonly version: string;
  readonly hasDocs: boolean;
  readonly retirement: { readonly reason: RetirementReason; readonly message: string | null } | null;
  readonly insertedAt: Micros;
  /** The application's name. */
  readonly app: string;
}

// `extra` is nowhere shown, and may be as large as the metadata.
export const packageColumns = (sql: Queryable) => sql`
  p.id, p.name, p.meta - 'extra' as meta, p.inserted_at as "insertedAt", p.updated_at as "updatedAt"`;

export async function packageByName(
  sql: Queryable,
  repositoryId: number,
  name: string,
): Promise<ApiPackageRow | undefined> {
  const [row] = await sql<ApiPackageRow[]>`
    select ${packageColumns(sql)} from packages p where repository_id = ${repositoryId} and name = ${name}`;
  return row;
}

/** @returns the packages by id, without those that are not there. */
export async function packagesById(
  sql: Queryable,
  ids: readonly number[],
): Promise<ReadonlyMap<number, ApiPackageRow>> {
  const rows = await sql<ApiPackageRow[]>`
    select ${packageColumns(sql)} from packages p where p.id = any(${ids as number[]}::bigint[])`;
  return new Map(rows.map((row) => [row.id, row]));
}

export function releaseSummaries(
  sql: Queryable,
  packageIds: readonly number[],
): Promise<readonly ReleaseSummary[]> {
  return sql<ReleaseSummary[]>`
    select package_id as "packageId", version, docs_blob_key is not null as "hasDocs",
      case when retirement_reason is null then null
        else jsonb_build_object('reason', retirement_reason, 'message', retirement_message) end as retirement,
      inserted_at as "insertedAt", meta->>'app' as app
    from releases where package_id = any(${packageIds as number[]}::bigint[])`;
}

/** @returns whether the name, or the name with this version, is reserved. */
export async function isReserved(
  sql: Queryable,
  repository: string,
  name: string,
  version: string | null,
): Promise<boolean> {
  const rows = await sql`
    select from reserved_packages
    where repository = ${repository} and name = ${name} and version is not distinct from ${version}`;
  return rows.length > 0;
}

/** @returns which of the names are packages of the repository that have a release. */
export async function existingPackages(
  sql: Queryable,
  repositoryId: number,
  names: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await sql<{ name: string }[]>`
    select name from packages where repository_id = ${repositoryId} and name = any(${names as string[]})`;
  return new Set(rows.map((row) => row.name));
}

/** Makes the package or replaces its metadata, and locks it until the transaction ends. */
export async function upsertPackage(
  tx: Transaction,
  repositoryId: number,
  name: PackageName,
  meta: PackageMeta,
): Promise<ApiPackageRow & { readonly created: boolean }> {
  const [row] = await tx<(ApiPackageRow & { created: boolean })[]>`
    insert into packages as p (repository_id, name, meta)
    values (${repositoryId}, ${name}, ${tx.json(meta as never)})
    on conflict (repository_id, name) do update set meta = excluded.meta, updated_at = now()
    returning ${packageColumns(tx)}, xmax = 0 as created`;
  if (row === undefined) throw new TypeError("upsert returned no row");
  return row;
}

/** @returns the package, locked until the transaction ends. */
export async function lockPackage(tx: Transaction, id: number): Promise<ApiPackageRow | undefined> {
  const [row] = await tx<
    ApiPackageRow[]
  >`select ${packageColumns(tx)} from packages p where id = ${id} for update`;
  return row;
}

export async function touchPackage(tx: Transaction, id: number, docs = false): Promise<void> {
  await tx`
    update packages set updated_at = now() ${docs ? tx`, docs_updated_at = now()` : tx``} where id = ${id}`;
}

/** @returns whether a release of another package depends on this one. */
export async function hasDependents(
  tx: Transaction,
  repository: string,
  packageId: number,
  name: string,
): Promise<boolean> {
  const rows = await tx`
    select from requirements q join releases r on r.id = q.release_id
    where q.package = ${name} and q.repository = ${repository} and r.package_id <> ${packageId} limit 1`;
  return rows.length > 0;
}

export async function deletePackage(tx: Transaction, id: number): Promise<void> {
  // Before the package, as a reverted release is remembered by the package's name.
  await tx`delete from releases where package_id = ${id}`;
  await tx`delete from packages where id = ${id}`;
}

/**
 * Removes a release, and with its last one the package. The caller holds the package's lock.
 * @param beforeLast refuses, by throwing, that the package goes
 */
export async function dropRelease(
  tx: Transaction,
  packageId: number,
  releaseId: number,
  beforeLast: () => Promise<void>,
): Promise<void> {
  if ((await countReleases(tx, packageId)) > 1) {
    await deleteRelease(tx, releaseId);
    await touchPackage(tx, packageId);
  } else {
    await beforeLast();
    await deletePackage(tx, packageId);
  }
}
