/** How much waits, and for how long by the database's clock: for metrics and `skep status`. */
import type { Queryable } from "../postgres/pool.ts";

export interface Queue {
  readonly pending: number;
  /** Age of the oldest; 0 when nothing is pending. */
  readonly oldestSeconds: number;
}

export interface ChangeQueue extends Queue {
  /** Of those, the ones that were put off, as the private store has lost their bytes. */
  readonly putOff: number;
}

/**
 * @returns the changes that installs do not see yet. The age is that of those that no build has put off: one that
 *   waits for lost bytes would hide how the others fare.
 */
export async function changeQueue(sql: Queryable): Promise<ChangeQueue> {
  const [row] = await sql<ChangeQueue[]>`
    select count(*)::integer as pending, (count(*) filter (where attempts > 0))::integer as "putOff",
      coalesce(extract(epoch from now() - min(inserted_at) filter (where attempts = 0)), 0)::float8 as "oldestSeconds"
    from changes where visible_at is null`;
  return row ?? { pending: 0, putOff: 0, oldestSeconds: 0 };
}

export interface PurgeQueue extends Queue {
  /** Of those, the ones whose last try the CDN refused or answered with old objects. */
  readonly failing: number;
}

/** @returns the purges whose first round is not seen through, or whose second fails. */
export async function purgeQueue(sql: Queryable): Promise<PurgeQueue> {
  const [row] = await sql<PurgeQueue[]>`
    select count(*)::integer as pending, (count(*) filter (where last_error is not null))::integer as failing,
      coalesce(extract(epoch from now() - min(inserted_at)), 0)::float8 as "oldestSeconds"
    from purges where rounds = 0 or last_error is not null`;
  return row ?? { pending: 0, failing: 0, oldestSeconds: 0 };
}

export interface MailQueue extends Queue {
  /** Given up, and kept for a while. */
  readonly failed: number;
}

export async function mailQueue(sql: Queryable): Promise<MailQueue> {
  const [row] = await sql<MailQueue[]>`
    select (count(*) filter (where failed_at is null))::integer as pending,
      (count(*) filter (where failed_at is not null))::integer as failed,
      coalesce(extract(epoch from now() - min(inserted_at) filter (where failed_at is null)), 0)::float8
        as "oldestSeconds"
    from mails`;
  return row ?? { pending: 0, failed: 0, oldestSeconds: 0 };
}

/** @returns how many releases no file may name, as their bytes are lost. */
export async function heldCount(sql: Queryable): Promise<number> {
  const [row] = await sql<{ count: number }[]>`select count(*)::integer as count from holds`;
  return row?.count ?? 0;
}
