/** Several generators and several repositories. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openRowPublisher } from "../support/rows.ts";
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
