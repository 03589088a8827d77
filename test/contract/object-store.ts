/** The contract of object stores as a suite: what every driver must do. */
import { createHash, randomBytes } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import type { ObjectStore, Precondition } from "../../store/objects/store.ts";
import { codeOf, describeKeys, describeList, type KeyOf } from "./object-store-keys.ts";

const NONE: Precondition = { kind: "none" };
const ABSENT: Precondition = { kind: "absent" };
const match = (etag: string): Precondition => ({ kind: "match", etag });
const bytes = (text: string): Uint8Array => Buffer.from(text);
const md5 = (body: Uint8Array): string => createHash("md5").update(body).digest("hex");
const OTHER = md5(bytes("something else"));

export interface ContractOptions {
  /** How many objects the paging test writes. Default 1,050: S3 gives 1,000 at a time. */
  readonly manyKeys?: number;
  /** Services may answer 409 or 500 to some who race, which says nothing of the outcome. Default false. */
  readonly unsureRaces?: boolean;
}

/** @param store gives the store to be tested; may give the same one again: each test uses keys of its own */
export function describeObjectStore(store: () => ObjectStore, options: ContractOptions = {}): void {
  const { manyKeys = 1_050, unsureRaces = false } = options;
  let root: string;
  const key = (rest: string): string => `${root}/${rest}`;
  beforeEach(() => {
    root = `contract-${randomBytes(6).toString("hex")}`;
  });
  describe("get, head, put", () => describeObjects(store, key));
  describe("preconditions", () => describePreconditions(store, key));
  describe("races", () => describeRaces(store, key, unsureRaces));
  describe("delete", () => describeDeletion(store, key));
  describe("list", () => describeList(store, key, manyKeys));
  describe("keys", () => describeKeys(store, key));
}

function describeObjects(store: () => ObjectStore, key: KeyOf): void {
  it("knows nothing of an object that is not there", async () => {
    expect(await store().get(key("a"))).toBeUndefined();
    expect(await store().head(key("a/b"))).toBeUndefined();
  });

  const bodies: readonly (readonly [string, Uint8Array])[] = [
    ["empty", bytes("")],
    ["one byte", bytes("x")],
    ["every byte value", Uint8Array.from({ length: 256 }, (_, index) => index)],
    ["gzip", Buffer.from("1f8b08000000000000034b04 0043beb7e801000000".replace(" ", ""), "hex")],
    ["16 MiB", randomBytes(16 * 1024 * 1024)],
  ];
  it.each(bodies)("keeps the bytes: %s", async (_, body) => {
    const { etag } = await store().put(key("a"), body, { precondition: NONE });
    expect(etag).toBe(md5(body));
    const found = await store().get(key("a"));
    expect(found?.size).toBe(body.length);
    expect(found?.etag).toBe(etag);
    expect(Buffer.compare(found?.body ?? bytes("missing"), body)).toBe(0);
  });

  it("keeps headers and metadata", async () => {
    const headers = {
      contentType: "text/plain; charset=utf-8",
      cacheControl: "public, max-age=3600",
      metadata: {
        "surrogate-key": "public:package:foo public:all",
        "surrogate-control": "public, max-age=604800",
        "skep-hash": "0".repeat(64),
        a: "",
      },
    };
    const before = Date.now();
    const { etag } = await store().put(key("a"), bytes("x"), { precondition: NONE, ...headers });
    for (const found of [await store().get(key("a")), await store().head(key("a"))]) {
      expect(found).toMatchObject({ ...headers, etag, size: 1 });
      // S3 gives whole seconds, and its clock may be another.
      expect(Math.abs((found?.lastModified.getTime() ?? 0) - before)).toBeLessThan(5_000);
    }
  });

  it("replaces all of an object, metadata included", async () => {
    await store().put(key("a"), bytes("one"), {
      precondition: NONE,
      cacheControl: "no-store",
      metadata: { a: "1" },
    });
    await store().put(key("a"), bytes("two"), { precondition: NONE, metadata: { b: "2" } });
    const found = await store().get(key("a"));
    expect(found).toMatchObject({ etag: md5(bytes("two")), metadata: { b: "2" } });
    expect(found?.metadata).not.toHaveProperty("a");
    expect(found?.cacheControl).toBeUndefined();
  });

  it("keeps what it was given and hands out copies", async () => {
    const body = bytes("one");
    const metadata = { a: "1" };
    await store().put(key("a"), body, { precondition: NONE, metadata });
    body.fill(0);
    metadata.a = "2";
    const found = await store().get(key("a"));
    found?.body.fill(0);
    expect(await store().get(key("a"))).toMatchObject({ body: Buffer.from("one"), metadata: { a: "1" } });
  });

  it("never shows a mixture to those who read while it is written", async () => {
    const texts = ["a", "b", "c"].map((letter) => letter.repeat(200_000));
    await store().put(key("a"), bytes(texts[0] ?? ""), { precondition: NONE });
    const writes = texts.map((text) => store().put(key("a"), bytes(text), { precondition: NONE }));
    const reads = Array.from({ length: 20 }, async () => {
      const found = await store().get(key("a"));
      expect(md5(found?.body ?? bytes(""))).toBe(found?.etag);
    });
    await Promise.all([...writes, ...reads]);
  });

  it("has a description", () => {
    expect(store().description.length).toBeGreaterThan(3);
  });
}

