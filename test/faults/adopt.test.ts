/** A database is restored from a backup that is older than the store: `skep rebuild --adopt`. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { adopt } from "../../generator/adopt/adopt.ts";
import type { Finding } from "../../generator/check/finding.ts";
import { rebuild } from "../../generator/rebuild.ts";
import { gunzipOneMember } from "../../proto/gzip.ts";
import { decodePackage, decodeVersions } from "../../proto/registry.ts";
import { openSigned } from "../../proto/sign.ts";
import { backUp } from "../support/database.ts";
import type { TestDatabase } from "../support/open-database.ts";
import { openRowPublisher } from "../support/rows.ts";
import { createWorld, type World } from "../support/world.ts";

const LIVE = { apple: ["1.0.0"], kiwi: ["1.0.0"], old: ["1.0.0"], pear: ["1.0.0", "1.1.0"] };
const { signal } = new AbortController();
let before: World;
let after: World;
let backup: TestDatabase;

beforeEach(async () => {
  before = await createWorld();
  const { rows } = before;
  await rows.publish("apple", "1.0.0");
  await rows.publish("kiwi", "1.0.0");
  await rows.publish("pear", "1.0.0");
  await rows.publish("pear", "1.1.0");
  await rows.publish("old", "1.0.0");
  await before.expectWhole(LIVE);
  backup = await backUp(before.database);
});
afterEach(async () => {
  await after?.close();
  await before.close();
  await backup.drop();
});

/** What was published after the backup is gone from the database, and the store still has it. */
async function restore(): Promise<World> {
  const { publicStore, privateStore } = before;
  after = await createWorld({ databaseUrl: backup.url, stores: { publicStore, privateStore } });
  return after;
}

async function runAdopt(acceptLoss: boolean) {
  const { generator, context } = after.generator();
  const findings: Finding[] = [];
  const onFinding = (finding: Finding) => findings.push(finding);
  const run = async () => {
    const report = await adopt(context, { acceptLoss, onFinding, signal });
    return { ...report, ...(await rebuild(context, generator, { strays: "keep", signal })) };
  };
  try {
    return { findings, report: await run().catch((error: unknown) => error), context };
  } finally {
    await generator.releaseClaims();
  }
}

async function etags(): Promise<ReadonlyMap<string, string>> {
  const all = new Map<string, string>();
  for await (const { key, etag } of before.publicStore.list("")) all.set(key, etag);
  return all;
}

async function payload(key: string): Promise<Uint8Array> {
  const object = await before.publicStore.get(key);
  if (object === undefined) throw new Error(`no ${key}`);
  return openSigned(gunzipOneMember(object.body, 1 << 20)).payload;
}

const counters = () => after.sql`
  select 'lease' as what, generation as value from leases union all
  select 'repository', revision from repositories union all
  select name, revision from package_revisions order by what`;

