/** The private store loses or spoils bytes that a row refers to: one release is held back, nobody else. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { rebuild } from "../../generator/rebuild.ts";
import type { StoredObject } from "../../store/objects/store.ts";
import { createWorld, type World } from "../support/world.ts";

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

async function blobOf(packageName: string): Promise<string> {
  const [row] = await world.sql<{ key: string }[]>`
    select blob_key as key from releases r join packages p on p.id = r.package_id where p.name = ${packageName}`;
  return row?.key ?? "";
}

async function settle(): Promise<void> {
  const { generator } = world.generator();
  await generator.settle();
  await generator.releaseClaims();
}

it.each(["lost", "spoilt"] as const)("%s, and back again", async (fault) => {
  await world.rows.publish("foo", "1.0.0");
  await world.rows.publish("bar", "1.0.0");
  const key = await blobOf("foo");
  const blob = await world.privateStore.get(key);
  if (fault === "lost") await world.privateStore.delete(key);
  else await world.privateStore.put(key, Buffer.from("other bytes"), { precondition: { kind: "none" } });
  await settle();

  // No file names it, and the other package is there.
  expect(await world.publicStore.head("packages/foo")).toBeUndefined();
  expect(await world.publicStore.head("tarballs/foo-1.0.0.tar")).toBeUndefined();
  expect(await world.publicStore.head("packages/bar")).toBeDefined();
  expect(await world.sql`select package, version, object, reason from holds`).toEqual([
    {
      package: "foo",
      version: "1.0.0",
      object: "tarball",
      reason: fault === "lost" ? "blob_missing" : "blob_corrupt",
    },
  ]);
  // A later build of another package does not name it either.
  await world.rows.publish("bar", "1.1.0");
  await settle();
  await world.expectClean();

  await world.privateStore.put(key, blob?.body ?? Buffer.alloc(0), { precondition: { kind: "none" } });
  await world.sql`update changes set not_before = now() where finished_at is null`;
  await world.expectWhole({ bar: ["1.0.0", "1.1.0"], foo: ["1.0.0"] });
  expect(await world.sql`select from holds`).toHaveLength(0);
});

describe("while a release is held back", () => {
  let key: string;
  let blob: StoredObject | undefined;
  beforeEach(async () => {
    await world.rows.publish("foo", "1.0.0");
    key = await blobOf("foo");
    blob = await world.privateStore.get(key);
    await world.privateStore.delete(key);
    await settle();
  });

  const giveBack = () =>
    world.privateStore.put(key, blob?.body ?? Buffer.alloc(0), { precondition: { kind: "none" } });
  const retryNow = () => world.sql`update changes set not_before = now() where finished_at is null`;

  it("what else is published of the package is built and visible", async () => {
    const change = await world.rows.publish("foo", "1.1.0");
    await settle();
    expect(await world.sql`select id from changes where id = ${change} and visible_at is not null`).toEqual([
      { id: change },
    ]);
    expect(await world.publicStore.head("tarballs/foo-1.1.0.tar")).toBeDefined();
    await retryNow();
    await settle();
    expect(await world.sql`select package from changes where finished_at is null`).toEqual([
      { package: "foo" },
    ]);
    await giveBack();
    await retryNow();
    await world.expectWhole({ foo: ["1.0.0", "1.1.0"] });
  });

  it("a rebuild ends, and says what it could not publish", async () => {
    await world.rows.publish("bar", "1.0.0");
    const { generator, context } = world.generator();
    const signal = AbortSignal.timeout(20_000);
    const { held } = await rebuild(context, generator, { strays: "few", signal });
    expect(held).toEqual([{ package: "foo", version: "1.0.0", object: "tarball", reason: "blob_missing" }]);
    await generator.releaseClaims();
    // However often it is rebuilt, one thing stays to be tried again.
    expect(await world.sql`select from changes where finished_at is null`).toHaveLength(1);
    await giveBack();
    await retryNow();
    await world.expectWhole({ bar: ["1.0.0"], foo: ["1.0.0"] });
  });
});

it("docs that are lost hold no release back, and come when they are back", async () => {
  await world.rows.publish("foo", "1.0.0");
  const change = await world.rows.docs("foo", "1.0.0", Buffer.from("docs"));
  const [row] = await world.sql<{ key: string }[]>`select docs_blob_key as key from releases`;
  const key = row?.key ?? "";
  const blob = await world.privateStore.get(key);
  await world.privateStore.delete(key);
  await settle();
  expect(await world.publicStore.head("packages/foo")).toBeDefined();
  expect(await world.publicStore.head("docs/foo-1.0.0.tar.gz")).toBeUndefined();
  // The upload was accepted, but nobody is told that it can be read.
  expect(await world.sql`select from changes where id = ${change} and visible_at is null`).toHaveLength(1);
  await world.privateStore.put(key, blob?.body ?? Buffer.alloc(0), { precondition: { kind: "none" } });
  await world.sql`update changes set not_before = now() where finished_at is null`;
  await world.expectWhole({ foo: ["1.0.0"] });
  expect(await world.publicStore.head("docs/foo-1.0.0.tar.gz")).toBeDefined();
});
