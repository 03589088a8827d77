/** `skep rebuild --check` and `skep diff` beside builds that are to come, and that they change nothing. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Finding } from "../../generator/check/finding.ts";
import { checkBucket, checkEach } from "../../generator/check.ts";
import { diff } from "../../generator/diff/diff.ts";
import type { StepName } from "../../generator/steps.ts";
import { createWorld, type World } from "../support/world.ts";

let world: World;
const LIVE: Record<string, string[]> = { kiwi: ["1.0.0", "1.2.0"], pear: ["1.0.0"] };

beforeAll(async () => {
  world = await createWorld();
  await world.rows.publish("kiwi", "1.0.0");
  await world.rows.publish("kiwi", "1.2.0");
  await world.rows.publish("pear", "1.0.0");
});
afterAll(() => world.close());
beforeEach(() => world.expectWhole(LIVE));

const check = () => checkBucket(world.generator().context);

async function planned(): Promise<readonly string[]> {
  const lines: string[] = [];
  await diff(world.generator().context, {
    onBuild: ({ repository, changes, packages }) => lines.push(`${repository}: ${changes} of ${packages}`),
    onStep: ({ key, action, words }) =>
      lines.push(...(words.length ? words : [action]).map((word) => `${key}: ${word}`)),
  });
  return lines;
}

/** Every row of every table, as text. */
async function everything(): Promise<readonly object[]> {
  const tables = await world.sql<{ name: string }[]>`
    select table_name as name from information_schema.tables
    where table_schema = current_schema() and table_type = 'BASE TABLE' order by 1`;
  return Promise.all(
    tables.map(async ({ name }) => ({
      name,
      rows: await world.sql`select t::text from ${world.sql(name)} t order by 1`,
    })),
  );
}

/** Anything that it is asked to change, it refuses. */
async function changingNothing(work: () => Promise<unknown>): Promise<void> {
  const rows = await everything();
  const refused = { times: 1_000, error: new Error("changed something") };
  world.publicStore.failBefore("put", undefined, refused);
  world.publicStore.failBefore("delete", undefined, refused);
  world.privateStore.failBefore("put", undefined, refused);
  world.privateStore.failBefore("delete", undefined, refused);
  await work();
  expect(await everything()).toEqual(rows);
  world.publicStore.heal();
  world.privateStore.heal();
}

describe("check", () => {
  it("tells what a build is to come for from what nobody will mend", async () => {
    await world.publicStore.delete("tarballs/pear-1.0.0.tar");
    await world.rows.retire("kiwi", "1.2.0", "security");
    const findings = await check();
    expect(findings.map(({ key, pending }) => [key, pending])).toEqual([
      ["names", true],
      ["packages/kiwi", true],
      ["tarballs/pear-1.0.0.tar", undefined],
      ["versions", true],
    ]);
    expect(findings[3]).toMatchObject({
      fields: [
        { field: "packages[kiwi].versions[1.2.0].retired", stored: false, wanted: true },
        { field: "revision" },
      ],
    });
    await world.rows.retire("kiwi", "1.2.0", null);
    await world.sql`
      insert into changes (repository, package, look) values ('local', 'pear', true)`;
  });

  it("changes nothing, whatever it finds", async () => {
    await world.publicStore.delete("packages/pear");
    await world.publicStore.put("packages/stray", Buffer.from("by hand"), { precondition: { kind: "none" } });
    await world.publicStore.put("tarballs/kiwi-1.0.0.tar", Buffer.from("by hand"), {
      precondition: { kind: "none" },
    });
    await changingNothing(async () => expect(await check()).toHaveLength(3));
    await world.publicStore.delete("packages/stray");
    await world.sql`
      insert into changes (repository, package, look) values ('local', 'pear', true), ('local', 'kiwi', true)`;
  });

  it("a build that comes between the rows and the look is no difference", async () => {
    const pause = world.publicStore.pauseBefore("get", "packages/kiwi");
    const checking = check();
    await pause.reached;
    await world.rows.retire("kiwi", "1.0.0", "other");
    const { generator } = world.generator();
    await generator.settle();
    await generator.releaseClaims();
    pause.release();
    expect(await checking).toEqual([]);
  });

  it("of a file that differs everywhere only the first fields are kept", async () => {
    const versions = Array.from({ length: 40 }, (_, index) => `0.${index}.0`);
    const old = await world.publicStore.get("packages/pear");
    for (const version of versions) await world.rows.publish("pear", version);
    LIVE.pear = ["1.0.0", ...versions].sort();
    await world.expectWhole(LIVE);
    await world.publicStore.put("packages/pear", old?.body ?? Buffer.alloc(0), {
      precondition: { kind: "none" },
    });
    const [finding] = await check();
    expect([finding?.key, finding?.fields?.length, finding?.moreFields]).toEqual(["packages/pear", 20, 21]);
    await world.sql`insert into changes (repository, package, look) values ('local', 'pear', true)`;
  });

  it("tells how far it is: packages, then objects", async () => {
    const told: string[] = [];
    const findings: Finding[] = [];
    await checkEach(world.generator().context, {
      onFinding: (finding) => findings.push(finding),
      onProgress: (done, total) => told.push(`${done} of ${total}`),
      onListed: (listed) => told.push(`${listed} listed`),
    });
    expect([told, findings]).toEqual([["2 of 2", "47 listed"], []]);
  });
});

