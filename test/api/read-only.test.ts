/** Read-only mode: reads go on, every change is 503 with the operator's words. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ROUTES } from "../../api/routes.ts";
import type { Sql } from "../../store/postgres/pool.ts";
import { enterReadOnly, leaveReadOnly } from "../../store/queries/operations.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

let registry: TestRegistry;
let sql: Sql;
let key: string;
beforeAll(async () => {
  registry = await startRegistry({
    settings: { limits: { account: 1_000, address: 1_000, signInFailures: 10 } },
  });
  sql = registry.database.sql;
  key = await registry.key("ann");
  expect((await publish("example")).status).toBe(201);
});
afterAll(() => registry.stop());

const publish = (name: string, version = "1.0.0") =>
  registry.request("/publish", {
    method: "POST",
    headers: { authorization: key },
    body: new Uint8Array(packageTarball({ metadata: { name, version } })),
  });
const makeKey = (from = registry) =>
  from.request("/keys", {
    method: "POST",
    headers: { authorization: key, "content-type": "application/json" },
    body: '{"name": "new"}',
  });
const get = (path: string) => registry.request(path, { headers: { authorization: key } });
const counts = async () =>
  (
    await sql`
    select (select count(*) from packages) as packages, (select count(*) from keys) as keys,
      (select count(*) from users) as users, (select count(*) from audit_logs) as audit_logs,
      (select max(last_used_at) from keys) as last_used`
  )[0];

describe("the switch", () => {
  afterEach(async () => {
    await sql.begin(leaveReadOnly);
    await registry.readOnly.refresh();
  });

  it.each(ROUTES.filter(({ method, inReadOnly }) => method !== "GET" && !inReadOnly))(
    "$method $path: 503, with what the operator says, and when to try again",
    async ({ method, path }) => {
      await sql.begin((tx) => enterReadOnly(tx, "moving house until noon"));
      await registry.readOnly.refresh();
      const before = await counts();
      const concrete = path
        .replace(":name", "example")
        .replace(":version", "1.0.0")
        .replace(":user", "ann")
        .replace(/:\w+/g, "x");
      const answer = await registry.request(concrete, { method, headers: { authorization: key } });
      expect(answer.headers.get("retry-after")).toBe("60");
      expect(await answer.json()).toEqual({ status: 503, message: "moving house until noon" });
      expect(await counts()).toEqual(before);
    },
  );

  it("reads and installs go on, and the use of a key is not noted", async () => {
    await sql`update keys set last_used_at = null`;
    await sql.begin((tx) => enterReadOnly(tx, null));
    await registry.readOnly.refresh();
    for (const path of ["/packages/example", "/packages", "/keys", "/users/me"]) {
      expect((await get(path)).status, path).toBe(200);
    }
    expect((await fetch(`${registry.url}/repo/packages/example`)).status).toBe(200);
    expect(await sql`select 1 from keys where last_used_at is not null`).toEqual([]);
    const wrong = await registry.request("/keys", {
      method: "POST",
      headers: { authorization: "0".repeat(32) },
    });
    expect(wrong.status).toBe(401);
  });

  it("is seen by itself within a second or two, and so is its end", async () => {
    await sql.begin((tx) => enterReadOnly(tx, null));
    const write = async () => (await makeKey()).status;
    await expect.poll(write, { timeout: 5_000 }).toBe(503);
    await sql.begin(leaveReadOnly);
    await expect.poll(write, { timeout: 5_000 }).toBe(201);
  });

  it("an override of the method does not get around it", async () => {
    await sql.begin((tx) => enterReadOnly(tx, null));
    await registry.readOnly.refresh();
    const answer = await registry.request("/keys", {
      method: "POST",
      headers: { authorization: key, "content-type": "application/json" },
      body: '{"_method": "DELETE"}',
    });
    expect(answer.status).toBe(503);
  });
});

it("the setting does it without the switch", async () => {
  const other = await startRegistry({ generator: false, settings: { readOnly: true } });
  try {
    expect((await other.request("/packages")).status).toBe(200);
    const answer = await other.request("/users", { method: "POST" });
    expect(await answer.json()).toEqual({
      status: 503,
      message: "this registry is read-only for a while; try again later",
    });
  } finally {
    await other.stop();
  }
});

// The last of this file: the database stays as it is then.
describe("15.16: a Postgres that takes no writes", () => {
  const limits = { account: 4, address: 2, signInFailures: 10 };
  /** A registry of its own on the same database. */
  const another = () =>
    startRegistry({
      database: { ...registry.database, drop: async () => undefined },
      generator: false,
      settings: { limits },
    });

  it("is 503 for a change and 200 for a read, whether the API was there before or starts then", async () => {
    const name = new URL(registry.database.url).pathname.slice(1);
    const before = await another();
    // From here on it does not look again, as in the second after Postgres was switched.
    before.readOnly.close();
    await sql`update keys set last_used_at = null`;
    const readers = await registry.key("ann", [{ domain: "repositories", resource: null }]);
    await sql.unsafe(`alter database ${name} set default_transaction_read_only = on`);
    await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = ${name} and pid <> pg_backend_pid() and usename = current_user`;
    const after = await another();
    try {
      for (const api of [before, after]) {
        await expect.poll(async () => (await api.request("/auth?domain=api")).status).toBe(401);
        const refused = await makeKey(api);
        expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "60"]);
        // Clients exchange a key before a private install, which goes on.
        const exchanged = await api.request("/oauth/token", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({
            grant_type: "client_credentials",
            client_id: "78ea6566-89fd-481e-a1d6-7d9d78eacca8",
            client_secret: readers,
            scope: "repositories",
          }),
        });
        expect(exchanged.status).toBe(200);
        const read = await api.request("/packages/example", { headers: { authorization: key } });
        expect([read.status, read.headers.get("x-ratelimit-remaining")]).toEqual([200, "2"]);
      }
      expect(await sql`select 1 from keys where last_used_at is not null`).toEqual([]);
      // Limits hold on, as far as one process can see.
      const statuses = [];
      for (let count = 0; count < 3; count += 1) statuses.push((await after.request("/packages")).status);
      expect(statuses).toContain(429);
    } finally {
      await before.stop();
      await after.stop();
    }
  });
});
