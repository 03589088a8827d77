/** The private store loses or spoils bytes that a row refers to: one release is held back, nobody else. */
import { afterEach, beforeEach, expect, it } from "vitest";
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
  expect(await world.sql`select package, version, reason from holds`).toEqual([
    { package: "foo", version: "1.0.0", reason: fault === "lost" ? "blob_missing" : "blob_corrupt" },
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
