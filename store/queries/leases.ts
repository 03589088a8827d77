/**
 * A claim on a repository: a lease by the database's clock. Taking it raises the repository's generation,
 * and what a generator records counts only while that generation is still the current one.
 */
import type { Queryable, Transaction } from "../postgres/pool.ts";

/** Longer than any pause a healthy process has, short enough for a publisher to sit out. */
export const LEASE_SECONDS = 10;

export interface TakenClaim {
  /** A UUID. Generations of a database that was restored from a backup are given twice, this never is. */
  readonly id: string;
  readonly generation: number;
}

/**
 * @param holder names the process, for people
 * @param seize take it from another holder
 * @returns the new claim, or undefined while another holder's lease runs.
 */
export async function takeLease(
  sql: Queryable,
  repositoryId: number,
  holder: string,
  seconds: number,
  seize = false,
): Promise<TakenClaim | undefined> {
  const [row] = await sql<TakenClaim[]>`
    with taken as (
      insert into leases as lease (repository_id, generation, holder, expires_at)
      values (${repositoryId}, 1, ${holder}, clock_timestamp() + ${seconds} * interval '1 second')
      on conflict (repository_id) do update
        set generation = lease.generation + 1, holder = excluded.holder, expires_at = excluded.expires_at
        where lease.holder is null or lease.expires_at < clock_timestamp() or ${seize}
      returning generation
    )
    insert into claims (repository_id, generation, holder) select ${repositoryId}, generation, ${holder} from taken
    returning id, generation`;
  return row;
}

/** @returns whether this database has given the claim, or has adopted it. */
export async function hasGivenClaim(sql: Queryable, repositoryId: number, id: string): Promise<boolean> {
  const rows = await sql`select from claims where id = ${id} and repository_id = ${repositoryId}`;
  return rows.length > 0;
}

/** @returns false when another generator has taken over. A lease that ran out but was not taken is renewed. */
export async function renewLease(
  sql: Queryable,
  repositoryId: number,
  generation: number,
  seconds: number,
): Promise<boolean> {
  const rows = await sql`
    update leases set expires_at = clock_timestamp() + ${seconds} * interval '1 second'
    where repository_id = ${repositoryId} and generation = ${generation} and holder is not null
    returning 1`;
  return rows.length === 1;
}

/** Lets others take over at once. Does nothing when another already has. */
export async function releaseLease(sql: Queryable, repositoryId: number, generation: number): Promise<void> {
  await sql`
    update leases set holder = null, expires_at = null
    where repository_id = ${repositoryId} and generation = ${generation}`;
}

/** @returns the generation that Postgres shows as current, 0 before the first claim. */
export async function currentGeneration(sql: Queryable, repositoryId: number): Promise<number> {
  const [row] = await sql<{ generation: number }[]>`
    select generation from leases where repository_id = ${repositoryId}`;
  return row?.generation ?? 0;
}

/**
 * The fence of every transaction that records something: nobody can take over until it has ended.
 * @returns whether the generation is still current.
 */
export async function holdsLease(
  tx: Transaction,
  repositoryId: number,
  generation: number,
): Promise<boolean> {
  const rows = await tx`
    select 1 from leases where repository_id = ${repositoryId} and generation = ${generation} for update`;
  return rows.length === 1;
}
