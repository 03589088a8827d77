import { beforeEach, describe, expect, it } from "vitest";
import { SkepError } from "../../schemas/errors.ts";
import { MemoryStore } from "./memory.ts";
import { probeConditionalWrites } from "./probe.ts";
import { learnDialect } from "./s3-dialect.ts";
import type { ObjectHead, ObjectStore, Precondition, PutOptions } from "./store.ts";

let memory: MemoryStore;
beforeEach(() => {
  memory = new MemoryStore();
});

/** A service that differs from the others in one point. */
function service(changes: Partial<ObjectStore>): ObjectStore {
  const bound: ObjectStore = {
    get: (key) => memory.get(key),
    head: (key) => memory.head(key),
    put: (key, body, options) => memory.put(key, body, options),
    delete: (key, options) => memory.delete(key, options),
    list: (prefix) => memory.list(prefix),
    conditionalDelete: true,
    description: "a bucket somewhere",
    close: async () => {},
  };
  return { ...bound, ...changes };
}

const rewriting = (change: (precondition: Precondition) => Precondition) =>
  service({
    put: (key, body, options) =>
      memory.put(key, body, { ...options, precondition: change(options.precondition) }),
  });
const ignoring = (kind: Precondition["kind"]) =>
  rewriting((precondition) => (precondition.kind === kind ? { kind: "none" } : precondition));

async function expectNothingLeft(): Promise<void> {
  for await (const { key } of memory.list("")) expect.unreachable(key);
}

describe("probeConditionalWrites", () => {
  it("passes a store that honours conditions, and leaves nothing behind", async () => {
    expect(await probeConditionalWrites(memory)).toEqual({ conditionalPut: true, conditionalDelete: true });
    await expectNothingLeft();
  });

  it("looks first and writes then: two creations at once", async () => {
    const careless = service({
      async put(key: string, body: Uint8Array, options: PutOptions) {
        const found = await memory.head(key);
        if (options.precondition.kind !== "absent") return memory.put(key, body, options);
        if (found !== undefined) throw new SkepError("store_precondition", "there");
        return memory.put(key, body, { ...options, precondition: { kind: "none" } });
      },
    });
    await expect(probeConditionalWrites(careless)).rejects.toThrow(/lets 8 of 8 racing writes/);
  });

  const unfit: readonly (readonly [string, () => ObjectStore, RegExp])[] = [
    ["ignores If-None-Match", () => ignoring("absent"), /If-None-Match/],
    ["ignores If-Match", () => ignoring("match"), /ignores If-Match/],
    [
      "refuses every If-Match",
      () =>
        rewriting((given) => (given.kind === "match" ? { kind: "match", etag: `"${given.etag}"` } : given)),
      /refuses If-Match with the right ETag/,
    ],
    [
      "loses metadata",
      () =>
        service({
          async head(key): Promise<ObjectHead | undefined> {
            const head = await memory.head(key);
            return head && { ...head, metadata: {} };
          },
        }),
      /loses metadata/,
    ],
  ];
  it.each(unfit)("%s", async (_, open, message) => {
    const error = await probeConditionalWrites(open()).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "store_unconditional" });
    expect(String(error)).toMatch(/^SkepError: a bucket somewhere: it /);
    expect(String(error)).toMatch(message);
    await expectNothingLeft();
  });

  it("does without conditional deletions", async () => {
    const found = await probeConditionalWrites(service({ delete: (key) => memory.delete(key) }));
    expect(found).toEqual({ conditionalPut: true, conditionalDelete: false });
  });

  it("passes on that the store cannot be reached", async () => {
    const down = service({ put: () => Promise.reject(new SkepError("store_unavailable", "down")) });
    await expect(probeConditionalWrites(down)).rejects.toMatchObject({ code: "store_unavailable" });
  });

  it("passes a service that answers 409 to some who race", async () => {
    let calls = 0;
    const busy = service({
      async put(key, body, options) {
        if (options.precondition.kind === "absent" && ++calls < 5)
          throw new SkepError("store_unavailable", "conflict");
        return memory.put(key, body, options);
      },
    });
    expect(await probeConditionalWrites(busy)).toMatchObject({ conditionalPut: true });
  });
});

describe("learnDialect", () => {
  /** Compares ETags as they arrive: `expected` makes the form that the service wants. */
  const openAs =
    (expected: (etag: string) => string, conditionalDelete = true) =>
    (dialect: { readonly quotedEtags: boolean }): ObjectStore => {
      const sent = (etag: string) => (dialect.quotedEtags ? `"${etag}"` : etag);
      const arrives = (etag: string) => (sent(etag) === expected(etag) ? etag : "no match");
      return service({
        put: (key, body, options) => {
          const { precondition: given } = options;
          const precondition: Precondition =
            given.kind === "match" ? { kind: "match", etag: arrives(given.etag) } : given;
          return memory.put(key, body, { ...options, precondition });
        },
        delete: (key, options) =>
          memory.delete(
            key,
            conditionalDelete && options?.ifMatch ? { ifMatch: arrives(options.ifMatch) } : {},
          ),
      });
    };

  it.each([
    ["quoted, as AWS", (etag: string) => `"${etag}"`, true],
    ["bare, as Ceph", (etag: string) => etag, false],
    ["neither: as AWS, until the probe refuses it", () => "never", true],
  ])("%s", async (_, expected, quotedEtags) => {
    expect((await learnDialect(openAs(expected))).quotedEtags).toBe(quotedEtags);
    await expectNothingLeft();
  });

  it.each([true, false])("conditional deletion: %s", async (conditionalDelete) => {
    const dialect = await learnDialect(openAs((etag) => etag, conditionalDelete));
    expect(dialect).toEqual({ quotedEtags: false, conditionalDelete });
  });

  it("a service that refuses every conditional deletion has none", async () => {
    const refusing = (): ObjectStore =>
      service({
        async delete(key, options) {
          if (options?.ifMatch) throw new SkepError("store_unavailable", "501");
          await memory.delete(key);
        },
      });
    expect(await learnDialect(refusing)).toEqual({ quotedEtags: true, conditionalDelete: false });
  });
});
