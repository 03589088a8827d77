/** The public store's objects as they are listed, a page at a time, and which of them no row stands behind. */
import type { PackageName } from "../hex/ids.ts";
import { objectKey, objectPrefixes, parseObjectKey, type RepositoryObject } from "../hex/keys.ts";
import type { ObjectStore } from "../store/objects/store.ts";
import type { Sql } from "../store/postgres/pool.ts";
import { policyRows } from "../store/queries/policies.ts";
import type { RepositoryRow } from "../store/queries/registry.ts";
import { liveKeysOf } from "./live-keys.ts";

export interface Listed {
  readonly key: string;
  readonly etag: string;
  /** Undefined: a key that no layout of ours explains. */
  readonly object: RepositoryObject | undefined;
}

// As many as S3 gives at a time.
const PAGE = 1_000;

/** @returns all objects below the repository's prefixes, in pages, so that none of it has to be kept. */
export async function* listedPages(
  store: ObjectStore,
  repository: RepositoryRow,
): AsyncGenerator<readonly Listed[]> {
  let page: Listed[] = [];
  for (const prefix of objectPrefixes(repository)) {
    for await (const { key, etag } of store.list(prefix)) {
      page.push({ key, etag, object: parseObjectKey(key)?.object });
      if (page.length < PAGE) continue;
      yield page;
      page = [];
    }
  }
  if (page.length > 0) yield page;
}

/** @returns the package that the object is of; null for one of the repository itself. */
export function packageOf({ object }: Pick<Listed, "object">): PackageName | null {
  return object !== undefined && "package" in object ? object.package : null;
}

/** @param twins whether JSON is written @returns those of the objects that no row stands behind at this moment. */
export async function withoutRows(
  sql: Sql,
  repository: RepositoryRow,
  objects: readonly Listed[],
  twins: boolean,
): Promise<readonly Listed[]> {
  const names = new Set(objects.flatMap((listed) => packageOf(listed) ?? []));
  const live = await liveKeysOf(sql, repository, [...names], twins);
  const policies = objects.some(({ object }) => object?.kind === "policy")
    ? await policyRows(sql, repository.id)
    : [];
  const own = new Set([
    ...policies.map(({ name }) => objectKey(repository, { kind: "policy", policy: name })),
    ...(["names", "versions", "public_key"] as const).map((kind) => objectKey(repository, { kind })),
  ]);
  return objects.filter(({ key }) => !live.has(key) && !own.has(key));
}
