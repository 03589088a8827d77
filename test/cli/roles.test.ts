/** API and generator as two services, each under a login of its own that may do what it has to, and no more. */
import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPool } from "../../store/postgres/pool.ts";
import { TOKEN_KEY_PEM } from "../support/api-settings.ts";
import { createTestDatabase } from "../support/database.ts";
import type { TestDatabase } from "../support/open-database.ts";
import { newPrivateKeyPem } from "../support/signing.ts";
import { publish } from "./package.ts";
import { type Environment, freePort, type SkepFolder, skepFolder } from "./skep.ts";

const SECRET = "a secret of thirty-two characters, or more".replaceAll(" ", "-");

let skep: SkepFolder;
let database: TestDatabase;
let logins: string[];
let api: Environment;
let generator: Environment;

/** @returns the URL of a new login that may act as the role. */
async function login(role: string): Promise<string> {
  const name = `${role}_${randomBytes(4).toString("hex")}`;
  await database.sql.unsafe(`create role ${name} login password 'word'; grant ${role} to ${name}`);
  logins.push(name);
  const url = new URL(database.url);
  url.username = name;
  url.password = "word";
  return url.href;
}

beforeAll(async () => {
  skep = await skepFolder();
  database = await createTestDatabase();
  logins = [];
  const key = join(skep.folder, "key.pem");
  await writeFile(key, newPrivateKeyPem(), { mode: 0o600 });
  const privateStore = { SKEP_PRIVATE_STORE: `folder:${join(skep.folder, "private")}` };
  const tokenKey = join(skep.folder, "token-key.pem");
  await writeFile(tokenKey, TOKEN_KEY_PEM, { mode: 0o600 });
  api = {
    DATABASE_URL: await login("skep_api"),
    SKEP_KEY_SECRET: SECRET,
    SKEP_TOKEN_KEY_FILE: tokenKey,
    ...privateStore,
  };
  generator = {
    DATABASE_URL: await login("skep_generator"),
    SKEP_SIGNING_KEY_FILE: key,
    SKEP_PUBLIC_STORE: `folder:${join(skep.folder, "public")}`,
    SKEP_HEALTH_PORT: String(await freePort()),
    ...privateStore,
  };
});

afterAll(async () => {
  await skep.remove();
  for (const name of logins) {
    await database.sql.unsafe(
      `select pg_terminate_backend(pid) from pg_stat_activity where usename = '${name}'`,
    );
    await database.sql.unsafe(`drop role ${name}`);
  }
  await database.drop();
});

