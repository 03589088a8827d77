/** Postgres goes away in the middle of everything, and comes back. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { StepName } from "../../generator/steps.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../store/postgres/embedded.ts";
import { migrate } from "../../store/postgres/migrate.ts";
import { openPool } from "../../store/postgres/pool.ts";
import { createWorld, type World } from "../support/world.ts";

let folder: string;
let server: EmbeddedPostgres;
let world: World;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "skep-restart-"));
  // On one port, as a server that is restarted has.
  server = await startEmbeddedPostgres({ folder, settings: { fsync: "off" } });
  const sql = openPool(server.url, { max: 1 });
  await migrate(sql);
  await sql.end();
  world = await createWorld({ databaseUrl: server.url });
});

afterEach(async () => {
  await world.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A crash: every backend dies with it, and nothing is written. */
async function crash(): Promise<void> {
  const { port } = new URL(server.url);
  process.kill(server.pid, "SIGQUIT");
  await expect.poll(() => isGone(server.pid), { timeout: 10_000 }).toBe(true);
  server = await startEmbeddedPostgres({ folder, settings: { fsync: "off" }, port: Number(port) });
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

const STEPS: readonly StepName[] = ["snapshot", "intent", "put-packages", "record"];

it.each(STEPS)("before %s", async (step) => {
  await world.rows.publish("foo", "1.0.0");
  await world.expectWhole({ foo: ["1.0.0"] });
  await world.rows.publish("foo", "1.1.0");
  await world.rows.publish("bar", "1.0.0");
  let crashed = false;
  const { generator } = world.generator({
    onStep: async (name, phase) => {
      if (crashed || name !== step || phase !== "before") return;
      crashed = true;
      await crash();
    },
  });
  const stop = new AbortController();
  const run = generator.run(stop.signal);
  // The same generator goes on by itself when the server is back.
  const open = () => world.sql`select from changes where finished_at is null`.catch(() => ["unreachable"]);
  await expect.poll(open, { timeout: 20_000 }).toHaveLength(0);
  stop.abort();
  await run;
  expect(crashed).toBe(true);
  await world.expectWhole({ bar: ["1.0.0"], foo: ["1.0.0", "1.1.0"] });
});
