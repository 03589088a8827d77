/** A database by its URL, for tests and benchmarks. */
import { openPool, type PoolOptions, type Sql } from "../../store/postgres/pool.ts";

export interface TestDatabase {
  readonly url: string;
  /** A pool as the owner of the database. */
  readonly sql: Sql;
  /** Another pool, closed with the database. */
  pool(options?: PoolOptions): Sql;
  drop(): Promise<void>;
}

/** @returns the database at the URL; `drop` only closes its pools. */
export function openDatabase(url: string): TestDatabase {
  const pools: Sql[] = [];
  const pool = (options?: PoolOptions) => {
    const opened = openPool(url, options);
    pools.push(opened);
    return opened;
  };
  return {
    url,
    sql: pool({ max: 4 }),
    pool,
    async drop() {
      await Promise.all(pools.map((opened) => opened.end({ timeout: 5 })));
    },
  };
}
