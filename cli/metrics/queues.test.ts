import { Registry } from "prom-client";
import { expect, it } from "vitest";
import { openPool } from "../../store/postgres/pool.ts";
import { watchQueues } from "./queues.ts";

it("a Postgres that is away is told, and nothing is taken for an empty queue", async () => {
  const registry = new Registry();
  const sql = openPool("postgres://nobody@127.0.0.1:1/none", { max: 1 });
  const refresh = watchQueues(registry, sql, ["changes", "mails"]);
  await refresh();
  const text = await registry.metrics();
  expect(text).toMatch(/^skep_database_up 0$/m);
  for (const name of ["skep_changes_pending", "skep_change_oldest_seconds", "skep_mails_failed"]) {
    expect(text).toMatch(new RegExp(`^${name} NaN$`, "im"));
  }
  await sql.end({ timeout: 1 });
});