function describePreconditions(store: () => ObjectStore, key: KeyOf): void {
  const put = (body: string, precondition: Precondition) =>
    store().put(key("a"), bytes(body), { precondition });

  it("absent: creates, and then refuses", async () => {
    expect(await codeOf(put("one", ABSENT))).toBeUndefined();
    expect(await codeOf(put("one", ABSENT))).toBe("store_precondition");
    expect(await codeOf(put("two", ABSENT))).toBe("store_precondition");
    expect((await store().get(key("a")))?.etag).toBe(md5(bytes("one")));
  });

  it("absent: again after a deletion", async () => {
    await put("one", ABSENT);
    await store().delete(key("a"));
    expect(await codeOf(put("two", ABSENT))).toBeUndefined();
  });

  it("match: replaces exactly that object", async () => {
    const { etag } = await put("one", NONE);
    const second = await put("two", match(etag));
    expect(await codeOf(put("three", match(etag)))).toBe("store_precondition");
    expect(await codeOf(put("three", match(OTHER)))).toBe("store_precondition");
    expect((await store().get(key("a")))?.etag).toBe(second.etag);
    expect(await codeOf(put("three", match(second.etag)))).toBeUndefined();
  });

  it("match: without an object", async () => {
    expect(await codeOf(put("one", match(OTHER)))).toBe("store_not_found");
    const { etag } = await put("one", NONE);
    await store().delete(key("a"));
    expect(await codeOf(put("one", match(etag)))).toBe("store_not_found");
    expect(await store().head(key("a"))).toBeUndefined();
  });

  it("a failed write leaves headers and metadata as they were", async () => {
    await store().put(key("a"), bytes("one"), { precondition: NONE, metadata: { a: "1" } });
    const options = { precondition: ABSENT, metadata: { a: "2" } };
    expect(await codeOf(store().put(key("a"), bytes("one"), options))).toBe("store_precondition");
    expect((await store().head(key("a")))?.metadata).toEqual({ a: "1" });
  });
}

function describeRaces(store: () => ObjectStore, key: KeyOf, unsureRaces: boolean): void {
  const put = (body: string, precondition: Precondition) =>
    store().put(key("a"), bytes(body), { precondition });

  async function race(precondition: Precondition): Promise<void> {
    const racers = Array.from({ length: 20 }, (_, index) => codeOf(put(`racer ${index}`, precondition)));
    const codes = await Promise.all(racers);
    const losers = codes.filter((code) => code !== undefined);
    expect(losers).toHaveLength(19);
    for (const code of losers)
      expect(code).toMatch(unsureRaces ? /^store_(precondition|unavailable)$/ : /^store_precondition$/);
    // Whoever was told nothing certain has not won either, and nobody comes later.
    expect((await store().get(key("a")))?.etag).toBe(md5(bytes(`racer ${codes.indexOf(undefined)}`)));
  }

  it("of 20 creations exactly one wins", () => race(ABSENT));

  it("of 20 replacements exactly one wins", async () => {
    await race(match((await put("start", NONE)).etag));
  });
}

function describeDeletion(store: () => ObjectStore, key: KeyOf): void {
  it("deletes, and does so again", async () => {
    await store().put(key("a/b"), bytes("x"), { precondition: NONE });
    await store().delete(key("a/b"));
    expect(await store().get(key("a/b"))).toBeUndefined();
    await store().delete(key("a/b"));
    await store().delete(key("never/there"));
  });

  it("with ifMatch: deletes that object and no other", async () => {
    const { etag } = await store().put(key("a"), bytes("one"), { precondition: NONE });
    expect(await codeOf(store().delete(key("a"), { ifMatch: OTHER }))).toBe("store_precondition");
    expect(await store().head(key("a"))).toBeDefined();
    await store().delete(key("a"), { ifMatch: etag });
    expect(await store().head(key("a"))).toBeUndefined();
    await store().delete(key("a"), { ifMatch: etag });
  });

  // Where the store decides; elsewhere a comparison before the deletion leaves a window.
  it("with ifMatch: of a deletion and a replacement at once exactly one takes place", async (context) => {
    if (!store().conditionalDelete) return context.skip("this store has no conditional deletions");
    for (let round = 0; round < 10; round++) {
      const { etag } = await store().put(key("a"), bytes("one"), { precondition: NONE });
      const put = () => store().put(key("a"), bytes("two"), { precondition: match(etag) });
      const remove = () => store().delete(key("a"), { ifMatch: etag });
      const racers = round % 2 === 0 ? [put(), remove()] : [remove(), put()];
      const codes = await Promise.all(racers.map(codeOf));
      const [putCode, removeCode] = round % 2 === 0 ? codes : [...codes].reverse();
      const left = (await store().head(key("a")))?.etag;
      if (putCode === undefined)
        expect([removeCode, left]).toEqual(["store_precondition", md5(bytes("two"))]);
      else expect([putCode, removeCode, left]).toEqual(["store_not_found", undefined, undefined]);
    }
  });

  it("leaves no metadata to the next object", async () => {
    await store().put(key("a"), bytes("one"), { precondition: NONE, metadata: { a: "1" } });
    await store().delete(key("a"));
    await store().put(key("a"), bytes("one"), { precondition: NONE });
    expect((await store().head(key("a")))?.metadata).toEqual({});
  });
}
