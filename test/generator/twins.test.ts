/** The API's answers as files: the same JSON, and no trace of it where it is not wanted. */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { importAdvisories } from "../../cli/advisories/import.ts";
import { checkBucket } from "../../generator/check.ts";
import type { GeneratorContext } from "../../generator/context.ts";
import { Generator } from "../../generator/generator.ts";
import { rebuild } from "../../generator/rebuild.ts";
import { readOsv } from "../../hex/advisories/osv.ts";
import { storeSource } from "../../mirror/source-store.ts";
import { verifyRepository } from "../../mirror/verify.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { openRowPublisher } from "../support/rows.ts";
import { createWorld } from "../support/world.ts";

let registry: TestRegistry;
let key: string;
beforeAll(async () => {
  registry = await startRegistry({ twins: true });
  key = await registry.key("ann");
  expect((await send("POST", "/publish", packageTarball())).status).toBe(201);
  expect(
    (await send("POST", "/publish", packageTarball({ metadata: { version: "1.1.0-rc.1" } }))).status,
  ).toBe(201);
});
afterAll(() => registry.stop());

async function send(method: string, path: string, body?: Uint8Array | object): Promise<Response> {
  const raw = body instanceof Uint8Array;
  const headers = { authorization: key, ...(raw ? {} : { "content-type": "application/json" }) };
  const sent = raw ? new Uint8Array(body) : JSON.stringify(body ?? {});
  return registry.request(path, { method, headers, ...(method === "GET" ? {} : { body: sent }) });
}

const RELEASE = "/packages/example/releases/1.0.0";

/** What is left of an answer when what changes without the package is taken out. */
async function answer(path: string): Promise<object> {
  const {
    owners: _,
    downloads: __,
    publisher: ___,
    ...rest
  } = (await (await registry.request(path)).json()) as Record<string, unknown>;
  return rest;
}

async function file(
  path: string,
): Promise<{ readonly status: number; readonly body: unknown; readonly headers: Headers }> {
  const response = await fetch(`${registry.url}/repo/api${path}`);
  const text = await response.text();
  return { status: response.status, body: response.ok ? JSON.parse(text) : text, headers: response.headers };
}

async function expectTwins(): Promise<void> {
  for (const path of ["/packages/example", RELEASE, "/packages/example/releases/1.1.0-rc.1"]) {
    expect((await file(path)).body).toEqual(await answer(path));
  }
  expect(await checkBucket(registry.generator)).toEqual([]);
}

