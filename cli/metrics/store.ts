/** Requests to the object stores, counted around any driver. */
import { Counter, Histogram, type Registry } from "prom-client";
import { hasCode } from "../../schemas/errors.ts";
import type { ObjectStore } from "../../store/objects/store.ts";

export type StoreName = "public" | "private";
type Operation = "get" | "head" | "put" | "delete";

const BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.25, 1, 2.5, 10, 60];

export interface StoreMeters {
  readonly requests: Counter;
  readonly seconds: Histogram;
  readonly bytes: Counter;
}

export function storeMeters(registry: Registry): StoreMeters {
  const registers = [registry];
  return {
    requests: new Counter({
      name: "skep_store_requests_total",
      help: "Requests to the object stores; refused are those whose precondition did not hold.",
      labelNames: ["store", "operation", "outcome"],
      registers,
    }),
    seconds: new Histogram({
      name: "skep_store_request_seconds",
      help: "How long the object stores took.",
      labelNames: ["store", "operation"],
      buckets: BUCKETS,
      registers,
    }),
    bytes: new Counter({
      name: "skep_store_bytes_total",
      help: "Bytes of objects put and got.",
      labelNames: ["store", "operation"],
      registers,
    }),
  };
}

/** @returns a store that does what the other does. */
export function meteredStore(meters: StoreMeters, name: StoreName, store: ObjectStore): ObjectStore {
  async function measured<T>(operation: Operation, work: () => Promise<T>): Promise<T> {
    const begun = performance.now();
    let outcome = "failed";
    try {
      const result = await work();
      outcome = "ok";
      return result;
    } catch (error) {
      if (hasCode(error, "store_precondition", "store_not_found")) outcome = "refused";
      throw error;
    } finally {
      meters.requests.inc({ store: name, operation, outcome });
      meters.seconds.observe({ store: name, operation }, (performance.now() - begun) / 1000);
    }
  }
  const count = (operation: Operation, bytes: number) => meters.bytes.inc({ store: name, operation }, bytes);

  return {
    async get(key) {
      const found = await measured("get", () => store.get(key));
      count("get", found?.body.length ?? 0);
      return found;
    },
    head: (key) => measured("head", () => store.head(key)),
    async put(key, body, options) {
      const answer = await measured("put", () => store.put(key, body, options));
      count("put", body.length);
      return answer;
    },
    delete: (key, options) => measured("delete", () => store.delete(key, options)),
    list: (prefix) => store.list(prefix),
    conditionalDelete: store.conditionalDelete,
    description: store.description,
    close: () => store.close(),
  };
}
