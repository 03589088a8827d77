/** The generator's books: objects as recorded, intents, deletions to come, releases held back. */
import type { PackageName, Sha256, Version } from "../../hex/ids.ts";
import type { Micros } from "../../schemas/time.ts";
import type { Queryable, Transaction } from "../postgres/pool.ts";

/** An object of the public store as it was last recorded. */
export interface RecordedObject {
  readonly key: string;
  readonly package: PackageName | null;
  readonly generation: number;
  /** SHA-256 of the payload (signed files) or of the bytes. */
  readonly payloadHash: Sha256;
  readonly etag: string;
  readonly headerVersion: number;
  /** Of the key that signed it; null for objects that are not signed. */
  readonly keyFingerprint: string | null;
}

/** What a generator was about to do to a key. */
export interface Intent {
  readonly key: string;
  readonly package: PackageName | null;
  readonly generation: number;
  /** Null: a deletion. */
  readonly payloadHash: Sha256 | null;
  readonly looks: number;
  readonly lookAt: Micros | null;
}

const recordedColumns = (sql: Queryable) => sql`
  key, package, generation, encode(payload_hash, 'hex') as "payloadHash", etag,
  header_version as "headerVersion", key_fingerprint as "keyFingerprint"`;

/** @returns what is recorded for these packages, and for the repository's own files. */
export function recordedObjects(
  sql: Queryable,
  repositoryId: number,
  packages: readonly PackageName[],
): Promise<readonly RecordedObject[]> {
  // Two statements: with "or" between them Postgres goes through all of the repository.
  return sql<RecordedObject[]>`
    select ${recordedColumns(sql)} from objects where repository_id = ${repositoryId} and package is null
    union all
    select ${recordedColumns(sql)} from objects
    where repository_id = ${repositoryId} and package = any(${packages as PackageName[]})`;
}

/** @returns what is recorded under these keys. */
export function recordedByKey(
  sql: Queryable,
  repositoryId: number,
  keys: readonly string[],
): Promise<readonly RecordedObject[]> {
  return sql<RecordedObject[]>`
    select ${recordedColumns(sql)} from objects
    where repository_id = ${repositoryId} and key = any(${keys as string[]})`;
}

/** @returns those of the keys that are recorded. */
export async function recordedAmong(
  sql: Queryable,
  repositoryId: number,
  keys: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await sql<{ key: string }[]>`
    select key from objects where repository_id = ${repositoryId} and key = any(${keys as string[]})`;
  return new Set(rows.map((row) => row.key));
}

/** @returns `count` recorded objects from a random place on, in key order: cheap at any size. */
export function sampleObjects(
  sql: Queryable,
  repositoryId: number,
  from: string,
  count: number,
): Promise<readonly RecordedObject[]> {
  return sql<RecordedObject[]>`
    select ${recordedColumns(sql)} from objects
    where repository_id = ${repositoryId} and key >= ${from} order by key limit ${count}`;
}

export async function recordObjects(
  tx: Transaction,
  repositoryId: number,
  objects: readonly RecordedObject[],
): Promise<void> {
  if (objects.length === 0) return;
  await tx`
    insert into objects (repository_id, key, package, generation, payload_hash, etag, header_version, key_fingerprint)
    select ${repositoryId}, key, package, generation, decode(hash, 'hex'), etag, header_version, fingerprint
    from unnest(
      ${objects.map((object) => object.key)}::text[],
      ${objects.map((object) => object.package)}::text[],
      ${objects.map((object) => object.generation)}::bigint[],
      ${objects.map((object) => object.payloadHash)}::text[],
      ${objects.map((object) => object.etag)}::text[],
      ${objects.map((object) => object.headerVersion)}::integer[],
      ${objects.map((object) => object.keyFingerprint)}::text[]
    ) as row (key, package, generation, hash, etag, header_version, fingerprint)
    on conflict (repository_id, key) do update set
      package = excluded.package, generation = excluded.generation, payload_hash = excluded.payload_hash,
      etag = excluded.etag, header_version = excluded.header_version,
      key_fingerprint = excluded.key_fingerprint, recorded_at = now()`;
}

