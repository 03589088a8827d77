/** `skep status`: what it tells of a registry that is well, and of one that is not. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { gatherStatus } from "../../cli/status/gather.ts";
import { describe as describeStatus, problemsOf, type Status } from "../../cli/status/report.ts";
import type { EdgeReader } from "../../generator/purge/edge-reader.ts";
import { SkepError } from "../../schemas/errors.ts";
import type { Sql } from "../../store/postgres/pool.ts";
import { runHere } from "../support/program.ts";
import { createWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld({ cache: true });
  await world.rows.publish("foo", "1.0.0");
  await world.expectWhole({ foo: ["1.0.0"] });
});
afterAll(async () => {
  await world.close();
});

function gather(sql: Sql = world.sql, reader: EdgeReader | undefined = world.cache): Promise<Status> {
  const { publicStore: store } = world;
  return gatherStatus({
    sql,
    store,
    reader,
    missing: [],
    samples: 20,
    readOnly: false,
  });
}

const text = (status: Status) => describeStatus(status, problemsOf(status, 60)).join("\n");

it("all is well: five objects are as recorded, in the store and as clients get them", async () => {
  const status = await gather();
  expect(problemsOf(status, 60)).toEqual([]);
  expect(status).toMatchObject({
    changes: { pending: 0 },
    purges: { pending: 0 },
    objects: { stored: 5, served: 5, stale: [] },
    readOnly: null,
    held: 0,
    unchecked: [],
  });
  expect(status.lag?.changes).toBeGreaterThan(0);
  expect(text(status)).toMatch(/^lag: +median .*, 99% within .*\n[\s\S]*claim: +1 without a holder$/m);
});

it("a change that nobody builds", async () => {
  await world.rows.publish("foo", "1.1.0");
  await world.sql`update changes set inserted_at = now() - interval '10 minutes' where finished_at is null`;
  const problems = problemsOf(await gather(), 60);
  expect(problems).toEqual(["the oldest change has waited for 10 min", "no generator holds a claim"]);
  expect(problemsOf(await gather(), 3_600)).toEqual([]);
  await world.expectWhole({ foo: ["1.0.0", "1.1.0"] });
});

it("a purge that the CDN refuses", async () => {
  await world.sql`
    insert into purges (repository_id, surrogate_keys, target_keys, attempts, last_error, inserted_at)
    values (${world.rows.repositoryId}, '{}', '{}', 3, 'refused', now() - interval '2 hours')`;
  const status = await gather();
  expect(problemsOf(status, 60)).toEqual(["the oldest purge has waited for 2 h"]);
  expect(text(status)).toContain("1 pending, 1 failing");
  await world.sql`delete from purges`;
});

it("an object that the CDN serves stale, and one that a hand overwrote", async () => {
  const old = await world.cache?.get("packages/foo");
  await world.rows.publish("foo", "1.2.0");
  await world.expectWhole({ foo: ["1.0.0", "1.1.0", "1.2.0"] });
  if (old !== undefined) world.cache?.plant("packages/foo", old);
  await world.publicStore.put("names", new Uint8Array([1]), { precondition: { kind: "none" } });
  const status = await gather();
  expect([...problemsOf(status, 60)].sort()).toEqual([
    "names: the store holds another object than is recorded",
    "packages/foo: clients get another object than is recorded",
  ]);
  // The sampler finds the same, mends it, and leaves a note.
  const { generator } = world.generator();
  await generator.sampleAll();
  await generator.releaseClaims();
  await world.expectWhole({ foo: ["1.0.0", "1.1.0", "1.2.0"] });
  const mended = await gather();
  expect(mended.objects?.stale).toEqual([]);
  expect(mended.findings?.map(({ key, place }) => `${place} ${key}`).sort()).toEqual([
    "cdn packages/foo",
    "store names",
  ]);
});

it("a CDN that does not answer is no problem of ours, and is told once", async () => {
  const away: EdgeReader = {
    etag: () => Promise.reject(new SkepError("store_unavailable", "no route")),
  };
  const status = await gather(world.sql, away);
  expect(status.unchecked).toEqual(["CDN: no route"]);
  expect(status.objects?.served).toBe(0);
  expect(problemsOf(status, 60)).toEqual([]);
});

it("under the login of either service: what that may not see is named", async () => {
  expect((await gather(world.database.pool({ role: "skep_api", max: 1 }))).unchecked).toEqual([]);
  const generator = await gather(world.database.pool({ role: "skep_generator", max: 1 }));
  expect(generator.unchecked).toEqual(["mails: this login may not see it"]);
});

it("the command: with the database alone, without a key; its exit code says how it is", async () => {
  const alone = { DATABASE_URL: world.database.url, SKEP_DATA_DIR: "/no/such/folder" };
  const well = await runHere(["status", "--json"], alone);
  expect([well.code, well.stderr]).toEqual([0, ""]);
  expect(JSON.parse(well.stdout)).toMatchObject({
    healthy: true,
    problems: [],
    changes: { pending: 0 },
    unchecked: [
      expect.stringContaining("there is no folder"),
      expect.stringContaining("SKEP_REPOSITORY_URL"),
    ],
  });
  await world.sql`insert into read_only_mode (message) values ('we move')`;
  await world.sql`insert into changes (repository, inserted_at) values ('local', now() - interval '1 hour')`;
  const ill = await runHere(["status"], alone);
  expect(ill.code).toBe(1);
  expect(ill.stdout).toMatch(/read-only: +on since .*: we move/);
  expect(ill.stdout).toContain("PROBLEM:      the oldest change has waited for 60 min\n");
  expect(ill.stderr).toBe("skep: the registry is not well: 2 problems\n");
  const away = await runHere(["status"], { DATABASE_URL: "postgres://x@127.0.0.1:1/x" });
  expect(away.code).toBe(3);
});
