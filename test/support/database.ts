/**
 * A database of its own for each test file, cloned from a migrated template. The server is that of
 * TEST_DATABASE_URL, or an embedded one that the global set-up started.
 */
import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import { openPool, type PoolOptions, type Sql } from "../../store/postgres/pool.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Of the maintenance database of the test server. */
    databaseUrl: string;
    /** A migrated database without rows. */
    templateDatabase: string;
  }
}

export interface TestDatabase {
  readonly url: string;
  /** A pool as the owner of the database. */
  readonly sql: Sql;
  /** Another pool, closed with the database. */
  pool(options?: PoolOptions): Sql;
  drop(): Promise<void>;
}

/** @returns a fresh database; call `drop` in afterAll. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const admin = openPool(inject("databaseUrl"), { max: 1 });
  const name = `skep_test_${randomBytes(6).toString("hex")}`;
  await admin.unsafe(`create database ${name} template ${inject("templateDatabase")}`);
  const url = new URL(inject("databaseUrl"));
  url.pathname = `/${name}`;
  const database = openDatabase(url.href);
  return {
    ...database,
    async drop() {
      await database.drop();
      await admin.unsafe(`drop database if exists ${name} with (force)`);
      await admin.end();
    },
  };
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
