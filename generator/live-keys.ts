/** The keys that rows stand behind. */
import type { PackageName, Version } from "../hex/ids.ts";
import { objectKey } from "../hex/keys.ts";
import type { Queryable } from "../store/postgres/pool.ts";
import { type PackageRow, type RepositoryRow, releaseNames } from "../store/queries/registry.ts";

/** @param twins whether JSON is written @returns the keys of `packages/NAME`, tarballs, docs and JSON of these packages, as the rows are now. */
export async function liveKeysOf(
  sql: Queryable,
  repository: RepositoryRow,
  names: readonly PackageName[],
  twins: boolean,
): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  if (names.length === 0) return keys;
  for (const { package: name, version, docs } of await releaseNames(sql, repository.id, names)) {
    keys.add(objectKey(repository, { kind: "package", package: name }));
    keys.add(objectKey(repository, { kind: "tarball", package: name, version }));
    if (docs) keys.add(objectKey(repository, { kind: "docs", package: name, version }));
    if (twins) for (const key of releaseTwinKeys(repository, name, version)) keys.add(key);
  }
  return keys;
}

/** @returns the keys of the package's JSON. */
export function twinKeys(repository: RepositoryRow, row: PackageRow): readonly string[] {
  return row.releases.flatMap(({ version }) => releaseTwinKeys(repository, row.name, version));
}

/** The package's own is among those of each of its releases. */
function releaseTwinKeys(repository: RepositoryRow, name: PackageName, version: Version): readonly string[] {
  if (!repository.public) return [];
  return [
    objectKey(repository, { kind: "package_json", package: name }),
    objectKey(repository, { kind: "release_json", package: name, version }),
  ];
}
