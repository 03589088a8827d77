/** Purges: enqueued in the transaction that records a write, kept until two read-backs were fresh. */
import type { Queryable, Transaction } from "../postgres/pool.ts";

export interface Purge {
  readonly id: number;
  readonly repositoryId: number;
  readonly surrogateKeys: readonly string[];
  /** Objects to read back through the CDN. */
  readonly targetKeys: readonly string[];
  /** Fresh read-backs so far. */
  readonly rounds: number;
  readonly attempts: number;
}

/** @returns the purge's id. */
export async function enqueuePurge(
  tx: Queryable,
  repositoryId: number,
  surrogateKeys: readonly string[],
  targetKeys: readonly string[],
): Promise<number> {
  const [row] = await tx<{ id: number }[]>`
    insert into purges (repository_id, surrogate_keys, target_keys)
    values (${repositoryId}, ${surrogateKeys as string[]}, ${targetKeys as string[]})
    returning id`;
  if (row === undefined) throw new TypeError("insert returned no row");
  return row.id;
}

/**
 * Takes purges that are due. They are put off by `leaseSeconds` rather than locked: a process that dies
 * with them loses nothing, and another takes them then.
 */
export function takePurges(sql: Queryable, limit: number, leaseSeconds: number): Promise<readonly Purge[]> {
  return sql<Purge[]>`
    update purges set next_at = now() + ${leaseSeconds} * interval '1 second', attempts = attempts + 1
    where id in (
      select id from purges where next_at <= now() order by next_at limit ${limit} for update skip locked
    )
    returning id, repository_id as "repositoryId", surrogate_keys as "surrogateKeys",
      target_keys as "targetKeys", rounds, attempts`;
}

/** Keeps others from a purge that takes long. */
export async function renewPurge(sql: Queryable, id: number, seconds: number): Promise<void> {
  await sql`update purges set next_at = now() + ${seconds} * interval '1 second' where id = ${id}`;
}

/** A fresh read-back: the next round comes after `seconds`. */
export async function advancePurge(tx: Transaction, id: number, seconds: number): Promise<void> {
  await tx`
    update purges set rounds = rounds + 1, attempts = 0, last_error = null,
      next_at = now() + ${seconds} * interval '1 second'
    where id = ${id}`;
}

export async function retryPurge(sql: Queryable, id: number, seconds: number, error: string): Promise<void> {
  await sql`
    update purges set next_at = now() + ${seconds} * interval '1 second', last_error = ${error}
    where id = ${id}`;
}

export async function finishPurge(tx: Transaction, id: number): Promise<void> {
  await tx`delete from purges where id = ${id}`;
}

/** @returns milliseconds until the next purge is due, undefined when there is none. */
export async function nextPurgeIn(sql: Queryable): Promise<number | undefined> {
  const [row] = await sql<{ ms: number | null }[]>`
    select ceil(extract(epoch from min(next_at) - now()) * 1000)::float8 as ms from purges`;
  return row?.ms === null || row === undefined ? undefined : Math.max(0, row.ms);
}
