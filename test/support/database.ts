/**
 * A database of its own for each test file, cloned from a migrated template. The server is that of
 * TEST_DATABASE_URL, or an embedded one that the global set-up started.
 */
import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import { openPool } from "../../store/postgres/pool.ts";
import { openDatabase, type TestDatabase } from "./open-database.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Of the maintenance database of the test server. */
    databaseUrl: string;
    /** A migrated database without rows. */
    templateDatabase: string;
  }
}

/** @returns a fresh database; call `drop` in afterAll. */
export function createTestDatabase(): Promise<TestDatabase> {
  return cloneDatabase(inject("templateDatabase"));
}

/** @returns a backup of the database as it is now. Its connections are cut, and come back by themselves. */
export function backUp(database: TestDatabase): Promise<TestDatabase> {
  return cloneDatabase(new URL(database.url).pathname.slice(1));
}

async function cloneDatabase(template: string): Promise<TestDatabase> {
  const admin = openPool(inject("databaseUrl"), { max: 1 });
  const name = `skep_test_${randomBytes(6).toString("hex")}`;
  await admin`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${template}`;
  await admin.unsafe(`create database ${name} template ${template}`);
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
