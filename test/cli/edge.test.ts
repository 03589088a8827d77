/** `skep edge` beside an API and a generator that it needs neither of to go on. */
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createReaderToken } from "../../generator/purge/reader-token.ts";
import { keySetOf } from "../../schemas/access-token/keys.ts";
import { signToken } from "../../schemas/access-token/token.ts";
import { openFolderStore } from "../../store/objects/folder.ts";
import { openPool } from "../../store/postgres/pool.ts";
import { KEY_SECRET, TOKEN_KEYS } from "../support/api-settings.ts";
import { listenOnLoopback } from "../support/loopback.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { testSigner } from "../support/signing.ts";
import { type Environment, freePort, type RunningSkep, type SkepFolder, skepFolder } from "./skep.ts";

let skep: SkepFolder;
let registry: TestRegistry;
let edge: RunningSkep;
let environment: Environment;
let key: string;
const login = { name: `skep_edge_${process.pid}_${Date.now()}`, url: "" };
/** Of the API, the key set alone. */
const api = createServer((_, response) => response.end(JSON.stringify(keySetOf(TOKEN_KEYS))));

beforeAll(async () => {
  skep = await skepFolder();
  const folder = join(skep.folder, "public");
  registry = await startRegistry({ publicStore: await openFolderStore(folder) });
  await registry.organization("acme", { ann: "write" });
  const published = await registry.request("/repos/acme/publish", {
    method: "POST",
    headers: { authorization: await registry.key("ann") },
    body: new Uint8Array(packageTarball()),
  });
  expect(published.status).toBe(201);
  key = await registry.key("ann", [{ domain: "repositories", resource: null }]);

  const { database } = registry;
  await database.sql.unsafe(
    `create role ${login.name} login password 'word'; grant skep_edge to ${login.name}`,
  );
  const url = new URL(database.url);
  [url.username, url.password] = [login.name, "word"];
  login.url = url.href;
  environment = {
    SKEP_PUBLIC_STORE: `folder:${folder}`,
    SKEP_URL: `http://127.0.0.1:${await listenOnLoopback(api)}`,
    SKEP_HEALTH_PORT: String(await freePort()),
    DATABASE_URL: login.url,
    SKEP_KEY_SECRET: KEY_SECRET,
  };
  edge = skep.start(["edge"], environment);
  await edge.until("the edge is ready");
});
afterAll(async () => {
  await skep.remove();
  api.close();
  const { sql } = registry.database;
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where usename = ${login.name}`;
  await sql.unsafe(`drop role ${login.name}`);
  await registry.stop();
});

const accessToken = (scope: string, keys = TOKEN_KEYS) => {
  const now = Math.floor(Date.now() / 1000);
  const claims = { subject: "user:ann", id: "jti", scopes: [scope], expiresAt: now + 60 } as const;
  return signToken(keys, { ...claims, kind: "access" }, now);
};

async function get(path: string, authorization?: string): Promise<number> {
  const response = await fetch(skep.url + path, {
    headers: authorization === undefined ? {} : { authorization },
  });
  await response.arrayBuffer();
  return response.status;
}

const PRIVATE = "/repos/acme/packages/example";

describe("skep edge", () => {
  it("serves public files to everybody, and private ones to those who may read them", async () => {
    expect(await get("/names")).toBe(200);
    expect(await get(PRIVATE)).toBe(401);
    expect(await get(PRIVATE, key)).toBe(200);
    expect(
      await get(PRIVATE, await registry.key("stranger", [{ domain: "repositories", resource: null }])),
    ).toBe(403);
    expect(await get(PRIVATE, `Bearer ${await accessToken("repository:acme")}`)).toBe(200);
    expect(await get(PRIVATE, `Bearer ${await accessToken("repository:other")}`)).toBe(403);
    expect(await get("/repos/acme/tarballs/example-1.0.0.tar", key)).toBe(200);
    // Who asks shows in the list of keys, as anywhere else.
    const used = await registry.database.sql`select from keys where last_used_at is not null`;
    expect(used.length).toBeGreaterThan(0);
  });

  it("lets the generator read private files back with a token of its own", async () => {
    const token = await createReaderToken(testSigner(), () => new Date())();
    expect(await get(PRIVATE, `Bearer ${token}`)).toBe(200);
    expect(await get(PRIVATE, `Bearer ${token.slice(0, -6)}AAAAAA`)).toBe(401);
  });

  it("tells its health on a port of its own", async () => {
    const health = async (path: string) =>
      (await fetch(`http://127.0.0.1:${environment.SKEP_HEALTH_PORT}${path}`)).status;
    expect(await Promise.all(["/live", "/started", "/ready"].map(health))).toEqual([200, 200, 200]);
    expect(await get("/live")).toBe(404);
  });

  it("goes on with tokens while API and database are down", async () => {
    api.close();
    api.closeAllConnections();
    const { sql } = registry.database;
    await sql.unsafe(`alter role ${login.name} nologin`);
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where usename = ${login.name}`;
    expect(await get(PRIVATE, `Bearer ${await accessToken("repository:acme")}`)).toBe(200);
    expect(await get("/names")).toBe(200);
    // Neither let in nor refused.
    expect(await get(PRIVATE, key)).toBe(503);
    await sql.unsafe(`alter role ${login.name} login`);
    expect(await get(PRIVATE, key)).toBe(200);
    expect((await edge.stop()).code).toBe(0);
    for (const secret of [KEY_SECRET, "word@", key, "PRIVATE KEY"])
      expect(edge.stderr()).not.toContain(secret);
  });

  it("starts with the database away, and reads its keys from a file", async () => {
    const file = join(skep.folder, "jwks.json");
    await writeFile(file, JSON.stringify(keySetOf(TOKEN_KEYS)));
    const away = `postgres://skep_edge_login:word@127.0.0.1:${await freePort()}/skep`;
    const alone = skep.start(["edge"], { ...environment, DATABASE_URL: away, SKEP_TOKEN_KEY_SET: file });
    await alone.until("the edge is ready");
    expect(alone.stderr()).toContain("Postgres cannot be reached");
    expect(await get(PRIVATE, `Bearer ${await accessToken("repository:acme")}`)).toBe(200);
    expect(await get(PRIVATE, key)).toBe(503);
    expect((await alone.stop()).code).toBe(0);
  });
});

it("does not start with a file of keys that is none", async () => {
  const file = join(skep.folder, "empty.json");
  await writeFile(file, '{"keys":[]}');
  for (const [place, message] of [
    [join(skep.folder, "none.json"), "SKEP_TOKEN_KEY_SET cannot be read: ENOENT"],
    [file, "is no key set of access tokens: no key in it is of the curve P-256"],
  ] as const) {
    const { code, stderr } = await skep.run(["edge"], { ...environment, SKEP_TOKEN_KEY_SET: place });
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  }
});

describe("its role", () => {
  it.each([
    "select email from emails",
    "select password_hash from users",
    "select from totp_secrets",
    "update keys set permissions = '[]'",
    "update keys set revoke_at = null",
    "delete from keys",
    "select from objects",
    "insert into changes (repository) values ('local')",
    "set role skep_api",
  ])("may not: %s", async (statement) => {
    const sql = openPool(login.url, { max: 1, role: "skep_edge" });
    await expect(sql.unsafe(statement)).rejects.toMatchObject({ code: "42501" });
    await sql.end();
  });
});
