/**
 * Finds out at start whether a store honours conditions. Without them a writer that was overtaken could
 * replace newer objects by older ones, so a store that ignores them is not fit to publish to.
 */
import { randomBytes } from "node:crypto";
import { hasCode, SkepError } from "../../schemas/errors.ts";
import type { ObjectStore, PutOptions } from "./store.ts";

/** What a store was seen to do. */
export interface ConditionalWrites {
  /** True: otherwise the probe throws. */
  readonly conditionalPut: boolean;
  /** Whether a deletion can name the object that it means. */
  readonly conditionalDelete: boolean;
}

const RACERS = 8;
const OTHER_ETAG = "0".repeat(32);
const METADATA = { "skep-probe": "1" };
const BODY = Buffer.from("skep tries out whether conditional writes work; this may be deleted\n");

/**
 * Writes, and removes again, an object under `skep-probe/`.
 * @throws SkepError `store_unconditional` when a condition is ignored, or refused although it holds;
 *   `store_unavailable` when the store cannot be written to.
 */
export async function probeConditionalWrites(store: ObjectStore): Promise<ConditionalWrites> {
  const key = `skep-probe/${randomBytes(16).toString("hex")}`;
  try {
    await expectPut(store, key, { kind: "match", etag: OTHER_ETAG }, false, "If-Match without an object");
    await expectOneWinner(store, key);
    await expectPut(store, key, { kind: "absent" }, false, "If-None-Match: * with an object");
    await expectPut(store, key, { kind: "match", etag: OTHER_ETAG }, false, "If-Match with another ETag");
    const etag = await keptEtag(store, key);
    await expectPut(store, key, { kind: "match", etag }, true, "If-Match with the right ETag");
    return { conditionalPut: true, conditionalDelete: await refusesToDelete(store, key) };
  } finally {
    // Should it stay behind, it does no harm.
    await store.delete(key).catch(() => undefined);
  }
}

/** A service that looks first and writes then lets several through. */
async function expectOneWinner(store: ObjectStore, key: string): Promise<void> {
  const racers = Array.from({ length: RACERS }, () => put(store, key, { kind: "absent" }));
  const results = await Promise.allSettled(racers);
  const winners = results.filter((result) => result.status === "fulfilled" && result.value).length;
  if (winners > 1)
    throw unfit(store, `lets ${winners} of ${RACERS} racing writes with If-None-Match: * succeed`);
  if (winners === 1) return;
  // A service may answer 409 to some who race, but not to all.
  for (const result of results) if (result.status === "rejected") throw result.reason;
  throw unfit(store, "refuses If-None-Match: * without an object");
}

async function expectPut(
  store: ObjectStore,
  key: string,
  precondition: PutOptions["precondition"],
  expected: boolean,
  what: string,
): Promise<void> {
  if ((await put(store, key, precondition)) !== expected)
    throw unfit(store, `${expected ? "refuses" : "ignores"} ${what}`);
}

/** @returns whether the object was written. */
async function put(
  store: ObjectStore,
  key: string,
  precondition: PutOptions["precondition"],
): Promise<boolean> {
  try {
    await store.put(key, BODY, { precondition, metadata: METADATA });
    return true;
  } catch (error) {
    if (hasCode(error, "store_precondition", "store_not_found")) return false;
    throw error;
  }
}

/** Which generation wrote an object stands in its metadata. */
async function keptEtag(store: ObjectStore, key: string): Promise<string> {
  const head = await store.head(key);
  if (head === undefined) throw unfit(store, "does not show an object that was just written");
  if (head.metadata["skep-probe"] !== METADATA["skep-probe"]) throw unfit(store, "loses metadata");
  return head.etag;
}

async function refusesToDelete(store: ObjectStore, key: string): Promise<boolean> {
  if (!store.conditionalDelete) return false;
  try {
    await store.delete(key, { ifMatch: OTHER_ETAG });
    return false;
  } catch (error) {
    if (hasCode(error, "store_precondition")) return true;
    throw error;
  }
}

function unfit(store: ObjectStore, what: string): SkepError {
  return new SkepError(
    "store_unconditional",
    `${store.description}: it ${what}. Without ` +
      "conditional writes two generators could overwrite each other's files. Use a service that honours " +
      "If-Match and If-None-Match on PUT",
  );
}
