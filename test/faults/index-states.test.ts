/**
 * What generators hold in memory of the indexes, against a full build of the same rows: after any history, and where
 * what is held is wrong.
 */
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { repositoryObjects } from "../../generator/build/objects.ts";
import { signedFile } from "../../generator/build/signed-file.ts";
import type { Generator } from "../../generator/generator.ts";
import { loadIndexFiles } from "../../generator/index/index-states.ts";
import { repositoryName, trusted } from "../../hex/ids.ts";
import { gunzipOneMember } from "../../proto/gzip.ts";
import { decodeVersions } from "../../proto/registry.ts";
import { openSigned } from "../../proto/sign.ts";
import { micros } from "../../schemas/time.ts";
import { writeAdvisory } from "../../store/queries/advisories.ts";
import { heldReleases } from "../../store/queries/books.ts";
import { forgetVisibleChanges, recordChanges, requestLooks } from "../../store/queries/changes.ts";
import { inSnapshot, repositoryById } from "../../store/queries/registry.ts";
import { name } from "../support/rows.ts";
import { testSigner } from "../support/signing.ts";
import { createWorld, type World } from "../support/world.ts";

const signer = testSigner();
let world: World;
let generator: Generator;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  generator = world.generator().generator;
  await generator.settle();
});

afterEach(() => generator.releaseClaims());

/** Builds what is pending, and compares with what everything that is there now gives. */
async function expectFullBuild(by = generator): Promise<void> {
  await by.settle();
  const full = await inSnapshot(world.sql, async (tx) => {
    const repository = await repositoryById(tx, world.rows.repositoryId);
    if (repository === undefined) throw new TypeError("no repository");
    const files = await loadIndexFiles(tx, repository.id, await heldReleases(tx, repository.id));
    return repositoryObjects(repository, files, signer);
  });
  for (const { key, source } of full) {
    if (source.kind !== "sign") continue;
    const stored = await world.publicStore.get(key);
    expect(Buffer.from(await signedFile(source, signer)).equals(stored?.body ?? Buffer.alloc(0)), key).toBe(
      true,
    );
  }
}

async function storedVersions(): Promise<Record<string, readonly string[]>> {
  const stored = await world.publicStore.get("versions");
  const { payload } = openSigned(gunzipOneMember(stored?.body ?? Buffer.alloc(0), 1 << 20));
  return Object.fromEntries(decodeVersions(payload).packages.map((each) => [each.name, each.versions]));
}

async function advise(packageText: string, id: string, withdrawn: boolean): Promise<void> {
  await world.sql.begin(async (tx) => {
    const row = {
      id,
      summary: "Something leaks",
      aliases: [],
      publishedAt: micros(1),
      modifiedAt: micros(1),
      withdrawnAt: withdrawn ? micros(2) : null,
      cvssVector: null,
      cvssScore: null,
      cvssRating: null,
      references: [],
    };
    const affected = { ranges: [[{ introduced: "0" }, { fixed: "1.0.0" }]], versions: [] };
    const named = name(packageText);
    await writeAdvisory(tx, world.rows.repositoryId, row, new Map([[named, affected]]));
    await recordChanges(tx, world.rows.repositoryId, [named]);
  });
}

const STEPS: Readonly<Record<string, (name: string, version: string) => Promise<unknown>>> = {
  publish: (name, version) => world.rows.publish(name, version),
  revert: (name, version) => world.rows.revert(name, version),
  retire: (name, version) => world.rows.retire(name, version, "other", "because"),
  unretire: (name, version) => world.rows.retire(name, version, null),
  docs: (name, version) => world.rows.docs(name, version, Buffer.from(version)),
  advise: (name) => advise(name, `EEF-${name}`, false),
  withdraw: (name) => advise(name, `EEF-${name}`, true),
};
const step = fc.record({
  what: fc.constantFrom("publish", ...Object.keys(STEPS)),
  name: fc.constantFrom("a", "b_1", "ccc"),
  version: fc.constantFrom("0.1.0", "1.0.0-rc.1", "1.10.0"),
  // Which generator builds, or none yet.
  by: fc.constantFrom(0, 0, 1, undefined),
});

