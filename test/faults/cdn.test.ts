/** A CDN that holds old files, refuses purges, or accepts them and lies. */
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Cache } from "../support/cache.ts";
import { createWorld, type World } from "../support/world.ts";

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
