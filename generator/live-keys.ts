/** The keys that rows stand behind. */
import type { PackageName } from "../hex/ids.ts";
import { objectKey } from "../hex/keys.ts";
import type { Queryable } from "../store/postgres/pool.ts";
import { type PackageRow, packageRows, type RepositoryRow } from "../store/queries/registry.ts";

/** @param twins whether JSON is written @returns the keys of `packages/NAME`, tarballs, docs and JSON of these packages, as the rows are now. */
export async function liveKeysOf(
  sql: Queryable,
  repository: RepositoryRow,
  names: readonly PackageName[],
  twins: boolean,
): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  for (const row of await packageRows(sql, repository.id, names)) {
    if (twins) for (const key of twinKeys(repository, row)) keys.add(key);
    if (row.releases.length > 0) keys.add(objectKey(repository, { kind: "package", package: row.name }));
    for (const { version, docs } of row.releases) {
      keys.add(objectKey(repository, { kind: "tarball", package: row.name, version }));
      if (docs !== null) keys.add(objectKey(repository, { kind: "docs", package: row.name, version }));
    }
  }
  return keys;
}

/** @returns the keys of the package's JSON. */
export function twinKeys(repository: RepositoryRow, row: PackageRow): readonly string[] {
  if (!repository.public || row.releases.length === 0) return [];
  return [
    objectKey(repository, { kind: "package_json", package: row.name }),
    ...row.releases.map(({ version }) =>
      objectKey(repository, { kind: "release_json", package: row.name, version }),
    ),
  ];
}
