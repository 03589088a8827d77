/** What a person asks of a registry that runs: when it last did what, and who does it. */
import type { Micros } from "../../schemas/time.ts";
import type { Queryable } from "../postgres/pool.ts";

export interface Lag {
  /** Changes of the last hour that installs see. */
  readonly changes: number;
  /** From the transaction of a change until then; null without any. */
  readonly medianSeconds: number | null;
  readonly p99Seconds: number | null;
}

export async function recentLag(sql: Queryable): Promise<Lag> {
  const [row] = await sql<Lag[]>`
    select count(*)::integer as changes,
      percentile_cont(0.5) within group (order by seconds) as "medianSeconds",
      percentile_cont(0.99) within group (order by seconds) as "p99Seconds"
    from (
      select extract(epoch from visible_at - inserted_at)::float8 as seconds from changes
      where visible_at > now() - interval '1 hour' and not look
    ) as recent`;
  return row ?? { changes: 0, medianSeconds: null, p99Seconds: null };
}

/** What has last happened to changes; null where nothing ever has. */
export interface LastDone {
  readonly builtAt: Micros | null;
  readonly builtSecondsAgo: number | null;
  /** Purged and read back; without a CDN the same as built. */
  readonly visibleAt: Micros | null;
  readonly visibleSecondsAgo: number | null;
}

/** The last change of each repository is kept (`forgetVisibleChanges`), so this is known however long ago it was. */
export async function lastDone(sql: Queryable): Promise<LastDone | undefined> {
  const [row] = await sql<LastDone[]>`
    select max(finished_at) as "builtAt", max(visible_at) as "visibleAt",
      extract(epoch from now() - max(finished_at))::float8 as "builtSecondsAgo",
      extract(epoch from now() - max(visible_at))::float8 as "visibleSecondsAgo"
    from changes`;
  return row;
}

export interface ClaimRow {
  readonly repository: string;
  readonly generation: number;
  /** Null: given back, and free for whoever comes. */
  readonly holder: string | null;
  /** Until the lease runs out, negative when it has; null without a holder. */
  readonly leaseSeconds: number | null;
}

export function claims(sql: Queryable): Promise<readonly ClaimRow[]> {
  return sql<ClaimRow[]>`
    select r.name as repository, l.generation, l.holder,
      extract(epoch from l.expires_at - clock_timestamp())::float8 as "leaseSeconds"
    from leases l join repositories r on r.id = l.repository_id order by r.id`;
}

export interface RecordedEtag {
  readonly repositoryId: number;
  readonly key: string;
  readonly etag: string;
}

// Of a larger table some blocks are read, each with a random place, and not all of it.
const SAMPLED_ROWS = 5_000;

/** @returns at most `limit` recorded objects, chosen at random; an object may be gone by the time it is looked at. */
export async function randomObjects(sql: Queryable, limit: number): Promise<readonly RecordedEtag[]> {
  const [size] = await sql<{ rows: number }[]>`
    select greatest(reltuples, 0)::float8 as rows from pg_class where oid = 'objects'::regclass`;
  const percent = Math.min(100, (100 * SAMPLED_ROWS) / Math.max(1, size?.rows ?? 0));
  return sql<RecordedEtag[]>`
    select repository_id as "repositoryId", key, etag from objects tablesample system (${percent})
    order by random() limit ${limit}`;
}

/** @returns the index files of the public repository, which every install reads. */
export function indexObjects(sql: Queryable): Promise<readonly RecordedEtag[]> {
  return sql<RecordedEtag[]>`
    select o.repository_id as "repositoryId", o.key, o.etag
    from objects o join repositories r on r.id = o.repository_id
    where r.public and o.key in ('names', 'versions') order by o.key`;
}