export async function forgetObjects(
  tx: Transaction,
  repositoryId: number,
  keys: readonly string[],
): Promise<void> {
  if (keys.length === 0) return;
  await tx`delete from objects where repository_id = ${repositoryId} and key = any(${keys as string[]})`;
}

/** @returns open intents of earlier generations that are to be looked at now. */
export function openIntents(
  sql: Queryable,
  repositoryId: number,
  generation: number,
): Promise<readonly Intent[]> {
  return sql<Intent[]>`
    select key, package, generation, encode(payload_hash, 'hex') as "payloadHash", looks, look_at as "lookAt"
    from intents
    where repository_id = ${repositoryId} and generation < ${generation}
      and (look_at is null or look_at <= now())`;
}

/** Announces what is about to be put (a hash) or deleted (null). Saying it again replaces what was said. */
export async function openOwnIntents(
  tx: Transaction,
  repositoryId: number,
  generation: number,
  intents: readonly Pick<Intent, "key" | "package" | "payloadHash">[],
): Promise<void> {
  if (intents.length === 0) return;
  await tx`
    insert into intents (repository_id, key, generation, package, payload_hash)
    select ${repositoryId}, key, ${generation}, package, decode(hash, 'hex')
    from unnest(
      ${intents.map((intent) => intent.key)}::text[],
      ${intents.map((intent) => intent.package)}::text[],
      ${intents.map((intent) => intent.payloadHash)}::text[]
    ) as row (key, package, hash)
    on conflict (repository_id, key, generation) do update
      set payload_hash = excluded.payload_hash, package = excluded.package, looks = 0, look_at = null`;
}

export async function closeOwnIntents(
  tx: Transaction,
  repositoryId: number,
  generation: number,
): Promise<void> {
  await tx`delete from intents where repository_id = ${repositoryId} and generation = ${generation}`;
}

/**
 * An intent of an earlier generation was looked at. Its request may still be under way, so it is looked at
 * again after each of the delays, and forgotten after the last. One that was opened again since it was read stays
 * as it is: its writer has put something since our look.
 * @param delays seconds
 */
export async function putOffIntents(
  tx: Transaction,
  repositoryId: number,
  intents: readonly Intent[],
  delays: readonly number[],
): Promise<void> {
  for (const intent of intents) {
    const delay = delays[intent.looks];
    if (delay === undefined) {
      await tx`
        delete from intents where repository_id = ${repositoryId} and key = ${intent.key}
          and generation = ${intent.generation} and looks = ${intent.looks}`;
    } else {
      await tx`
        update intents set looks = looks + 1, look_at = now() + ${delay} * interval '1 second'
        where repository_id = ${repositoryId} and key = ${intent.key}
          and generation = ${intent.generation} and looks = ${intent.looks}`;
    }
  }
}

/**
 * Has keys looked at again although their writes were recorded: an earlier request of the same write got no answer, and
 * may arrive when nobody expects it. As intents of no generation, so that whoever works looks at them.
 * @param delay seconds until the first look
 */
export async function recheckKeys(
  tx: Transaction,
  repositoryId: number,
  keys: ReadonlyMap<string, PackageName | null>,
  delay: number,
): Promise<void> {
  if (keys.size === 0) return;
  await tx`
    insert into intents (repository_id, key, generation, package, payload_hash, looks, look_at)
    select ${repositoryId}, key, 0, package, null, 1, now() + ${delay} * interval '1 second'
    from unnest(${[...keys.keys()]}::text[], ${[...keys.values()] as (string | null)[]}::text[]) as row (key, package)
    on conflict (repository_id, key, generation) do update set looks = excluded.looks, look_at = excluded.look_at`;
}

/** An object that nothing names any more, to be deleted when it is due. */
export interface Deletion {
  readonly key: string;
  readonly package: PackageName;
}

