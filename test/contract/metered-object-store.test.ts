/** The store around which metrics are counted is a store like any other. */
import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { meteredStore, storeMeters } from "../../cli/metrics/store.ts";
import { MemoryStore } from "../../store/objects/memory.ts";
import { FaultyStore } from "../support/faulty-store.ts";
import { describeObjectStore } from "./object-store.ts";
import { codeOf } from "./object-store-keys.ts";

describe("metered store", () => {
  const store = meteredStore(storeMeters(new Registry()), "public", new MemoryStore());
  describeObjectStore(() => store);
});

it("counts what was done, refused and failed, and the bytes of what was done", async () => {
  const registry = new Registry();
  const faulty = new FaultyStore(new MemoryStore());
  const store = meteredStore(storeMeters(registry), "private", faulty);
  const absent = { precondition: { kind: "absent" } } as const;
  await store.put("a", Buffer.from("12345"), absent);
  expect(await codeOf(store.put("a", Buffer.from("1"), absent))).toBe("store_precondition");
  faulty.failBefore("head");
  expect(await codeOf(store.head("a"))).toBe("store_unavailable");
  await store.get("a");
  await store.get("b");
  const lines = (await registry.metrics()).split("\n");
  expect(lines.filter((line) => /^skep_store_(requests|bytes)_total/.test(line))).toEqual([
    'skep_store_requests_total{store="private",operation="put",outcome="ok"} 1',
    'skep_store_requests_total{store="private",operation="put",outcome="refused"} 1',
    'skep_store_requests_total{store="private",operation="head",outcome="failed"} 1',
    'skep_store_requests_total{store="private",operation="get",outcome="ok"} 2',
    'skep_store_bytes_total{store="private",operation="put"} 5',
    'skep_store_bytes_total{store="private",operation="get"} 5',
  ]);
});
