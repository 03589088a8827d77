/** The full rebuild and its check: the bucket is a function of database, private store and key (I3). */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkBucket } from "../../generator/check.ts";
import { rebuild } from "../../generator/rebuild.ts";
import { testSigner } from "../support/signing.ts";
import { createWorld, type World } from "../support/world.ts";

let world: World;
beforeEach(async () => {
  world = await createWorld();
  await world.rows.publish("foo", "1.0.0");
  await world.rows.publish("foo", "1.1.0");
  await world.rows.publish("bar", "2.0.0");
  await world.rows.docs("bar", "2.0.0", Buffer.from("docs"));
  await world.rows.publish("gone", "1.0.0");
  await world.rows.revert("gone", "1.0.0");
  await world.expectWhole(LIVE);
});
afterEach(() => world.close());

const LIVE = { bar: ["2.0.0"], foo: ["1.0.0", "1.1.0"] };

async function contents(): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for await (const { key, etag } of world.publicStore.list("")) all[key] = etag;
  return all;
}

async function runRebuild(strays: "few" | "delete" = "few") {
  const { generator, context } = world.generator();
  const progress: number[] = [];
  try {
    const report = await rebuild(context, generator, {
      strays,
      onProgress: (done, total) => progress.push(done / total),
      signal: new AbortController().signal,
    });
    return { ...report, progress, context };
  } finally {
    await generator.releaseClaims();
  }
}

const put = (key: string, bytes: string) =>
  world.publicStore.put(key, Buffer.from(bytes), { precondition: { kind: "none" } });

it("writes nothing when nothing differs", async () => {
  const before = await contents();
  const { context, progress } = await runRebuild();
  expect(context.counters.puts).toBe(0);
  expect(progress.at(-1)).toBe(1);
  expect(await contents()).toEqual(before);
});

it("stopped on its way and started again, it writes each object once", async () => {
  const before = await contents();
  for (const key of Object.keys(before)) await world.publicStore.delete(key);
  const puts = () => world.publicStore.succeeded("put");
  const start = puts();
  world.publicStore.failBefore("put", "versions", { times: 5, error: new Error("killed") });
  await expect(runRebuild()).rejects.toThrow("killed");
  const done = puts() - start;
  expect(done).toBeGreaterThan(0);
  world.publicStore.heal();
  await runRebuild();
  expect(puts() - start).toBe(Object.keys(before).length);
  expect(await contents()).toEqual(before);
});

it("of files that are written anew for their headers the signature is taken over, once it was verified", async () => {
  const restore = async (key: string, change: (body: Uint8Array) => Uint8Array, version?: string) => {
    const object = await world.publicStore.get(key);
    if (object === undefined) throw new Error(`no ${key}`);
    const metadata = { ...object.metadata, ...(version && { "skep-header-version": version }) };
    await world.publicStore.put(key, change(object.body), {
      precondition: { kind: "none" },
      metadata: version === undefined ? {} : metadata,
    });
  };
  const before = await contents();
  await restore("packages/foo", (body) => body, "0");
  await restore("names", (body) => body);
  // Another payload under our signature, and bytes that nobody signed: neither is believed.
  const other = await world.publicStore.get("packages/foo");
  await restore("packages/bar", () => other?.body ?? Buffer.alloc(0), "0");
  await restore("versions", () => Buffer.from("by hand"), "0");
  let signatures = 0;
  const signer = testSigner();
  const counting = {
    publicKeyPem: signer.publicKeyPem,
    fingerprint: signer.fingerprint,
    sign(payload: Uint8Array) {
      signatures += 1;
      return signer.sign(payload);
    },
  };
  const { generator, context } = world.generator({ signer: counting });
  await rebuild(context, generator, { strays: "few", signal: new AbortController().signal });
  await generator.releaseClaims();
  expect([context.counters.puts, signatures]).toEqual([4, 2]);
  expect(await contents()).toEqual(before);
  await world.expectWhole(LIVE);
});

it("gives the same bytes when the whole public store is lost", async () => {
  const before = await contents();
  for (const key of Object.keys(before)) await world.publicStore.delete(key);
  await runRebuild();
  expect(await contents()).toEqual(before);
  await world.expectWhole(LIVE);
});

