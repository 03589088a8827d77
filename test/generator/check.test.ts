/** `skep rebuild --check` and `skep diff` beside builds that are to come, and that they change nothing. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Finding } from "../../generator/check/finding.ts";
import { checkBucket, checkEach } from "../../generator/check.ts";
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
