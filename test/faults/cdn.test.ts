/** A CDN that holds old files, refuses purges, or accepts them and lies. */
import { afterEach, beforeEach, expect, it } from "vitest";
import type { GeneratorContext } from "../../generator/context.ts";
import { Generator } from "../../generator/generator.ts";
import { SkepError } from "../../schemas/errors.ts";
import type { Cache } from "../support/cache.ts";
import { createWorld, Gate, type World } from "../support/world.ts";

let world: World;
let cache: Cache;
beforeEach(async () => {
  world = await createWorld({ cache: true });
  if (world.cache === undefined) throw new Error("the world has no cache");
  cache = world.cache;
  await world.rows.publish("foo", "1.0.0");
  await world.expectWhole({ foo: ["1.0.0"] });
  // Installs before: the cache is full of what is about to be old.
  for (const key of ["names", "versions", "packages/foo", "tarballs/foo-1.0.0.tar"]) await cache.get(key);
});
afterEach(() => world.close());

async function settleOnce(): Promise<void> {
  const { generator } = world.generator();
  await generator.settle();
  await generator.releaseClaims();
}

const isVisible = async (change: number): Promise<boolean> => {
  const [row] = await world.sql<{ visible: boolean }[]>`
    select visible_at is not null as visible from changes where id = ${change}`;
  return row?.visible ?? true;
};

it("a publish is visible through the cache, which is purged twice", async () => {
  const before = cache.purged.length;
  const change = await world.rows.publish("foo", "1.1.0");
  await settleOnce();
  expect(await isVisible(change)).toBe(true);
  const stored = await world.publicStore.head("packages/foo");
  expect((await cache.get("packages/foo"))?.etag).toBe(stored?.etag);
  await world.expectWhole({ foo: ["1.0.0", "1.1.0"] });
  const purges = cache.purged.slice(before).filter((keys) => keys.includes("public:package:foo"));
  expect(purges).toHaveLength(2);
});

it.each([1, 3, 8])("refuses %d times: the change is not visible before the purge took", async (times) => {
  cache.refusals = times;
  const change = await world.rows.publish("foo", "1.1.0");
  await settleOnce();
  if (cache.refusals > 0) expect(await isVisible(change)).toBe(false);
  await world.expectWhole({ foo: ["1.0.0", "1.1.0"] });
  expect(await isVisible(change)).toBe(true);
});

it.each([1, 3, 8])("lies %d times: the read-back notices, and purges again", async (times) => {
  cache.lies = times;
  const change = await world.rows.publish("foo", "1.1.0");
  const { generator, context } = world.generator();
  await generator.settle();
  expect(context.counters.staleReads).toBeGreaterThan(0);
  if (cache.lies > 0) expect(await isVisible(change)).toBe(false);
  await generator.releaseClaims();
  await world.expectWhole({ foo: ["1.0.0", "1.1.0"] });
});

it("keeps the tarball of a reverted release until no cached file can name it", async () => {
  await world.rows.publish("foo", "1.1.0");
  await world.expectWhole({ foo: ["1.0.0", "1.1.0"] });
  await cache.get("packages/foo");
  cache.refusals = 1_000;
  await world.rows.revert("foo", "1.1.0");
  await settleOnce();
  // The old packages/foo is still served, so its tarballs must be.
  expect(await world.publicStore.head("tarballs/foo-1.1.0.tar")).toBeDefined();
  cache.refusals = 0;
  await world.expectWhole({ foo: ["1.0.0"] });
  expect(await world.publicStore.head("tarballs/foo-1.1.0.tar")).toBeUndefined();
});

it("finds by sampling what a purge missed", async () => {
  const old = await cache.get("packages/foo");
  await world.rows.publish("foo", "1.1.0");
  await world.expectWhole({ foo: ["1.0.0", "1.1.0"] });
  // As if a shield had put back what it had read before the purge.
  if (old !== undefined) cache.plant("packages/foo", old);
  const { generator, context } = world.generator();
  await generator.sampleAll();
  expect(context.counters.samplesMended).toBe(1);
  await world.expectWhole({ foo: ["1.0.0", "1.1.0"] });
});

it("a purge that hangs holds no other up", async () => {
  const gate = new Gate();
  const { generator, context } = world.generator();
  const hanging: GeneratorContext = {
    ...context,
    cdn: {
      reader: cache,
      purger: {
        description: cache.description,
        async purge(keys) {
          if (keys.includes("public:package:foo")) await gate.pass();
          await cache.purge(keys);
        },
      },
    },
  };
  const stop = new AbortController();
  const run = new Generator(hanging).run(stop.signal);
  const hung = await world.rows.publish("foo", "1.1.0");
  await gate.reached;
  for (const version of ["1.0.0", "1.1.0", "1.2.0"]) {
    const change = await world.rows.publish("bar", version);
    await expect.poll(() => isVisible(change), { timeout: 10_000 }).toBe(true);
  }
  expect(await isVisible(hung)).toBe(false);
  gate.open();
  stop.abort();
  await run;
  await generator.releaseClaims();
  await world.expectWhole({ bar: ["1.0.0", "1.1.0", "1.2.0"], foo: ["1.0.0", "1.1.0"] });
});

it("what is newer than the record for a moment is not stale", async () => {
  const { generator, context } = world.generator();
  // The next build has put, but not recorded yet.
  let ahead = 1;
  const reader = {
    etag: async (key: string) => (key === "packages/foo" && ahead-- > 0 ? "next" : cache.etag(key)),
  };
  const change = await world.rows.publish("foo", "1.1.0");
  const other = new Generator({ ...context, cdn: { purger: cache, reader } });
  await other.settle();
  await other.releaseClaims();
  expect(await isVisible(change)).toBe(true);
  expect(ahead).toBeLessThan(0);
  expect(context.counters.staleReads).toBe(0);
  await generator.releaseClaims();
});

it("an object that cannot be read does not keep the sampler from the others", async () => {
  const { generator, context } = world.generator();
  const reader = {
    async etag(key: string) {
      if (key === "names") throw new SkepError("store_unavailable", "no answer");
      return key === "versions" ? "other" : cache.etag(key);
    },
  };
  await new Generator({ ...context, cdn: { purger: cache, reader } }).sampleAll();
  expect(context.counters.samplesMended).toBe(1);
  await generator.releaseClaims();
});
