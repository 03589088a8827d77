/** Migrations, roles, waiting and the bytes that nothing refers to, on a real Postgres. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase } from "../test/support/database.ts";
import type { TestDatabase } from "../test/support/open-database.ts";
import { openRowPublisher } from "../test/support/rows.ts";
import { collectBlobs, stageBlob } from "./blobs.ts";
import { openChangeWaiter } from "./change-waiter.ts";
import { MemoryStore } from "./objects/memory.ts";
import { migrate, readMigrations, requireMigrated } from "./postgres/migrate.ts";
import { finishChanges } from "./queries/changes.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe("migrations", () => {
  it("are run once by whoever comes first, however many start at once", async () => {
    const names = (await readMigrations()).map((migration) => migration.name);
    await database.sql`drop schema public cascade`;
    await database.sql`create schema public`;
    await expect(requireMigrated(database.sql)).rejects.toMatchObject({ code: "database_outdated" });
    const runs = await Promise.all([1, 2, 3].map(() => migrate(database.pool({ max: 1 }))));
    expect(runs.filter((run) => run.length > 0)).toEqual([names]);
    await requireMigrated(database.sql);
  });

  it("are numbered without a gap", async () => {
    const numbers = (await readMigrations()).map((migration) => migration.number);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });

  it("refuse a database of a later release", async () => {
    await database.sql`insert into schema_migrations (number, name) values (9999, 'later')`;
    await expect(migrate(database.sql)).rejects.toMatchObject({ code: "database_newer" });
    await expect(requireMigrated(database.sql)).rejects.toMatchObject({ code: "database_newer" });
    await database.sql`delete from schema_migrations where number = 9999`;
  });
});

describe("the API's role", () => {
  it.each([
    "update objects set etag = 'x'",
    "delete from objects",
    "insert into purges (repository_id, surrogate_keys, target_keys) values (1, '{}', '{}')",
    "update leases set generation = 0",
    "delete from intents",
    "delete from deletions",
    "update changes set finished_at = now()",
    "delete from changes",
    "update repositories set name = 'x'",
    "update signing_keys set active = false",
    "delete from audit_logs",
    "update audit_logs set action = 'x'",
  ])("may not: %s", async (statement) => {
    const api = database.pool({ role: "skep_api", max: 1 });
    await expect(api.unsafe(statement)).rejects.toMatchObject({ code: "42501" });
  });

  it.each([
    "update releases set version = '0.0.0'",
    "insert into users (username) values ('x')",
    "select from keys",
  ])("nor may the generator's: %s", async (statement) => {
    const generator = database.pool({ role: "skep_generator", max: 1 });
    await expect(generator.unsafe(statement)).rejects.toMatchObject({ code: "42501" });
  });
});

describe("waiting for a change", () => {
  it("ends with the notification, with a poll when that is missed, or with its time", async () => {
    const privateStore = new MemoryStore();
    const rows = await openRowPublisher(database.sql, privateStore);
    const waiter = await openChangeWaiter(database.pool({ role: "skep_api", max: 2 }));
    const first = await rows.publish("foo", "1.0.0");
    expect(await waiter.wait(first, 20)).toBe(false);

    const waiting = waiter.wait(first, 10_000);
    await database.sql.begin((tx) => finishChanges(tx, [first], undefined));
    expect(await waiting).toBe(true);

    const second = await rows.publish("foo", "1.1.0");
    const polled = waiter.wait(second, 10_000);
    // No notification: only the poll can see it.
    await database.sql`update changes set finished_at = now(), visible_at = now() where id = ${second}`;
    expect(await polled).toBe(true);
    // A row that was cleaned up is long done.
    expect(await waiter.wait(999_999, 10_000)).toBe(true);
    await waiter.close();
  });
});

describe("bytes that nothing refers to", () => {
  it("go after a day, and never those that a row refers to", async () => {
    const store = new MemoryStore();
    const rows = await openRowPublisher(database.sql, store);
    await rows.publish("kept", "1.0.0");
    await rows.docs("kept", "1.0.0", Buffer.from("docs"));
    const lost = await stageBlob(store, Buffer.from("refused"), randomBytes(16).toString("hex"));
    const inDays = (days: number) => new Date(Date.now() + days * 86_400_000);
    expect(await collectBlobs(database.sql, store, inDays(0.9))).toBe(0);
    expect(await collectBlobs(database.sql, store, inDays(1.1))).toBe(1);
    expect(await store.head(lost.key)).toBeUndefined();
    await rows.revert("kept", "1.0.0");
    // Old bytes, but dropped only now: a build may still be about to read them.
    await database.sql`update dropped_blobs set dropped_at = now() + interval '6 hours'`;
    expect(await collectBlobs(database.sql, store, inDays(1.1))).toBe(0);
    await database.sql`update dropped_blobs set dropped_at = now()`;
    expect(await collectBlobs(database.sql, store, inDays(1.1))).toBe(2);
    expect(await database.sql`select from dropped_blobs`).toHaveLength(0);
  });
});
