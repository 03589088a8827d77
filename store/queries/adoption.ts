/**
 * What `skep rebuild --adopt` changes: counters are raised above what the store has seen, and keys that only the store
 * knows leave the books.
 */
import type { PackageName, Sha256 } from "../../hex/ids.ts";
import type { Queryable, Transaction } from "../postgres/pool.ts";

/** @returns what was announced for these keys: the hashes to be put, by key. */
export async function announcedHashes(
  sql: Queryable,
  repositoryId: number,
  keys: readonly string[],
): Promise<ReadonlyMap<string, ReadonlySet<Sha256>>> {
  const rows = await sql<{ key: string; hash: Sha256 }[]>`
    select key, encode(payload_hash, 'hex') as hash from intents
    where repository_id = ${repositoryId} and key = any(${keys as string[]}) and payload_hash is not null`;
  const hashes = new Map<string, Set<Sha256>>();
  for (const { key, hash } of rows) hashes.set(key, (hashes.get(key) ?? new Set()).add(hash));
  return hashes;
}

/** @returns the largest revision that the database has given to anything in the repository. */
export async function largestRevision(sql: Queryable, repositoryId: number): Promise<number> {
  const [row] = await sql<{ revision: number }[]>`
    select greatest(
      (select revision from repositories where id = ${repositoryId}),
      (select max(revision) from package_revisions where repository_id = ${repositoryId}),
      (select max(revision) from policies where repository_id = ${repositoryId})) as revision`;
  return row?.revision ?? 0;
}

/**
 * Sets the revision of the repository, its policies, these packages and every package that has no release: the
 * files of such a one may have come and gone since the backup.
 */
export async function raiseRevisions(
  tx: Transaction,
  repositoryId: number,
  packages: readonly PackageName[],
  revision: number,
): Promise<void> {
  // In the order of every publish: packages by name, then the repository.
  await tx`
    insert into package_revisions (repository_id, name, revision)
    select ${repositoryId}, name, ${revision}::bigint
    from unnest(${[...packages].sort()}::text[]) with ordinality as list (name, position) order by position
    on conflict (repository_id, name) do update set revision = excluded.revision`;
  await tx`
    update package_revisions r set revision = ${revision}
    where repository_id = ${repositoryId} and not exists (
      select from packages p where p.repository_id = r.repository_id and p.name = r.name)`;
  await tx`update policies set revision = ${revision} where repository_id = ${repositoryId}`;
  // With a change, as every revision has one.
  await tx`
    with repository as (
      update repositories set revision = ${revision}, updated_at = now() where id = ${repositoryId}
      returning name, revision
    )
    insert into changes (repository, look, revision) select name, true, revision from repository`;
}

/** The next claim is of a later generation than this one, and everybody may take it. */
export async function raiseGeneration(
  tx: Transaction,
  repositoryId: number,
  generation: number,
): Promise<void> {
  await tx`
    update leases set generation = greatest(generation, ${generation}::bigint), holder = null, expires_at = null
    where repository_id = ${repositoryId}`;
}

/** @param claims generation by id, of claims that this database may not have given; from now on it has */
export async function adoptClaims(
  tx: Transaction,
  repositoryId: number,
  claims: ReadonlyMap<string, number>,
): Promise<void> {
  await tx`
    insert into claims (id, repository_id, generation, holder)
    select id, ${repositoryId}, generation, 'adopted'
    from unnest(${[...claims.keys()]}::uuid[], ${[...claims.values()]}::bigint[]) as seen (id, generation)
    on conflict (id) do nothing`;
}

/** Takes keys out of the books and out of every rebuild's deletions: they stay until somebody decides. */
export async function keepObjects(
  tx: Transaction,
  repositoryId: number,
  keys: readonly string[],
): Promise<void> {
  const list = keys as string[];
  for (const table of ["objects", "intents", "deletions"]) {
    await tx`delete from ${tx(table)} where repository_id = ${repositoryId} and key = any(${list})`;
  }
  await tx`
    insert into kept_objects (repository_id, key) select ${repositoryId}, key from unnest(${list}::text[]) as key
    on conflict do nothing`;
}

/** @returns those of the keys that are kept, and that nothing was written to since. */
export async function keptAmong(
  sql: Queryable,
  repositoryId: number,
  keys: readonly string[],
): Promise<ReadonlySet<string>> {
  // Nearly always there are none, and then no key need be sent.
  const [any] = await sql`select 1 from kept_objects where repository_id = ${repositoryId} limit 1`;
  if (any === undefined || keys.length === 0) return new Set();
  const rows = await sql<{ key: string }[]>`
    select key from kept_objects k where repository_id = ${repositoryId} and key = any(${keys as string[]})
      and not exists (select from objects o where o.repository_id = k.repository_id and o.key = k.key)`;
  return new Set(rows.map((row) => row.key));
}

/** @returns whether one of the repositories has it in its books, as one that was renamed has what lies below its old name. */
export async function isRecordedBy(
  sql: Queryable,
  repositoryIds: readonly number[],
  key: string,
): Promise<boolean> {
  const rows = await sql`
    select 1 from objects where repository_id = any(${repositoryIds as number[]}::bigint[]) and key = ${key}`;
  return rows.length > 0;
}

/** Nothing of the repository is kept any more. */
export async function forgetKept(sql: Queryable, repositoryId: number): Promise<void> {
  await sql`delete from kept_objects where repository_id = ${repositoryId}`;
}
