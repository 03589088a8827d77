/** The database comes back from a backup, and the public store is ahead of it. */
import { beforeEach, describe, expect, it } from "vitest";
import { adopt } from "../../generator/adopt/adopt.ts";
import type { Finding } from "../../generator/check/finding.ts";
import { checkBucket } from "../../generator/check.ts";
import { rebuild } from "../../generator/rebuild.ts";
import { currentObject } from "../../generator/write/metadata.ts";
import { MemoryStore } from "../../store/objects/memory.ts";
import { backUp } from "../support/database.ts";
import { createWorld, type World } from "../support/world.ts";

const COUNTERS = ["select * from package_revisions order by name", "select * from repositories order by id"];

/** As it was when the backup was made. */
let before: World;
/** What the backup became. */
let restored: World;

beforeEach(async () => {
  const stores = { publicStore: new MemoryStore(), privateStore: new MemoryStore() };
  before = await createWorld({ stores });
  await before.rows.publish("foo", "1.0.0");
  await before.rows.publish("same", "1.0.0");
  await before.expectWhole({ foo: ["1.0.0"], same: ["1.0.0"] });

  const backup = await backUp(before.database);
  restored = await createWorld({ stores, databaseUrl: backup.url });
  return async () => {
    await restored.close();
    await before.close();
    await backup.drop();
  };
});

/** What the generators did between the backup and its restoration. */
async function goOn(): Promise<void> {
  await before.rows.publish("foo", "1.1.0");
  await before.rows.publish("foo", "1.2.0");
  await before.rows.publish("bar", "1.0.0");
  await before.expectWhole({ bar: ["1.0.0"], foo: ["1.0.0", "1.1.0", "1.2.0"], same: ["1.0.0"] });
}

async function settleRestored(): Promise<void> {
  const { generator } = restored.generator();
  try {
    await generator.settle();
  } finally {
    await generator.releaseClaims();
  }
}

async function adoptAndRebuild(acceptLoss: boolean) {
  const { generator, context } = restored.generator();
  const { signal } = new AbortController();
  const lost: string[] = [];
  const onFinding = ({ key }: Finding) => lost.push(key);
  try {
    const report = await adopt(context, { acceptLoss, onFinding, signal });
    await rebuild(context, generator, { strays: "keep", signal });
    return { report, lost, findings: await checkBucket(context) };
  } finally {
    await generator.releaseClaims();
  }
}

const counters = () => Promise.all(COUNTERS.map((query) => restored.sql.unsafe(query)));

/** Revision by key, of what bears one. */
async function revisions(): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for await (const { key } of restored.publicStore.list("")) {
    const head = await restored.publicStore.head(key);
    const revision = head && currentObject(head).revision;
    if (revision !== undefined) found.set(key, revision);
  }
  return found;
}

describe("with releases that only the store has", () => {
  beforeEach(async () => {
    await goOn();
    // The other history reaches the numbers that the store has seen, with other contents.
    await restored.rows.publish("foo", "2.0.0");
    await restored.rows.publish("foo", "2.1.0");
    await expect(settleRestored()).rejects.toMatchObject({
      code: "database_restored",
      message: expect.stringContaining("skep rebuild --adopt"),
    });
  });

  it("names them, and changes nothing", async () => {
    const all = [await counters(), await revisions()];
    await expect(adoptAndRebuild(false)).rejects.toMatchObject({
      code: "releases_unknown",
      message: expect.stringMatching(/5 objects[\s\S]*skep import/),
    });
    expect([await counters(), await revisions()]).toEqual(all);
  });

  it("goes on without them, and every file is later than the one before", async () => {
    const seen = await revisions();
    const { report, lost, findings } = await adoptAndRebuild(true);
    expect(report).toEqual({ raised: 1, kept: 4 });
    expect(lost).toEqual([
      "packages/bar",
      "packages/foo",
      "tarballs/bar-1.0.0.tar",
      "tarballs/foo-1.1.0.tar",
      "tarballs/foo-1.2.0.tar",
    ]);
    expect(findings.filter(({ difference }) => difference !== "stray")).toEqual([]);
    expect(findings.map(({ key }) => key)).toEqual([
      "packages/bar",
      "tarballs/bar-1.0.0.tar",
      "tarballs/foo-1.1.0.tar",
      "tarballs/foo-1.2.0.tar",
    ]);
    const now = await revisions();
    for (const key of ["names", "versions", "packages/foo"]) {
      expect(now.get(key)).toBeGreaterThan(seen.get(key) ?? Number.POSITIVE_INFINITY);
    }
    // What is as it was when the backup was made is left alone.
    expect(now.get("packages/same")).toBe(seen.get("packages/same"));
    // A name that is published again goes on after what the store has of it.
    await restored.rows.publish("bar", "1.0.0");
    await settleRestored();
    expect((await revisions()).get("packages/bar")).toBeGreaterThan(seen.get("packages/bar") ?? 0);
  });

  it("reads a revision from the file where its metadata was lost", async () => {
    const seen = await revisions();
    for (const key of ["versions", "packages/foo"]) {
      const { body } = (await restored.publicStore.get(key)) ?? {};
      if (body) await restored.publicStore.put(key, body, { precondition: { kind: "none" } });
    }
    await adoptAndRebuild(true);
    const now = await revisions();
    for (const key of ["versions", "packages/foo"]) {
      expect(now.get(key)).toBeGreaterThan(seen.get(key) ?? Number.POSITIVE_INFINITY);
    }
  });

  it.each(["snapshot", "intent", "put-packages", "record"] as const)(
    "goes on where a rebuild that died at %s stopped",
    async (at) => {
      const { generator, context } = restored.generator({
        onStep: async (step) => {
          if (step === at) throw new Error("died");
        },
      });
      const { signal } = new AbortController();
      await adopt(context, { acceptLoss: true, onFinding() {}, signal });
      await expect(rebuild(context, generator, { strays: "keep", signal })).rejects.toThrow("died");
      const { findings } = await adoptAndRebuild(true);
      expect(findings.filter(({ difference }) => difference !== "stray")).toEqual([]);
    },
  );
});

it("takes the claim from a generator that works on the restored database", async () => {
  await before.rows.publish("foo", "1.1.0");
  await before.rows.revert("foo", "1.1.0");
  await before.expectWhole({ foo: ["1.0.0"], same: ["1.0.0"] });
  const { generator, context } = restored.generator({
    onStep: async (step, phase) => {
      if (step !== "put-packages" || phase !== "before") return;
      const { signal } = new AbortController();
      await adopt(restored.generator().context, { acceptLoss: true, onFinding() {}, signal });
    },
  });
  await restored.rows.publish("same", "1.1.0");
  await expect(generator.settle()).rejects.toMatchObject({ code: "lease_lost" });
  expect(context.counters.overtaken).toBe(1);
  await generator.releaseClaims();
  await restored.expectWhole({ foo: ["1.0.0"], same: ["1.0.0", "1.1.0"] });
});
