import { expect, it } from "vitest";
import type { StoredObject } from "../store/objects/store.ts";
import { BodyCache } from "./body-cache.ts";

const object = (etag: string, size: number): StoredObject => ({
  etag,
  size,
  body: new Uint8Array(size),
  lastModified: new Date(0),
  contentType: undefined,
  cacheControl: undefined,
  metadata: {},
});

it("gives an object only to who names its key and its ETag", () => {
  const cache = new BodyCache(1_000);
  const kept = object("1", 10);
  cache.set("a", kept);
  expect(cache.get("a", "1")).toBe(kept);
  expect(cache.get("a", "2")).toBeUndefined();
  // The same MD5 under another key may be other bytes.
  expect(cache.get("b", "1")).toBeUndefined();
});

it("drops what was used least when it is full", () => {
  const cache = new BodyCache(1_000);
  for (const key of ["a", "b", "c", "d"]) cache.set(key, object("1", 250));
  cache.get("a", "1");
  cache.set("e", object("1", 250));
  expect(["a", "b", "c", "d", "e"].filter((key) => cache.get(key, "1"))).toEqual(["a", "c", "d", "e"]);
  expect(cache.bytes).toBe(1_000);
});

it("keeps nothing that would drive out too much, and forgets what it replaces", () => {
  const cache = new BodyCache(1_000);
  cache.set("a", object("1", 250));
  cache.set("a", object("2", 251));
  expect(cache.get("a", "1")).toBeUndefined();
  expect(cache.get("a", "2")).toBeUndefined();
  expect(cache.bytes).toBe(0);
  cache.set("a", object("3", 100));
  cache.set("a", object("4", 200));
  expect(cache.bytes).toBe(200);
  cache.delete("a");
  cache.delete("a");
  expect(cache.bytes).toBe(0);
});

it("keeps nothing with a limit of 0 but empty bodies", () => {
  const cache = new BodyCache(0);
  cache.set("a", object("1", 1));
  expect(cache.get("a", "1")).toBeUndefined();
});
