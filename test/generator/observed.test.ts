/** What a generator tells of its work: which requests became visible, and how long that took. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { Generator } from "../../generator/generator.ts";
import { forgetVisibleChanges, recordChange, type ShownChange } from "../../store/queries/changes.ts";
import { createWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld({ cache: true });
  await world.expectWhole({});
});
afterAll(() => world.close());

interface Entry {
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

/** Settles, and gives what it has told. */
async function observe(): Promise<{ entries: readonly Entry[]; shown: readonly ShownChange[] }> {
  const entries: Entry[] = [];
  const shown: ShownChange[] = [];
  const note = (fields: object, message: string) => void entries.push({ message, fields: { ...fields } });
  const generator = new Generator({
    ...world.generator().context,
    log: { info: note, warn: note, error: note },
    onVisible: (changes) => shown.push(...changes),
  });
  await generator.settle();
  await generator.releaseClaims();
  return { entries, shown };
}

async function change(requestId: string): Promise<void> {
  const { repositoryId } = world.rows;
  await world.sql.begin((tx) => recordChange(tx, { repositoryId, package: undefined, requestId }));
}

const told = (entries: readonly Entry[], message: string) =>
  entries.filter((entry) => entry.message.startsWith(message)).map(({ fields }) => fields);

it("names the requests that a build, and then a purge, has made visible; each lag once", async () => {
  await change("first");
  await change("second");
  await world.sql`update changes set inserted_at = now() - interval '10 seconds' where request_id = 'first'`;
  const { entries, shown } = await observe();
  expect(told(entries, "built")).toMatchObject([{ changes: 2, requestIds: ["first", "second"] }]);
  const purges = told(entries, "purged");
  expect(purges).toMatchObject([
    { round: 1, changes: 2, requestIds: ["first", "second"] },
    { round: 2, objects: 2 },
  ]);
  expect(told(entries, "built")[0]?.purge).toBe(purges[0]?.purge);
  expect(shown.map(({ requestId }) => requestId)).toEqual(["first", "second"]);
  const [first = 0, second = 0] = shown.map(({ seconds }) => seconds);
  expect(first - second).toBeGreaterThan(9);
  expect(second).toBeGreaterThan(0);
});

it("a purge that fails names who waits for it", async () => {
  await change("waiting");
  if (world.cache !== undefined) world.cache.refusals = 1;
  const { entries } = await observe();
  expect(told(entries, "purge not seen through")).toMatchObject([{ requestIds: ["waiting"] }]);
  await world.expectWhole({});
});

it("names twenty of a burst, and how many there were", async () => {
  for (let count = 0; count < 25; count++) await change(`request-${count}`);
  const { entries, shown } = await observe();
  const [built] = told(entries, "built");
  expect(built).toMatchObject({ changes: 25, requests: 25 });
  expect(built?.requestIds).toHaveLength(20);
  expect(shown).toHaveLength(25);
});

it("the last change of a repository is kept, and tells when that was", async () => {
  await change("last");
  await observe();
  await world.sql`update changes set visible_at = visible_at - interval '2 hours'`;
  await forgetVisibleChanges(world.sql);
  const rows = await world.sql<{ id: string }[]>`select request_id as id from changes`;
  expect(rows.map(({ id }) => id)).toEqual(["last"]);
});