/**
 * @param purgeId the purge that has to be seen through before the grace begins; undefined: it begins now
 * @param graceSeconds how long a client may still hold a registry file that names the object
 */
export async function scheduleDeletions(
  tx: Transaction,
  repositoryId: number,
  deletions: readonly Deletion[],
  purgeId: number | undefined,
  graceSeconds: number,
): Promise<void> {
  if (deletions.length === 0) return;
  await tx`
    insert into deletions (repository_id, key, package, purge_id, due_at)
    select ${repositoryId}, key, package, ${purgeId ?? null}::bigint,
      ${purgeId === undefined ? tx`now() + ${graceSeconds} * interval '1 second'` : null}
    from unnest(
      ${deletions.map((deletion) => deletion.key)}::text[],
      ${deletions.map((deletion) => deletion.package)}::text[]
    ) as row (key, package)
    on conflict (repository_id, key) do nothing`;
}

/** A name that is live again needs no deletion. */
export async function cancelDeletions(
  tx: Transaction,
  repositoryId: number,
  keys: readonly string[],
): Promise<void> {
  if (keys.length === 0) return;
  await tx`delete from deletions where repository_id = ${repositoryId} and key = any(${keys as string[]})`;
}

/** The grace of what waited for this purge begins. */
export async function startGrace(tx: Transaction, purgeId: number, graceSeconds: number): Promise<void> {
  await tx`
    update deletions set due_at = now() + ${graceSeconds} * interval '1 second', purge_id = null
    where purge_id = ${purgeId}`;
}

export function dueDeletions(
  sql: Queryable,
  repositoryId: number,
  limit: number,
): Promise<readonly Deletion[]> {
  return sql<Deletion[]>`
    select key, package from deletions
    where repository_id = ${repositoryId} and due_at <= now() order by due_at limit ${limit}`;
}

/** @returns those of the keys that a deletion is to come for, due or not. */
export async function waitingAmong(
  sql: Queryable,
  repositoryId: number,
  keys: readonly string[],
): Promise<ReadonlySet<string>> {
  if (keys.length === 0) return new Set();
  const rows = await sql<{ key: string }[]>`
    select key from deletions where repository_id = ${repositoryId} and key = any(${keys as string[]})`;
  return new Set(rows.map((row) => row.key));
}

/** Bytes that cannot be published. No file may name a release whose tarball is held; docs are named by none. */
export interface Hold {
  readonly package: PackageName;
  readonly version: Version;
  readonly object: "tarball" | "docs";
  readonly reason: "blob_missing" | "blob_corrupt";
}

export function heldReleases(sql: Queryable, repositoryId: number): Promise<readonly Hold[]> {
  return sql<
    Hold[]
  >`select package, version, object, reason from holds where repository_id = ${repositoryId}`;
}

/** Replaces what is held of these packages. */
export async function recordHolds(
  tx: Transaction,
  repositoryId: number,
  packages: readonly PackageName[],
  holds: readonly Hold[],
): Promise<void> {
  await tx`delete from holds where repository_id = ${repositoryId} and package = any(${packages as PackageName[]})`;
  for (const hold of holds) {
    await tx`
      insert into holds (repository_id, package, version, object, reason)
      values (${repositoryId}, ${hold.package}, ${hold.version}, ${hold.object}, ${hold.reason})`;
  }
}

/** @returns repositories in which an intent, an expired one's key or a deletion is to be looked after now. */
export async function repositoriesWithLooseEnds(sql: Queryable): Promise<readonly number[]> {
  const rows = await sql<{ id: number }[]>`
    select repository_id as id from deletions where due_at <= now()
    union
    select intents.repository_id from intents join leases using (repository_id)
    where look_at <= now()
      or (look_at is null and (intents.generation < leases.generation or leases.holder is null
          or leases.expires_at < clock_timestamp()))`;
  return rows.map((row) => row.id);
}
