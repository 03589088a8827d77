import { beforeEach, describe, expect, it } from "vitest";
import { MemoryStore } from "../store/objects/memory.ts";
import type { ObjectHead } from "../store/objects/store.ts";
import { FaultyStore } from "../test/support/faulty-store.ts";
import { EdgeReader } from "./reader.ts";

let store: FaultyStore;
beforeEach(() => {
  store = new FaultyStore(new MemoryStore());
});

const put = (text: string) => store.put("names", Buffer.from(text), { precondition: { kind: "none" } });

async function headOf(reader: EdgeReader): Promise<ObjectHead> {
  const head = await reader.head("names");
  if (head === undefined) throw new Error("nothing there");
  return head;
}

const text = (found: { readonly body: Uint8Array } | undefined) =>
  found && Buffer.from(found.body).toString();

describe("EdgeReader", () => {
  it("reads a body once for a crowd, and keeps it", async () => {
    await put("one");
    const reader = new EdgeReader(store, 1_000);
    const head = await headOf(reader);
    const crowd = await Promise.all(Array.from({ length: 10 }, () => reader.body("names", head)));
    expect(crowd.map(text)).toEqual(Array.from({ length: 10 }, () => "one"));
    await reader.body("names", head);
    expect(store.count("get")).toBe(1);
  });

  it("keeps nothing without a cache", async () => {
    await put("one");
    const reader = new EdgeReader(store, 0);
    const head = await headOf(reader);
    await reader.body("names", head);
    await reader.body("names", head);
    expect(store.count("get")).toBe(2);
  });

  it("gives bytes and ETag of one object when it changes between look and read", async () => {
    await put("one");
    const reader = new EdgeReader(store, 1_000);
    const head = await headOf(reader);
    const { etag } = await put("two");
    const found = await reader.body("names", head);
    expect([text(found), found?.etag]).toEqual(["two", etag]);
  });

  // The first reader's request hangs in the store, having fetched the old object; a second, which has seen
  // the new one, must not be given what that brings.
  it("gives nobody an object older than the one that he saw", async () => {
    await put("one");
    const reader = new EdgeReader(store, 1_000);
    const pause = store.pauseAfter("get", "names");
    const early = reader.body("names", await headOf(reader));
    await pause.reached;
    await put("two");
    const late = await reader.body("names", await headOf(reader));
    expect(text(late)).toBe("two");
    pause.release();
    await early;
    expect(text(await reader.body("names", await headOf(reader)))).toBe("two");
  });

  it("nor after the object came back to what it was", async () => {
    await put("one");
    const reader = new EdgeReader(store, 1_000);
    await reader.body("names", await headOf(reader));
    await put("two");
    await reader.body("names", await headOf(reader));
    await put("one");
    expect(text(await reader.body("names", await headOf(reader)))).toBe("one");
  });

  it("notices that the object was deleted between look and read", async () => {
    await put("one");
    const reader = new EdgeReader(store, 1_000);
    const head = await headOf(reader);
    await store.delete("names");
    expect(await reader.body("names", head)).toBeUndefined();
  });

  it("tries again after a failure", async () => {
    await put("one");
    const reader = new EdgeReader(store, 1_000);
    const head = await headOf(reader);
    store.failBefore("get");
    const crowd = await Promise.allSettled([reader.body("names", head), reader.body("names", head)]);
    expect(crowd.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(text(await reader.body("names", head))).toBe("one");
  });
});