it("any history, built by one generator or another", async () => {
  const generators = [generator, world.generator().generator];
  await generator.releaseClaims();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), async (steps) => {
      for (const { what, name, version, by } of steps) {
        await STEPS[what]?.(name, version);
        const builder = by === undefined ? undefined : generators[by];
        if (builder === undefined) continue;
        await expectFullBuild(builder);
        await builder.releaseClaims();
      }
    }),
    { numRuns: 40 },
  );
});

it("reads only what has changed, and everything when it is asked to look", async () => {
  await world.rows.publish("quiet", "1.0.0");
  await generator.settle();
  // By nobody who tells of it.
  await world.sql`update releases set version = '1.0.1' where version = '1.0.0'
    and package_id = (select id from packages where name = 'quiet')`;
  await world.rows.publish("loud", "1.0.0");
  await generator.settle();
  expect(await storedVersions()).toMatchObject({ quiet: ["1.0.0"], loud: ["1.0.0"] });

  await requestLooks(world.sql, trusted(repositoryName, "local"), [null]);
  await expectFullBuild();
  expect(await storedVersions()).toMatchObject({ quiet: ["1.0.1"] });
});

/** Rows that change unseen, and what makes a generator that has seen them as they were look again. */
const DOUBTS: Readonly<Record<string, () => Promise<unknown>>> = {
  "a change is missing": async () => {
    const id = await world.rows.publish("other", "2.0.0");
    await world.sql`delete from changes where id = ${id}`;
  },
  "the schema is another one": () =>
    world.sql`insert into schema_migrations (number, name) select max(number) + 1, 'later' from schema_migrations`,
  "the database was restored and went on from there": async () => {
    const { repositoryId } = world.rows;
    const [at] = await world.sql<{ revision: number }[]>`
      select revision from repositories where id = ${repositoryId}`;
    const revision = (at?.revision ?? 0) - 1;
    await world.sql`delete from changes where revision > ${revision}`;
    await world.sql`update repositories set revision = ${revision} where id = ${repositoryId}`;
    // As many as were lost, and one more.
    await world.rows.publish("other", "3.0.0");
    await world.rows.publish("other", "3.0.1");
  },
};

it.each(Object.entries(DOUBTS))("reads everything when %s", async (_, doubt) => {
  await world.rows.publish("gone", "1.0.0");
  await world.rows.publish("gone", "1.1.0");
  await expectFullBuild();
  await world.sql`delete from releases where version = '1.1.0'
    and package_id = (select id from packages where name = 'gone')`;
  await doubt();
  await world.rows.publish("next", "1.0.0");
  await expectFullBuild();
  expect(await storedVersions()).toMatchObject({ gone: ["1.0.0"], next: ["1.0.0"] });
  await world.sql`delete from schema_migrations where name = 'later'`;
});

it("leaves out what is held back, and takes it in again, whatever is published", async () => {
  await world.rows.publish("held", "1.0.0");
  await world.rows.publish("held", "1.1.0");
  await expectFullBuild();
  await world.sql`insert into holds (repository_id, package, version, object, reason)
    values (${world.rows.repositoryId}, 'held', '1.1.0', 'tarball', 'blob_missing')`;
  await world.rows.publish("next", "2.0.0");
  await expectFullBuild();
  expect(await storedVersions()).toMatchObject({ held: ["1.0.0"] });

  await world.sql`delete from holds`;
  await world.rows.publish("next", "2.1.0");
  await expectFullBuild();
  expect(await storedVersions()).toMatchObject({ held: ["1.0.0", "1.1.0"] });
});

it("the changes of a revision are forgotten together, and never those of the last", async () => {
  const { repositoryId } = world.rows;
  const record = (...names: string[]) =>
    world.sql.begin((tx) => recordChanges(tx, repositoryId, names.map(name)));
  const left = async () =>
    (await world.sql`select package from changes order by id`).map((row) => row.package);
  await world.sql`delete from changes`;
  await record("half", "waits");
  await record("whole", "too");
  await record("last");
  await world.sql`update changes set visible_at = now() - interval '2 hours' where package <> 'waits'`;

  await forgetVisibleChanges(world.sql);
  expect(await left()).toEqual(["half", "waits", "last"]);
  await world.sql`update changes set visible_at = now() - interval '2 hours'`;
  await forgetVisibleChanges(world.sql);
  expect(await left()).toEqual(["last"]);
});
