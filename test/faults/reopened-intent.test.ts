/** An overtaken generator opens its intents again, while the one that overtook it is looking at them. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { packageName, sha256, trusted } from "../../hex/ids.ts";
import { openIntents, openOwnIntents, putOffIntents } from "../../store/queries/books.ts";
import { createWorld, type World } from "../support/world.ts";

const PEAR = trusted(packageName, "pear");
const INTENT = { key: "packages/pear", package: PEAR, payloadHash: trusted(sha256, "a".repeat(64)) };

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

it("outlives the last look of those that began before, and is looked at as often as a new one", async () => {
  const { sql } = world;
  const [repository] = await sql<{ id: number }[]>`select id from repositories limit 1`;
  const id = repository?.id ?? 0;
  const open = () => sql.begin((tx) => openOwnIntents(tx, id, 1_000, [INTENT]));
  const read = () => openIntents(sql, id, 1_001);
  await open();
  await sql.begin(async (tx) => putOffIntents(tx, id, await read(), [0]));
  const lastLook = await read();
  expect(lastLook).toMatchObject([{ looks: 1 }]);
  await open();
  await sql.begin((tx) => putOffIntents(tx, id, lastLook, [0]));
  expect(await read()).toMatchObject([{ looks: 0, lookAt: null }]);
});
