/**
 * Numbered, forward-only migrations. Several processes may start at once: one takes the advisory lock and
 * migrates, the others wait and find nothing left to do.
 */
import { readdir, readFile } from "node:fs/promises";
import { SkepError } from "../../schemas/errors.ts";
import type { Queryable, Sql } from "./pool.ts";

const FOLDER = new URL("../../schemas/migrations/", import.meta.url);
// Any number that no other program uses on this database; the lock lives and dies with the transaction.
const LOCK = 7_365_707_001;

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

/** @returns the migrations of this release, in order. */
export async function readMigrations(): Promise<readonly Migration[]> {
  const files = (await readdir(FOLDER)).filter((file) => /^\d{4}_.*\.sql$/.test(file)).sort();
  return Promise.all(
    files.map(async (file) => ({
      number: Number(file.slice(0, 4)),
      name: file.slice(5, -4),
      sql: await readFile(new URL(file, FOLDER), "utf8"),
    })),
  );
}

/**
 * Applies what is missing, each migration in the one transaction that holds the lock, so that a crash
 * leaves either none or all of this run.
 * @returns the names of the migrations that were applied.
 * @throws SkepError `database_newer` when the database was migrated by a later release.
 */
export async function migrate(sql: Sql): Promise<readonly string[]> {
  const migrations = await readMigrations();
  return sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${LOCK})`;
    await tx`
      create table if not exists schema_migrations (
        number integer primary key,
        name text not null,
        applied_at timestamptz not null default now()
      )`;
    const done = new Set(
      (await tx<{ number: number }[]>`select number from schema_migrations`).map((row) => row.number),
    );
    refuseNewer(done, migrations);
    const missing = migrations.filter((migration) => !done.has(migration.number));
    for (const { number, name, sql: text } of missing) {
      await tx`insert into schema_migrations (number, name) values (${number}, ${name})`;
      await tx.unsafe(text);
    }
    return missing.map((migration) => migration.name);
  });
}

/**
 * @throws SkepError `database_outdated` when migrations are missing, `database_newer` when the database
 *   was migrated by a later release.
 */
export async function requireMigrated(sql: Sql): Promise<void> {
  const migrations = await readMigrations();
  const [table] = await sql<
    { there: boolean }[]
  >`select to_regclass('schema_migrations') is not null as there`;
  const rows = table?.there ? await sql<{ number: number }[]>`select number from schema_migrations` : [];
  const done = new Set(rows.map((row) => row.number));
  refuseNewer(done, migrations);
  const missing = migrations.filter((migration) => !done.has(migration.number));
  if (missing.length > 0) {
    throw new SkepError(
      "database_outdated",
      `the database lacks ${missing.length} migration(s), first ${missing[0]?.name}; run \`skep migrate\``,
    );
  }
}

/** @returns the number of the last migration that was applied. */
export async function schemaVersion(sql: Queryable): Promise<number> {
  const [row] = await sql<{ number: number }[]>`select max(number) as number from schema_migrations`;
  return row?.number ?? 0;
}

function refuseNewer(done: ReadonlySet<number>, migrations: readonly Migration[]): void {
  const known = new Set(migrations.map((migration) => migration.number));
  const foreign = [...done].filter((number) => !known.has(number));
  if (foreign.length > 0) {
    throw new SkepError(
      "database_newer",
      `the database has migration ${Math.max(...foreign)}, which this release does not know; run a later release of skep`,
    );
  }
}
