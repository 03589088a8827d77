/** The store that other suites inject faults with: without a fault it is a store like any other. */
import { beforeEach, describe, expect, it } from "vitest";
import { SkepError } from "../../schemas/errors.ts";
import { MemoryStore } from "../../store/objects/memory.ts";
import { FaultyStore } from "../support/faulty-store.ts";
import { describeObjectStore } from "./object-store.ts";
import { codeOf } from "./object-store-keys.ts";

const NONE = { precondition: { kind: "none" } } as const;
const ABSENT = { precondition: { kind: "absent" } } as const;
const body = (text: string) => Buffer.from(text);

let inner: MemoryStore;
let store: FaultyStore;
beforeEach(() => {
  inner = new MemoryStore();
  store = new FaultyStore(inner);
});

describe("faulty store without a fault", () => describeObjectStore(() => store));

describe("faulty store", () => {
  it("fails before: nothing is written, and the next call works", async () => {
    store.failBefore("put", "a");
    expect(await codeOf(store.put("b", body("1"), NONE))).toBeUndefined();
    expect(await codeOf(store.put("a", body("1"), NONE))).toBe("store_unavailable");
    expect(await inner.head("a")).toBeUndefined();
    expect(await codeOf(store.put("a", body("1"), NONE))).toBeUndefined();
    expect(store.calls.map((call) => [call.key, call.outcome, call.applied])).toEqual([
      ["b", "succeeded", true],
      ["a", "failed", false],
      ["a", "succeeded", true],
    ]);
  });

  it("fails after: it is written, but nobody is told", async () => {
    store.failAfter("put", /^a/);
    expect(await codeOf(store.put("a/b", body("1"), ABSENT))).toBe("store_unavailable");
    expect(await codeOf(store.put("a/b", body("1"), ABSENT))).toBe("store_precondition");
    expect([store.count("put"), store.succeeded("put")]).toEqual([2, 0]);
  });

  it("lets calls through first, hits several, and throws what it is given", async () => {
    const error = new SkepError("internal", "as given");
    store.failBefore("head", undefined, { skip: 1, times: 2, error });
    const codes: (string | undefined)[] = [];
    for (let call = 0; call < 4; call++) codes.push(await codeOf(store.head("a")));
    expect(codes).toEqual([undefined, "internal", "internal", undefined]);
  });

  it.each(["get", "head", "delete"] as const)("fails %s", async (operation) => {
    store.failBefore(operation);
    expect(await codeOf(store[operation]("a"))).toBe("store_unavailable");
    expect(await codeOf(store[operation]("a"))).toBeUndefined();
  });

  it("fails list", async () => {
    store.failBefore("list");
    const read = async () => {
      for await (const listed of store.list("")) expect.unreachable(listed.key);
    };
    expect(await codeOf(read())).toBe("store_unavailable");
    expect(await codeOf(read())).toBeUndefined();
  });

  it("pauses before and after; healing does not let go who stands there", async () => {
    const before = store.pauseBefore("put", "a");
    const after = store.pauseAfter("put", "b");
    const puts = [store.put("a", body("1"), NONE), store.put("b", body("1"), NONE)];
    await Promise.all([before.reached, after.reached]);
    store.heal();
    expect([await inner.head("a"), (await inner.head("b"))?.size]).toEqual([undefined, 1]);
    expect(store.calls.map((call) => call.outcome)).toEqual(["pending", "pending"]);
    await store.put("a", body("overtakes"), NONE);
    before.release();
    after.release();
    await Promise.all(puts);
    expect((await inner.head("a"))?.size).toBe(1);
  });

  it("arrives late", async () => {
    const late = store.arriveLate("put", "a");
    expect(await codeOf(store.put("a", body("1"), ABSENT))).toBe("store_unavailable");
    expect(await inner.head("a")).toBeUndefined();
    await late.release();
    expect((await inner.head("a"))?.size).toBe(1);
  });

  it("arrives late, and is refused then", async () => {
    const late = store.arriveLate("put", "a");
    expect(await codeOf(store.put("a", body("1"), ABSENT))).toBe("store_unavailable");
    await store.put("a", body("22"), ABSENT);
    expect(await codeOf(late.release())).toBe("store_precondition");
    expect((await inner.head("a"))?.size).toBe(2);
  });

  it("lies about what is there until it is healed", async () => {
    await store.put("a", body("old"), { ...NONE, metadata: { a: "1" }, cacheControl: "no-store" });
    await store.freeze();
    await store.put("a", body("newer"), NONE);
    await store.put("b", body("1"), NONE);
    const keys: string[] = [];
    for await (const { key } of store.list("")) keys.push(key);
    expect(keys).toEqual(["a"]);
    expect(await store.head("a")).toMatchObject({ size: 3, metadata: { a: "1" }, cacheControl: "no-store" });
    expect(await store.get("b")).toBeUndefined();
    store.heal();
    expect((await store.get("a"))?.body).toEqual(body("newer"));
  });
});