describe("diff", () => {
  it("tells nothing when nothing waits", async () => {
    expect(await planned()).toEqual([]);
  });

  it("tells in words what comes, goes and changes, in the order of a build, and changes nothing", async () => {
    const { rows } = world;
    await rows.retire("kiwi", "1.2.0", "security", "do not use it");
    await rows.revert("kiwi", "1.0.0");
    await rows.publish("kiwi", "2.0.0");
    await rows.publish("apple", "2.0.0");
    await rows.publish("plum", "0.1.0");
    await rows.retire("plum", "0.1.0", "deprecated");
    await changingNothing(async () =>
      expect(await planned()).toEqual([
        "local: 6 of 3",
        "tarballs/apple-2.0.0.tar: create",
        "tarballs/kiwi-2.0.0.tar: create",
        "tarballs/plum-0.1.0.tar: create",
        "packages/apple: apple 2.0.0 appears",
        "packages/kiwi: kiwi 1.0.0 disappears",
        "packages/kiwi: kiwi 1.2.0 will be retired (security)",
        "packages/kiwi: kiwi 2.0.0 appears",
        "packages/plum: plum 0.1.0 appears, retired (deprecated)",
        "versions: +2 packages, 1 package changed",
        "names: +2 packages, 1 package changed",
        "tarballs/kiwi-1.0.0.tar: retire",
      ]),
    );
    Object.assign(LIVE, { apple: ["2.0.0"], kiwi: ["1.2.0", "2.0.0"], plum: ["0.1.0"] });
    await world.expectWhole(LIVE);
  });

  it("a package that goes, a retirement that is taken back or worded anew, and bytes that are replaced", async () => {
    const { rows } = world;
    await rows.retire("kiwi", "1.2.0", null);
    await rows.retire("plum", "0.1.0", "deprecated", "use pear");
    await rows.publish("kiwi", "2.0.0");
    await rows.revert("apple", "2.0.0");
    delete LIVE.apple;
    expect(await planned()).toEqual([
      "local: 4 of 3",
      "tarballs/kiwi-2.0.0.tar: replace",
      "packages/kiwi: kiwi 1.2.0 will be retired no longer",
      "packages/kiwi: kiwi 2.0.0 is replaced by other bytes",
      'packages/plum: plum 0.1.0 stays retired, message becomes "use pear"',
      "versions: -1 package, 1 package changed",
      "names: -1 package, 2 packages changed",
      "packages/apple: remove",
      "tarballs/apple-2.0.0.tar: retire",
    ]);
  });

  it("what an earlier build left half done, and deletions whose grace is over", async () => {
    await world.rows.revert("kiwi", "2.0.0");
    LIVE.kiwi = ["1.2.0"];
    await dieAt("put-versions");
    expect(await planned()).toEqual([
      "local: 1 of 1",
      "versions: 1 package changed",
      "names: 1 package changed",
      "packages/kiwi: record",
      "tarballs/kiwi-2.0.0.tar: retire",
    ]);
    await dieAt("delete-announce");
    expect(await planned()).toEqual(["local: 0 of 1", "tarballs/kiwi-2.0.0.tar: delete"]);
  });
});

async function dieAt(at: StepName): Promise<void> {
  const { generator } = world.generator({
    onStep: async (step) => {
      if (step === at) throw new Error("died");
    },
  });
  await expect(generator.settle()).rejects.toThrow("died");
  await generator.releaseClaims();
}
