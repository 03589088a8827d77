/** The keys that rows stand behind. */
import type { PackageName } from "../hex/ids.ts";
import { objectKey } from "../hex/keys.ts";
import type { Queryable } from "../store/postgres/pool.ts";
import { packageRows, type RepositoryRow } from "../store/queries/registry.ts";

/** @returns the keys of `packages/NAME`, tarballs and docs of these packages, as the rows are now. */
export async function liveKeysOf(
  sql: Queryable,
  repository: RepositoryRow,
  names: readonly PackageName[],
): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  for (const row of await packageRows(sql, repository.id, names)) {
    if (row.releases.length > 0) keys.add(objectKey(repository, { kind: "package", package: row.name }));
    for (const { version, docs } of row.releases) {
      keys.add(objectKey(repository, { kind: "tarball", package: row.name, version }));
      if (docs !== null) keys.add(objectKey(repository, { kind: "docs", package: row.name, version }));
    }
  }
  return keys;
}
