/** Stores that fail before and after they have done what was asked, time out, and do it later after all. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createWorld, type World } from "../support/world.ts";

let world: World;
beforeEach(async () => {
  world = await createWorld();
  await world.rows.publish("foo", "1.0.0");
  await world.rows.publish("gone", "1.0.0");
  await world.expectWhole({ foo: ["1.0.0"], gone: ["1.0.0"] });
  await world.rows.publish("foo", "1.1.0");
  await world.rows.publish("bar", "1.0.0");
  await world.rows.revert("gone", "1.0.0");
});
afterEach(() => world.close());

const WRITTEN = [
  "tarballs/foo-1.1.0.tar",
  "tarballs/bar-1.0.0.tar",
  "packages/foo",
  "packages/bar",
  "versions",
  "names",
];
const AFTER = { bar: ["1.0.0"], foo: ["1.0.0", "1.1.0"] };

async function settle(): Promise<unknown> {
  const { generator } = world.generator();
  const error: unknown = await generator.settle().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  await generator.releaseClaims();
  return error;
}

describe.each(WRITTEN)("put %s", (key) => {
  it("fails once before it has an effect: the same build tries again", async () => {
    world.publicStore.failBefore("put", key);
    expect(await settle()).toBeUndefined();
    await world.expectWhole(AFTER);
  });

  it("times out after it was written: the build finds its own object", async () => {
    world.publicStore.failAfter("put", key);
    expect(await settle()).toBeUndefined();
    expect(
      world.publicStore.calls.filter((call) => call.operation === "put" && call.key === key && call.applied),
    ).not.toHaveLength(0);
    await world.expectWhole(AFTER);
  });

  it("and the look after it fail as well", async () => {
    world.publicStore.failAfter("put", key);
    world.publicStore.failBefore("head", key, { times: 2 });
    expect(await settle()).toBeUndefined();
    await world.expectWhole(AFTER);
  });

  it("fails for longer than a build tries: the changes stay, and nothing dangles", async () => {
    world.publicStore.failBefore("put", key, { times: 100 });
    expect(await settle()).toMatchObject({ code: "store_unavailable" });
    await world.expectNothingDangling();
    await world.expectWhole(AFTER);
  });

  it("fails after it was written, for ever, and the publish is reverted", async () => {
    world.publicStore.failAfter("put", key, { times: 100 });
    await settle();
    await world.rows.revert("foo", "1.1.0");
    await world.rows.revert("bar", "1.0.0");
    await world.expectWhole({ foo: ["1.0.0"] });
  });

  it("arrives after a second request has succeeded and the publish was reverted", async () => {
    const settings = { recheckSeconds: [0.5, 0.5, 0.5] };
    const late = world.publicStore.arriveLate("put", key);
    const first = world.generator({ settings });
    await first.generator.settle();
    await late.reached;
    await world.rows.revert("foo", "1.1.0");
    await world.rows.revert("bar", "1.0.0");
    await first.generator.settle();
    await first.generator.releaseClaims();
    await late.release().catch(() => undefined);
    const { generator } = world.generator({ settings });
    await generator.settle();
    await generator.releaseClaims();
    await world.expectWhole({ foo: ["1.0.0"] });
  });

  it("arrives after its generator gave up and another has reverted the publish", async () => {
    world.publicStore.failBefore("put", key, { skip: 1, times: 100 });
    const late = world.publicStore.arriveLate("put", key);
    expect(await settle()).toBeDefined();
    await world.rows.revert("foo", "1.1.0");
    await world.rows.revert("bar", "1.0.0");
    world.publicStore.heal();
    // The next generator has looked, and will look again: by then the request has arrived.
    const { generator } = world.generator({ settings: { recheckSeconds: [0.2, 0.2] } });
    await generator.settle();
    await generator.releaseClaims();
    await late.release().catch(() => undefined);
    await world.expectWhole({ foo: ["1.0.0"] });
  });
});

describe.each(["packages/gone", "tarballs/gone-1.0.0.tar"])("delete %s", (key) => {
  it.each(["failBefore", "failAfter"] as const)("%s", async (fault) => {
    world.publicStore[fault]("delete", key, { times: 2 });
    await settle();
    await world.expectWhole(AFTER);
  });

  it("arrives after the version was published again", async () => {
    world.publicStore.failBefore("delete", key, { skip: 1, times: 100 });
    const late = world.publicStore.arriveLate("delete", key);
    await settle();
    await late.reached;
    world.publicStore.heal();
    await world.rows.publish("gone", "1.0.0");
    const { generator } = world.generator({ settings: { recheckSeconds: [0.2, 0.2] } });
    await generator.settle();
    await generator.releaseClaims();
    await late.release().catch(() => undefined);
    await world.expectWhole({ ...AFTER, gone: ["1.0.0"] });
  });
});

it("the private store fails while a tarball is fetched", async () => {
  world.privateStore.failBefore("get", undefined, { times: 2 });
  await settle();
  await world.expectNothingDangling();
  await world.expectWhole(AFTER);
});

it("an object that was removed by hand is created again", async () => {
  await world.expectWhole(AFTER);
  for (const key of ["packages/foo", "versions", "names"]) await world.publicStore.delete(key);
  await world.rows.publish("foo", "1.2.0");
  await world.expectWhole({ ...AFTER, foo: ["1.0.0", "1.1.0", "1.2.0"] });
});

it("an object that was overwritten by hand is written again", async () => {
  await world.expectWhole(AFTER);
  for (const key of ["packages/foo", "versions"]) {
    await world.publicStore.put(key, Buffer.from("by hand"), { precondition: { kind: "none" } });
  }
  await world.rows.publish("foo", "1.2.0");
  await world.expectWhole({ ...AFTER, foo: ["1.0.0", "1.1.0", "1.2.0"] });
});

it("the sampler finds what is missing or overwritten, and mends it", async () => {
  await world.expectWhole(AFTER);
  await world.publicStore.delete("tarballs/foo-1.1.0.tar");
  await world.publicStore.put("packages/bar", Buffer.from("by hand"), { precondition: { kind: "none" } });
  const { generator, context } = world.generator();
  await generator.sampleAll();
  expect(context.counters.samplesMended).toBe(2);
  await world.expectWhole(AFTER);
});

it("a database that was restored from a backup stops the generator, however often it starts", async () => {
  await world.expectWhole(AFTER);
  await world.sql`update leases set generation = 0`;
  await world.sql`update repositories set revision = 2`;
  await world.sql`update objects set etag = 'of the backup'`;
  await world.rows.publish("foo", "1.3.0");
  for (let start = 0; start < 12; start++) {
    const { generator } = world.generator();
    await expect(generator.settle()).rejects.toMatchObject({ code: "database_restored" });
    await generator.releaseClaims();
  }
});

it("a generator with another signing key refuses to start", async () => {
  await world.expectWhole(AFTER);
  const { generator } = world.generator({ signer: world.foreignSigner() });
  await expect(generator.settle()).rejects.toMatchObject({
    code: "signing_key_foreign",
    message: expect.stringContaining("skep rotate-key"),
  });
});

it("a file that is to go goes, although a late request put another one there", async () => {
  await world.rows.publish("bar", "1.0.0");
  await world.expectWhole({ bar: ["1.0.0"], foo: ["1.0.0", "1.1.0"] });
  await world.rows.revert("foo", "1.1.0");
  await world.rows.revert("foo", "1.0.0");
  const { generator } = world.generator({
    onStep: async (step, phase) => {
      if (step !== "delete-packages" || phase !== "before") return;
      await world.publicStore.put("packages/foo", Buffer.from("late"), { precondition: { kind: "none" } });
    },
  });
  await generator.settle();
  await generator.releaseClaims();
  expect(await world.publicStore.head("packages/foo")).toBeUndefined();
  await world.expectWhole({ bar: ["1.0.0"] });
});
