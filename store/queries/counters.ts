/** How often something has happened in a window of time, for all processes together. */
import type { Queryable } from "../postgres/pool.ts";

/** A window: all that falls into one multiple of the period since 1970. */
export interface CounterWindow {
  readonly bucket: string;
  /** How many periods have passed since 1970. */
  readonly index: number;
  readonly endsAtMilliseconds: number;
}

/** Adds to the window. @returns the count after that. */
export async function addHits(sql: Queryable, window: CounterWindow, hits: number): Promise<number> {
  const [row] = await sql<{ hits: number }[]>`
    insert into counters (bucket, period_index, hits, ends_at)
    values (${window.bucket}, ${window.index}, ${hits}, to_timestamp(${window.endsAtMilliseconds}::float8 / 1000))
    on conflict (bucket, period_index) do update set hits = counters.hits + excluded.hits
    returning hits`;
  return row?.hits ?? 0;
}

export async function countHits(sql: Queryable, window: CounterWindow): Promise<number> {
  const [row] = await sql<{ hits: number }[]>`
    select hits from counters where bucket = ${window.bucket} and period_index = ${window.index}`;
  return row?.hits ?? 0;
}

/** Removes the windows that are over. */
export async function forgetHits(sql: Queryable): Promise<void> {
  await sql`delete from counters where ends_at < now() - interval '1 minute'`;
}
