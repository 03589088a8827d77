/** Several generators and several repositories. */
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Generator } from "../../generator/generator.ts";
import { decodeNames, decodePackage, decodeVersions } from "../../proto/registry.ts";
import { verifySigned } from "../../proto/sign.ts";
import { Cache } from "../support/cache.ts";
import { openRowPublisher } from "../support/rows.ts";
import { testSigner } from "../support/signing.ts";
import { createWorld, type World } from "../support/world.ts";

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

it("one works at a time, and whoever comes first does the work", async () => {
  const generators = [1, 2, 3].map(() => world.generator());
  const stop = new AbortController();
  const runs = generators.map(({ generator }) => generator.run(stop.signal));
  for (let index = 0; index < 20; index++) await world.rows.publish("foo", `1.${index}.0`);
  await expect
    .poll(() => world.sql`select from changes where visible_at is null`, { timeout: 10_000 })
    .toHaveLength(0);
  stop.abort();
  await Promise.all(runs);
  expect(generators.reduce((sum, { context }) => sum + context.counters.overtaken, 0)).toBe(0);
  // Taken together: twenty publishes of a package are not twenty builds of it.
  await world.expectWhole({ foo: Array.from({ length: 20 }, (_, index) => `1.${index}.0`).sort() });
});

it("a generator that stops gives its claim back at once", async () => {
  const stop = new AbortController();
  const first = world.generator({ settings: { leaseSeconds: 3_600 } });
  const run = first.generator.run(stop.signal);
  await world.rows.publish("foo", "1.0.0");
  await expect
    .poll(() => world.sql`select from changes where visible_at is null`, { timeout: 10_000 })
    .toHaveLength(0);
  stop.abort();
  await run;
  await world.rows.publish("foo", "1.1.0");
  await world.expectWhole({ foo: ["1.0.0", "1.1.0"] });
});

describe("a private repository", () => {
  it("lies under repos/NAME, private to every cache, and never purges a public key", async () => {
    const rows = await openRowPublisher(world.sql, world.privateStore, { name: "acme", public: false });
    await rows.publish("secret", "1.0.0");
    const { generator } = world.generator();
    await generator.settle();
    await generator.releaseClaims();
    const keys: string[] = [];
    for await (const { key } of world.publicStore.list("repos/")) keys.push(key);
    expect(keys).toEqual([
      "repos/acme/names",
      "repos/acme/packages/secret",
      "repos/acme/public_key",
      "repos/acme/tarballs/secret-1.0.0.tar",
      "repos/acme/versions",
    ]);
    for (const key of keys) {
      const head = await world.publicStore.head(key);
      expect(head?.cacheControl).toMatch(/^private, /);
      expect(head?.metadata["surrogate-key"]).toMatch(/^private:acme:\S+ private:acme:all$/);
    }
    expect(await world.publicStore.head("packages/secret")).toBeUndefined();
  });
});

