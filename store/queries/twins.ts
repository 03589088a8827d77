/** What the API shows of packages beyond what registry files hold, for the files that say the same. */
import type { PackageName } from "../../hex/ids.ts";
import type { Micros } from "../../schemas/time.ts";
import type { Queryable } from "../postgres/pool.ts";
import { type ApiPackageRow, packageColumns } from "./packages.ts";
import type { ReleaseMeta } from "./releases.ts";

export interface TwinRow {
  readonly package: ApiPackageRow;
  /** By version. */
  readonly releases: ReadonlyMap<string, TwinRelease>;
}

export interface TwinRelease {
  readonly id: number;
  readonly meta: ReleaseMeta;
  readonly updatedAt: Micros;
}

/** @returns the packages that are there, by name. */
export async function twinRows(
  sql: Queryable,
  repositoryId: number,
  names: readonly PackageName[],
): Promise<ReadonlyMap<PackageName, TwinRow>> {
  if (names.length === 0) return new Map();
  const packages = await sql<ApiPackageRow[]>`
    select ${packageColumns(sql)} from packages p
    where repository_id = ${repositoryId} and name = any(${names as PackageName[]})`;
  const releases = await sql<(TwinRelease & { packageId: number; version: string })[]>`
    select id, package_id as "packageId", version, meta, updated_at as "updatedAt" from releases
    where package_id = any(${packages.map((row) => row.id)}::bigint[])`;
  const byPackage = new Map(packages.map((row) => [row.id, new Map<string, TwinRelease>()]));
  for (const release of releases) byPackage.get(release.packageId)?.set(release.version, release);
  return new Map(
    packages.map((row) => [row.name, { package: row, releases: byPackage.get(row.id) ?? new Map() }]),
  );
}