describe("a store that is ahead of its database", () => {
  it("is named by release and field, and nothing changes", async () => {
    const { rows } = before;
    await rows.publish("kiwi", "1.2.0");
    await rows.retire("pear", "1.0.0", "security", "do not use it");
    await rows.publish("new", "0.1.0");
    await rows.revert("old", "1.0.0");
    await before.expectWhole({
      apple: ["1.0.0"],
      kiwi: ["1.0.0", "1.2.0"],
      new: ["0.1.0"],
      pear: ["1.0.0", "1.1.0"],
    });
    await restore();
    const stored = await etags();
    const counted = await counters();
    const { findings, report } = await runAdopt(false);
    expect(report).toMatchObject({
      code: "releases_unknown",
      message: expect.stringContaining("skep import"),
    });
    expect(findings).toEqual([
      {
        key: "packages/kiwi",
        difference: "other payload",
        fields: [expect.objectContaining({ field: "releases[1.2.0]" })],
      },
      {
        key: "packages/new",
        difference: "stray",
        fields: [expect.objectContaining({ field: "releases[0.1.0]" })],
      },
      {
        key: "packages/pear",
        difference: "other payload",
        fields: [
          { field: "releases[1.0.0].retired", stored: { reason: "security", message: "do not use it" } },
        ],
      },
      { key: "tarballs/kiwi-1.2.0.tar", difference: "stray" },
      { key: "tarballs/new-0.1.0.tar", difference: "stray" },
      { key: "packages/old", difference: "missing" },
    ]);
    expect(await etags()).toEqual(stored);
    // But for the claim, which is one more.
    expect(await counters()).toEqual(
      counted.map((row) => ({ ...row, value: row.what === "lease" ? Number(row.value) + 1 : row.value })),
    );
    const { generator } = after.generator();
    await expect(generator.settle()).rejects.toMatchObject({ code: "database_restored" });
    await generator.releaseClaims();
  });

  it("with --accept-loss: readers never go back, no ETag comes again, and what is lost is kept", async () => {
    const seen = new Set((await etags()).values());
    const { rows } = before;
    // Claims came and went.
    await before.sql`update leases set generation = generation + 50`;
    await rows.publish("kiwi", "1.2.0");
    await rows.publish("kiwi", "1.3.0");
    await rows.publish("new", "0.1.0");
    await rows.revert("old", "1.0.0");
    await before.expectWhole({
      apple: ["1.0.0"],
      kiwi: ["1.0.0", "1.2.0", "1.3.0"],
      new: ["0.1.0"],
      pear: ["1.0.0", "1.1.0"],
    });
    const [kiwi, versions] = [
      decodePackage(await payload("packages/kiwi")),
      decodeVersions(await payload("versions")),
    ];
    const last = await etags();
    for (const etag of last.values()) seen.add(etag);
    await restore();
    const { report } = await runAdopt(true);
    expect(report).toMatchObject({ raised: 1, strays: 0 });

    const adopted = decodePackage(await payload("packages/kiwi"));
    expect(adopted.releases.map(({ version }) => version)).toEqual(["1.0.0"]);
    expect(adopted.revision).toBeGreaterThan(kiwi.revision ?? 0);
    const index = decodeVersions(await payload("versions"));
    expect(index.revision).toBeGreaterThan(versions.revision ?? 0);
    expect(index.packages.map(({ name }) => name)).toEqual(["apple", "kiwi", "old", "pear"]);
    const now = await etags();
    for (const key of ["packages/kiwi", "packages/old", "versions", "names"]) {
      expect(seen, key).not.toContain(now.get(key));
    }
    // What nobody has touched is not written again.
    for (const key of ["packages/apple", "packages/pear", "tarballs/kiwi-1.0.0.tar", "public_key"]) {
      expect(now.get(key), key).toBe(last.get(key));
    }
    const lost = [
      "packages/new",
      "tarballs/new-0.1.0.tar",
      "tarballs/kiwi-1.2.0.tar",
      "tarballs/kiwi-1.3.0.tar",
    ];
    for (const key of lost) expect(now.get(key), key).toBe(last.get(key));

    // The ordinary path goes on, and a rebuild leaves alone what is kept until it is told otherwise.
    await after.rows.publish("kiwi", "2.0.0");
    await settle();
    expect(await runRebuild("few")).toMatchObject({ kept: 4, strays: 0 });
    for (const key of lost) expect(await before.publicStore.head(key), key).toBeDefined();
    // One of them comes back after all.
    await bringBack(after, "kiwi", await releaseRow("kiwi", "1.2.0"));
    await after.rows.retire("kiwi", "1.2.0", null);
    await settle();
    expect(await runRebuild("few")).toMatchObject({ kept: 3, strays: 0 });
    expect(await runRebuild("delete")).toMatchObject({ kept: 0, strays: 3 });
    await after.expectWhole({
      apple: ["1.0.0"],
      kiwi: ["1.0.0", "1.2.0", "2.0.0"],
      old: ["1.0.0"],
      pear: ["1.0.0", "1.1.0"],
    });
  });

  it("what was brought back first is not lost for a moment", async () => {
    await before.rows.publish("kiwi", "1.2.0");
    await before.expectWhole({
      apple: ["1.0.0"],
      kiwi: ["1.0.0", "1.2.0"],
      old: ["1.0.0"],
      pear: ["1.0.0", "1.1.0"],
    });
    await restore();
    await bringBack(after, "kiwi", await releaseRow("kiwi", "1.2.0"));
    const puts = () => before.publicStore.count("put", /kiwi-1\.2\.0/);
    const putBefore = puts();
    const { findings, report } = await runAdopt(false);
    expect([findings, report]).toEqual([[], expect.objectContaining({ raised: 1, kept: 0 })]);
    expect(puts()).toBe(putBefore);
    await after.expectWhole({
      apple: ["1.0.0"],
      kiwi: ["1.0.0", "1.2.0"],
      old: ["1.0.0"],
      pear: ["1.0.0", "1.1.0"],
    });
  });

  it("a tarball that was replaced after the backup goes back before anything names the old one", async () => {
    await before.rows.publish("kiwi", "1.0.0");
    await before.expectWhole(LIVE);
    await restore();
    const { findings } = await runAdopt(true);
    expect(findings.map(({ key }) => key)).toEqual(["packages/kiwi"]);
    await after.expectWhole(LIVE);
  });

  it("a deletion of before the backup does not take what was published again since, with the same bytes", async () => {
    await backup.drop();
    const release = await releaseRow("pear", "1.1.0");
    await before.rows.revert("pear", "1.1.0");
    const { generator } = before.generator({ settings: { deletionGraceSeconds: 3_600 } });
    await generator.settle();
    await generator.releaseClaims();
    backup = await backUp(before.database);
    await bringBack(before, "pear", release);
    await before.rows.retire("pear", "1.1.0", null);
    await before.expectWhole(LIVE);
    await restore();
    await after.sql`update deletions set due_at = now() - interval '1 hour', purge_id = null`;
    const { findings } = await runAdopt(true);
    expect(findings.map(({ key }) => key)).toEqual(["packages/pear"]);
    await settle();
    expect(await before.publicStore.head("tarballs/pear-1.1.0.tar")).toBeDefined();
  });

  it("the books say what the store holds as soon as the counters are raised", async () => {
    await before.rows.publish("kiwi", "1.0.0");
    await before.expectWhole(LIVE);
    await restore();
    const { context } = after.generator();
    await adopt(context, { acceptLoss: true, onFinding() {}, signal });
    const recorded = await after.sql<{ key: string; etag: string }[]>`select key, etag from objects`;
    const stored = await etags();
    for (const { key, etag } of recorded) expect(stored.get(key), key).toBe(etag);
    expect(recorded).toHaveLength(stored.size);
    await settle();
    await after.expectWhole(LIVE);
  });
});