describe("two services", () => {
  it("publish together; the generator tells its health; both stop when told", async () => {
    const runningApi = skep.start(["api"], api);
    const runningGenerator = skep.start(["generator"], generator);
    await Promise.all([
      runningApi.until("the API is ready"),
      runningGenerator.until("the generator is ready"),
    ]);
    const user = ["user", "create", "ann", "--email", "ann@acme.example", "--password-stdin"];
    expect((await skep.run(user, api, "long enough")).code).toBe(0);
    const { stdout: key } = await skep.run(["key", "create", "--user", "ann"], api);
    expect(await publish(skep.url, key.trim(), "foo", "1.0.0")).toBe(201);
    expect((await skep.run(["verify", join(skep.folder, "public")])).code).toBe(0);
    expect((await skep.run(["rebuild", "--check"], generator)).code).toBe(0);

    const health = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${generator.SKEP_HEALTH_PORT}${path}`);
      return [response.status, await response.json()];
    };
    expect(await health("/live")).toEqual([200, { status: "ok" }]);
    expect(await health("/ready")).toEqual([200, { status: "ok", idleSeconds: expect.any(Number) }]);
    // It is the API's port, and nothing of the repository is there.
    expect((await fetch(`${skep.url}/repo/names`)).status).toBe(404);

    const ended = await Promise.all([runningApi.stop(), runningGenerator.stop("SIGINT")]);
    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
    const logs = ended.map(({ stderr }) => stderr).join("");
    for (const line of logs.trim().split("\n")) expect(JSON.parse(line)).toHaveProperty("msg");
    for (const secret of [SECRET, "word", key.trim(), "PRIVATE KEY"]) expect(logs).not.toContain(secret);
  });

  it("the API waits in vain, answers, and loses nothing, while there is no generator", async () => {
    const running = skep.start(["api"], { ...api, SKEP_PUBLISH_WAIT_MS: "50" });
    await running.until("the API is ready");
    const { stdout: key } = await skep.run(["key", "create", "--user", "ann"], api);
    expect(await publish(skep.url, key.trim(), "foo", "1.1.0")).toBe(201);
    await running.stop();
    const late = skep.start(["generator"], generator);
    const folder = join(skep.folder, "public");
    await expect
      .poll(async () => (await skep.run(["verify", folder, "--json"])).stdout, { timeout: 30_000 })
      .toContain('"releases":2');
    expect((await late.stop()).code).toBe(0);
  });

  it("each login may act as its own role alone", async () => {
    for (const [url, foreign] of [
      [api.DATABASE_URL ?? "", "skep_generator"],
      [generator.DATABASE_URL ?? "", "skep_api"],
    ] as const) {
      const sql = openPool(url, { max: 1 });
      await expect(sql.unsafe(`set role ${foreign}`)).rejects.toThrow("permission denied");
      await sql.end();
    }
    const swapped = await skep.run(["api"], { ...api, DATABASE_URL: generator.DATABASE_URL ?? "" });
    expect(swapped.code).toBe(3);
    expect(swapped.stderr).toMatch(
      /may not act as skep_api; let an administrator run: grant skep_api to "skep_generator_/,
    );
  });
});

describe("refusals", () => {
  it.each([
    ["SKEP_SIGNING_KEY_FILE", "/etc/skep/key.pem"],
    ["SKEP_FASTLY_TOKEN", "hunter2"],
    ["SKEP_VARNISH_TOKEN", "hunter2"],
    ["SKEP_PUBLIC_STORE_SECRET_ACCESS_KEY", "hunter2"],
  ])("the API does not run with %s in its environment", async (name, value) => {
    const { code, stderr } = await skep.run(["api"], { ...api, [name]: value });
    expect(code).toBe(2);
    expect(stderr).toContain(`${name} must not be given to the API`);
    expect(stderr).not.toContain("hunter2");
  });

  it("a generator without its key, or with another one, does not run", async () => {
    const none = await skep.run(["generator"], {
      ...generator,
      SKEP_SIGNING_KEY_FILE: join(skep.folder, "none.pem"),
    });
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("there is no signing key in")]);
    const other = join(skep.folder, "other.pem");
    await writeFile(other, newPrivateKeyPem());
    const foreign = await skep.run(["generator"], { ...generator, SKEP_SIGNING_KEY_FILE: other });
    expect([foreign.code, foreign.stderr]).toEqual([1, expect.stringContaining("skep rotate-key")]);
  });

  it("a database of an earlier release is not worked with", async () => {
    await database.sql`delete from schema_migrations where number = 3`;
    for (const [command, environment] of [
      ["api", api],
      ["generator", generator],
    ] as const) {
      const { code, stderr } = await skep.run([command], environment);
      expect([code, stderr]).toEqual([3, expect.stringContaining("run `skep migrate`")]);
    }
    await database.sql`insert into schema_migrations (number, name) values (3, 'roles')`;
  });
});

it("an empty public store is made whole by `skep rebuild`", async () => {
  const empty = join(skep.folder, "empty");
  await mkdir(empty);
  const environment = { ...generator, SKEP_PUBLIC_STORE: `folder:${empty}` };
  const rebuilt = await skep.run(["rebuild", "--json"], environment);
  expect(JSON.parse(rebuilt.stdout)).toMatchObject({ packages: 1, deleted: 0 });
  expect((await skep.run(["verify", empty, "--repository", "local"])).code).toBe(0);
});