describe("several repositories in one store", () => {
  it("keep everything apart: files, payloads, docs, deletions", async () => {
    const acme = await openRowPublisher(world.sql, world.privateStore, { name: "acme", public: false });
    const beta = await openRowPublisher(world.sql, world.privateStore, { name: "beta", public: false });
    // One name in all of them.
    for (const rows of [world.rows, acme, beta]) await rows.publish("foo", "1.0.0");
    await acme.publish("secret", "1.0.0", {
      requirements: [
        { repository: "local", package: "foo", app: "foo", requirement: "~> 1.0", optional: false },
      ],
    });
    await acme.docs("secret", "1.0.0", Buffer.from("docs"));
    const { generator } = world.generator();
    await generator.settle();
    expect(await keysOutside("repos/")).toEqual([
      "names",
      "packages/foo",
      "public_key",
      "tarballs/foo-1.0.0.tar",
      "versions",
    ]);
    for (const [root, repository, packages] of [
      ["", "local", ["foo"]],
      ["repos/acme/", "acme", ["foo", "secret"]],
      ["repos/beta/", "beta", ["foo"]],
    ] as const) {
      const names = decodeNames(await payload(`${root}names`));
      expect([names.repository, names.packages.map(({ name }) => name)]).toEqual([repository, packages]);
      const versions = decodeVersions(await payload(`${root}versions`));
      expect([versions.repository, versions.packages.map(({ name }) => name)]).toEqual([
        repository,
        packages,
      ]);
      expect(decodePackage(await payload(`${root}packages/foo`))).toMatchObject({ repository, name: "foo" });
    }
    const secret = decodePackage(await payload("repos/acme/packages/secret"));
    expect(secret.repository).toBe("acme");
    // Said, as it is another repository than the package's own.
    expect(secret.releases[0]?.dependencies).toEqual([
      { package: "foo", requirement: "~> 1.0", repository: "local" },
    ]);
    expect((await world.publicStore.get("repos/acme/docs/secret-1.0.0.tar.gz"))?.body.toString()).toBe(
      "docs",
    );

    await acme.revert("foo", "1.0.0");
    await acme.docs("secret", "1.0.0", null);
    await generator.settle();
    await generator.releaseClaims();
    const left: string[] = [];
    for await (const { key } of world.publicStore.list("")) {
      if (/foo|docs/.test(key)) left.push(key);
    }
    expect(left.sort()).toEqual([
      "packages/foo",
      "repos/beta/packages/foo",
      "repos/beta/tarballs/foo-1.0.0.tar",
      "tarballs/foo-1.0.0.tar",
    ]);
  });

  async function keysOutside(prefix: string): Promise<readonly string[]> {
    const keys: string[] = [];
    for await (const { key } of world.publicStore.list("")) if (!key.startsWith(prefix)) keys.push(key);
    return keys.sort();
  }

  async function payload(key: string): Promise<Uint8Array> {
    const object = await world.publicStore.get(key);
    if (object === undefined) throw new Error(`${key} is not there`);
    return verifySigned(gunzipSync(object.body), testSigner().publicKeyPem);
  }
});

it("a CDN that lets the generator in to no private path is not taken for a stale one", async () => {
  const acme = await openRowPublisher(world.sql, world.privateStore, { name: "acme", public: false });
  await acme.publish("secret", "1.0.0");
  await world.rows.publish("foo", "1.0.0");
  const { context } = world.generator();
  const asked: string[] = [];
  const cache = new Cache(world.publicStore);
  const reader = {
    reads: (key: string) => !key.startsWith("repos/"),
    etag: async (key: string) => {
      asked.push(key);
      return cache.etag(key);
    },
  };
  const generator = new Generator({ ...context, cdn: { purger: cache, reader } });
  await generator.settle();
  expect(await world.sql`select from changes where visible_at is null`).toHaveLength(0);
  for (let round = 0; round < 3; round++) await generator.sampleAll();
  await generator.releaseClaims();
  expect(context.counters).toMatchObject({ purgesFailed: 0, staleReads: 0, samplesMended: 0 });
  expect(asked).toContain("packages/foo");
  expect(asked.filter((key) => key.startsWith("repos/"))).toEqual([]);
  // Purged all the same.
  expect(cache.purged.flat()).toContain("private:acme:package:secret");
});

it("a repository that cannot be built does not keep the others from it", async () => {
  const acme = await openRowPublisher(world.sql, world.privateStore, { name: "acme", public: false });
  await acme.publish("secret", "1.0.0");
  await world.rows.publish("foo", "1.0.0");
  world.publicStore.failBefore("put", /names$/, { times: 1_000, error: new TypeError("broken") });
  const { generator } = world.generator();
  await expect(generator.settle()).rejects.toThrow("builds failed");
  expect(await world.publicStore.head("packages/foo")).toBeDefined();
  expect(await world.publicStore.head("repos/acme/packages/secret")).toBeDefined();
  await generator.releaseClaims();
});