it("a database that is not behind has nothing to adopt, whatever somebody has overwritten by hand", async () => {
  after = await createWorld({ databaseUrl: before.database.url, stores: before });
  await settle();
  await before.publicStore.put("packages/kiwi", Buffer.from("by hand"), { precondition: { kind: "none" } });
  const counted = (await counters()).filter(({ what }) => what !== "lease");
  const { findings, report } = await runAdopt(false);
  expect([findings, report]).toEqual([[], expect.objectContaining({ raised: 0 })]);
  expect((await counters()).filter(({ what }) => what !== "lease")).toEqual(counted);
});

it("what still lies below the old name of a repository that was renamed is not lost", async () => {
  await restore();
  const rows = await openRowPublisher(after.sql, before.privateStore, { name: "zenith", public: false });
  await settle();
  const body = Buffer.from("waits for its grace");
  const key = "repos/acme/tarballs/pear-1.0.0.tar";
  const { etag } = await before.publicStore.put(key, body, { precondition: { kind: "none" } });
  await after.sql`
    insert into objects (repository_id, key, package, generation, payload_hash, etag, header_version)
    values (${rows.repositoryId}, ${key}, 'pear', 1, sha256(${body}), ${etag}, 1)`;
  const { findings, report } = await runAdopt(false);
  expect([findings, report]).toEqual([[], expect.objectContaining({ raised: 0 })]);
});

it("a private repository that the database has lost is named, and left alone", async () => {
  await restore();
  await before.publicStore.put("repos/acme/names", Buffer.from("theirs"), { precondition: { kind: "none" } });
  const { findings, report } = await runAdopt(false);
  expect([findings, report]).toEqual([
    [{ key: "repos/acme/", difference: "stray" }],
    expect.objectContaining({ code: "releases_unknown" }),
  ]);
  await runAdopt(true);
  expect(await before.publicStore.head("repos/acme/names")).toBeDefined();
});

async function settle(): Promise<void> {
  const { generator } = after.generator();
  await generator.settle();
  await generator.releaseClaims();
}

async function runRebuild(strays: "few" | "delete") {
  const { generator, context } = after.generator();
  try {
    return await rebuild(context, generator, { strays, signal });
  } finally {
    await generator.releaseClaims();
  }
}

interface StoredRelease {
  readonly version: string;
  readonly inner: Buffer;
  readonly outer: Buffer;
  readonly blob: string;
  readonly at: string;
}

async function releaseRow(name: string, version: string): Promise<StoredRelease> {
  const [row] = await before.sql<StoredRelease[]>`
    select version, inner_checksum as inner, outer_checksum as outer, blob_key as blob, r.inserted_at::text as at
    from releases r join packages p on p.id = r.package_id where name = ${name} and version = ${version}`;
  if (row === undefined) throw new Error("no release");
  return row;
}

/** The row of a release as an import makes it, of the very bytes that it had. */
async function bringBack({ sql }: World, name: string, release: StoredRelease): Promise<void> {
  const { version, inner, outer, blob, at } = release;
  await sql`
    insert into releases (package_id, version, inner_checksum, outer_checksum, blob_key, meta, inserted_at)
    select id, ${version}, ${inner}, ${outer}, ${blob}, '{}', ${at}::text::timestamptz
    from packages where name = ${name}`;
}