describe("says what the API says, at once", () => {
  it("of what was published", async () => {
    await expectTwins();
    expect((await file("/packages/example")).body).not.toHaveProperty("owners");
    expect((await file(RELEASE)).body).toMatchObject({
      version: "1.0.0",
      checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
      requirements: {},
      meta: { app: "example", build_tools: ["mix"] },
      security_advisories: [],
    });
  });

  it.each<[string, string, string, object | Uint8Array | undefined]>([
    ["docs", "POST", `${RELEASE}/docs`, gzipSync(Buffer.alloc(1024))],
    ["a retirement", "POST", `${RELEASE}/retire`, { reason: "security", message: "leaks" }],
    ["a retirement taken back", "DELETE", `${RELEASE}/retire`, undefined],
    ["docs taken back", "DELETE", `${RELEASE}/docs`, undefined],
    ["another description", "POST", "/publish", packageTarball({ metadata: { description: "Other words" } })],
  ])("of %s", async (_, method, path, body) => {
    const before = await file("/packages/example");
    expect((await send(method, path, body)).status).toBeLessThan(300);
    expect((await file("/packages/example")).body).not.toEqual(before.body);
    await expectTwins();
  });

  it("of an advisory", async () => {
    const [row] = await registry.database.sql<
      { id: number }[]
    >`select id from repositories where name = 'local'`;
    const affected = [
      {
        package: { ecosystem: "Hex", name: "example" },
        ranges: [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed: "1.1.0-rc.1" }] }],
      },
    ];
    const advisory = readOsv({
      id: "EEF-1",
      modified: "2026-02-02T00:00:00Z",
      summary: "Lets anybody in",
      affected,
    });
    const sql = registry.database.pool({ role: "skep_api" });
    await importAdvisories(sql, [advisory], { repositoryId: row?.id ?? 0, prune: false });
    await expect
      .poll(async () => (await file(RELEASE)).body)
      .toMatchObject({ security_advisories: [{ id: "EEF-1" }] });
    await expectTwins();
  });

  it("with the headers of JSON, and keys of its own to purge it by", async () => {
    const { headers } = await file(RELEASE);
    expect(headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(headers.get("cache-control")).toBe("public, max-age=60");
    const head = await registry.publicStore.head("api/packages/example/releases/1.0.0");
    expect(head?.metadata["surrogate-key"]).toBe("public:json:example:1.0.0 public:all");
    const whole = await registry.publicStore.head("api/packages/example");
    expect(whole?.metadata["surrogate-key"]).toBe("public:json:example public:all");
  });

  it("and goes with the release, and with the package", async () => {
    expect((await send("POST", "/publish", packageTarball({ metadata: { name: "gone" } }))).status).toBe(201);
    expect((await file("/packages/gone/releases/1.0.0")).status).toBe(200);
    expect((await send("DELETE", "/packages/gone/releases/1.0.0")).status).toBe(204);
    expect((await file("/packages/gone")).status).toBe(404);
    expect((await file("/packages/gone/releases/1.0.0")).status).toBe(404);
    expect(await checkBucket(registry.generator)).toEqual([]);
  });

  it("a reader that verifies the repository finds nothing wrong with it", async () => {
    const strays = async () => {
      const { findings } = await verifyRepository(storeSource(registry.publicStore), {});
      // The tarball of the package that is gone waits for its grace.
      return findings.filter((finding) => !finding.key.startsWith("tarballs/gone-"));
    };
    expect(await strays()).toEqual([]);
    const body = Buffer.from("{}");
    const options = { precondition: { kind: "absent" }, contentType: "application/json" } as const;
    await registry.publicStore.put("api/packages/nobody", body, options as never);
    expect(await strays()).toMatchObject([{ key: "api/packages/nobody", check: "stray" }]);
    await registry.publicStore.delete("api/packages/nobody", {});
  });
});

it("a private repository has none", async () => {
  const world = await createWorld({ twins: true });
  try {
    const acme = await openRowPublisher(world.sql, world.privateStore, { name: "acme", public: false });
    await acme.publish("secret", "1.0.0");
    await world.rows.publish("pear", "1.0.0");
    const { generator } = world.generator();
    await generator.settle();
    const keys: string[] = [];
    for await (const { key } of world.publicStore.list("")) keys.push(key);
    expect(keys).toContain("repos/acme/packages/secret");
    expect(keys.filter((key) => key.includes("api/"))).toEqual([
      "api/packages/pear",
      "api/packages/pear/releases/1.0.0",
    ]);
  } finally {
    await world.close();
  }
});

it("is written for what is there when the setting is turned on, and taken away when it is turned off", async () => {
  const world = await createWorld();
  try {
    await world.rows.publish("pear", "1.0.0");
    const { context } = world.generator();
    const run = async (twins: GeneratorContext["twins"]) => {
      const own = { ...context, twins };
      const generator = new Generator(own);
      const signal = new AbortController().signal;
      await rebuild(own, generator, { strays: "few", signal });
      await generator.releaseClaims();
      expect(await checkBucket(own)).toEqual([]);
      const keys: string[] = [];
      for await (const { key } of world.publicStore.list("api/")) keys.push(key);
      return keys;
    };
    expect(await run(undefined)).toEqual([]);
    const both = ["api/packages/pear", "api/packages/pear/releases/1.0.0"];
    expect(await run(registry.generator.twins)).toEqual(both);
    // As if the books had been lost: what rows stand behind is no stray.
    await world.sql`delete from objects where key like 'api/%'`;
    expect(await run(registry.generator.twins)).toEqual(both);
    await world.publicStore.delete("api/packages/pear", {});
    expect(await run(registry.generator.twins)).toEqual(both);
    expect(await run(undefined)).toEqual([]);
  } finally {
    await world.close();
  }
});
