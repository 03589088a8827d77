/** The database comes back from a backup, and the public store is ahead of it. */
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { adopt } from "../../generator/adopt.ts";
import { checkBucket } from "../../generator/check.ts";
import { rebuild } from "../../generator/rebuild.ts";
import { currentObject } from "../../generator/write/metadata.ts";
import { MemoryStore } from "../../store/objects/memory.ts";
import { openPool, type Sql } from "../../store/postgres/pool.ts";
import { createWorld, type World } from "../support/world.ts";

const COUNTERS = [
  "select * from package_revisions order by name",
  "select * from repositories order by id",
  "select repository_id, generation from leases order by 1",
];

let admin: Sql;
let made = 0;
/** As it was when the backup was made. */
let before: World;
/** What the backup became. */
let restored: World;
let copy: string;

beforeAll(() => {
  admin = openPool(inject("databaseUrl"), { max: 1 });
});
afterAll(() => admin.end());

beforeEach(async () => {
  const stores = { publicStore: new MemoryStore(), privateStore: new MemoryStore() };
  before = await createWorld({ stores });
  await before.rows.publish("foo", "1.0.0");
  await before.rows.publish("same", "1.0.0");
  await before.expectWhole({ foo: ["1.0.0"], same: ["1.0.0"] });

  made += 1;
  copy = `skep_test_restored_${process.pid}_${made}`;
  const name = new URL(before.database.url).pathname.slice(1);
  await admin`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`;
  await admin.unsafe(`create database ${copy} template ${name}`);
  const url = new URL(before.database.url);
  url.pathname = `/${copy}`;
  restored = await createWorld({ stores, databaseUrl: url.href });
  return async () => {
    await restored.close();
    await before.close();
    await admin.unsafe(`drop database ${copy} with (force)`);
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
  try {
    const reports = await adopt(context, { acceptLoss, signal });
    await rebuild(context, generator, { strays: "keep", signal });
    return { reports, findings: await checkBucket(context) };
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
      message: expect.stringMatching(
        /3 releases[\s\S]*tarballs\/bar-1\.0\.0\.tar[\s\S]*tarballs\/foo-1\.1\.0\.tar[\s\S]*foo-1\.2\.0\.tar[\s\S]*skep import/,
      ),
    });
    expect([await counters(), await revisions()]).toEqual(all);
  });

  it("goes on without them, and every file is later than the one before", async () => {
    const seen = await revisions();
    const { reports, findings } = await adoptAndRebuild(true);
    expect(reports).toMatchObject([
      {
        repository: "local",
        packages: 2,
        unknown: ["tarballs/bar-1.0.0.tar", "tarballs/foo-1.1.0.tar", "tarballs/foo-1.2.0.tar"],
      },
    ]);
    expect(findings.filter(({ difference }) => difference !== "stray")).toEqual([]);
    expect(findings.map(({ key }) => key)).toEqual([
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
      await adopt(context, { acceptLoss: true, signal });
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
      await adopt(restored.generator().context, { acceptLoss: true, signal: new AbortController().signal });
    },
  });
  await restored.rows.publish("same", "1.1.0");
  await expect(generator.settle()).rejects.toMatchObject({ code: "lease_lost" });
  expect(context.counters.overtaken).toBe(1);
  await generator.releaseClaims();
  await restored.expectWhole({ foo: ["1.0.0"], same: ["1.0.0", "1.1.0"] });
});