it("gives the same bytes when the books are lost as well", async () => {
  const before = await contents();
  for (const key of Object.keys(before)) await world.publicStore.delete(key);
  await world.sql`delete from objects`;
  await runRebuild();
  expect(await contents()).toEqual(before);
});

it("adopts what is right when only the books are lost", async () => {
  const before = await contents();
  await world.sql`delete from objects`;
  const puts = () => world.publicStore.count("put", /^(packages|tarballs|docs)\//);
  const putsBefore = puts();
  await runRebuild();
  expect(puts()).toBe(putsBefore);
  expect(await contents()).toEqual(before);
  await world.expectWhole(LIVE);
});

it("deletes a few strays, and leaves alone what no layout of ours explains", async () => {
  await put("packages/stray", "stray");
  await put("tarballs/stray-1.0.0.tar", "stray");
  await put("docs/README.txt", "somebody's");
  const report = await runRebuild();
  expect(report).toMatchObject({ strays: 2, foreign: ["docs/README.txt"] });
  await world.publicStore.delete("docs/README.txt");
  await world.expectWhole(LIVE);
});

it("stops before it deletes more than a small share, and asks for a flag", async () => {
  for (let index = 0; index < 11; index++) await put(`packages/stray${index}`, "stray");
  const before = await contents();
  await expect(runRebuild()).rejects.toMatchObject({
    code: "too_many_deletions",
    message: expect.stringContaining("--delete-strays"),
  });
  expect(await contents()).toEqual(before);
  await runRebuild("delete");
  await world.expectWhole(LIVE);
});

describe("check", () => {
  const check = () => checkBucket(world.generator().context);

  it.each([
    ["packages/foo", "missing"],
    ["tarballs/foo-1.0.0.tar", "missing"],
    ["names", "missing"],
  ])("%s: %s", async (key, difference) => {
    await world.publicStore.delete(key);
    expect(await check()).toEqual([{ key, difference }]);
  });

  it.each([
    ["packages/foo", "bad signature"],
    ["tarballs/foo-1.0.0.tar", "other bytes"],
    ["docs/bar-2.0.0.tar.gz", "other bytes"],
    ["public_key", "other bytes"],
    ["packages/stray", "stray"],
  ])("%s: %s", async (key, difference) => {
    await put(key, "by hand");
    expect(await check()).toEqual([{ key, difference }]);
  });

  it("an older file of the same key: other payload", async () => {
    const old = await world.publicStore.get("packages/foo");
    await world.rows.retire("foo", "1.0.0", "security", "do not use it");
    await world.expectWhole(LIVE);
    await world.publicStore.put("packages/foo", old?.body ?? Buffer.alloc(0), {
      precondition: { kind: "none" },
    });
    expect(await check()).toEqual([
      {
        key: "packages/foo",
        difference: "other payload",
        fields: [
          { field: "releases[1.0.0].retired", wanted: { reason: "security", message: "do not use it" } },
          { field: "revision", stored: 2, wanted: 3 },
        ],
      },
    ]);
  });

  it("headers of an older rule: other headers", async () => {
    const object = await world.publicStore.get("names");
    if (object === undefined) throw new Error("no names");
    const metadata = { ...object.metadata, "skep-header-version": "0" };
    await world.publicStore.put("names", object.body, { precondition: { kind: "none" }, metadata });
    expect(await check()).toEqual([{ key: "names", difference: "other headers" }]);
  });

  it("a tarball in its grace is where it should be", async () => {
    await world.rows.revert("foo", "1.1.0");
    const { generator } = world.generator({ settings: { deletionGraceSeconds: 3_600 } });
    await generator.settle();
    await generator.releaseClaims();
    expect(await world.publicStore.head("tarballs/foo-1.1.0.tar")).toBeDefined();
    expect(await check()).toEqual([]);
  });

  it("bytes that the private store lost", async () => {
    const [row] = await world.sql<
      { key: string }[]
    >`select blob_key as key from releases where version = '2.0.0'`;
    await world.privateStore.delete(row?.key ?? "");
    expect(await check()).toEqual([{ key: "tarballs/bar-2.0.0.tar", difference: "bytes lost" }]);
  });
});
