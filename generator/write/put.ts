/**
 * One conditional write, and what its answers mean (docs/design.md, the writing protocol): every PUT names
 * the object it replaces, so a generator that was overtaken can change nothing.
 */
import { hasCode, SkepError } from "../../schemas/errors.ts";
import type { ObjectStore, Precondition, PutOptions } from "../../store/objects/store.ts";
import type { Sql } from "../../store/postgres/pool.ts";
import { currentGeneration } from "../../store/queries/leases.ts";
import type { DesiredObject } from "../build/objects.ts";
import type { Claim } from "../claim.ts";
import { type CurrentObject, currentObject } from "./metadata.ts";

export interface Writer {
  readonly sql: Sql;
  readonly store: ObjectStore;
  readonly claim: Claim;
  /** Before the second try of a write whose outcome is unknown; doubled each time. */
  readonly retryMilliseconds: number;
  /** Told of a key when the store gave no answer: that request may arrive long after a later one has succeeded. */
  readonly onUnanswered?: ((key: string) => void) | undefined;
}

const ATTEMPTS = 5;

/** @returns the precondition under which exactly this object may be replaced. */
export function replacing(current: Pick<CurrentObject, "etag"> | undefined): Precondition {
  return current === undefined ? { kind: "absent" } : { kind: "match", etag: current.etag };
}

/** @returns whether it is what this very claim was to put: our own request arrived. */
export function isOwnWrite(
  found: CurrentObject,
  claim: Pick<Claim, "generation">,
  desired: Pick<DesiredObject, "payloadHash">,
): boolean {
  return found.generation === claim.generation && found.payloadHash === desired.payloadHash;
}

/**
 * Puts an object in place of the one that is known, and finds out what happened when the store does not say.
 * @returns the ETag of the object that now stands.
 * @throws SkepError `lease_lost` when a later generation has written the key or the claim ran out,
 *   `database_restored` when that generation is one the database has never given, `store_unavailable` when
 *   the store keeps failing.
 */
export async function putObject(
  writer: Writer,
  desired: DesiredObject,
  body: Uint8Array,
  options: Omit<PutOptions, "precondition">,
  known: CurrentObject | undefined,
): Promise<string> {
  // What was looked at tells as much as a 412 does.
  await refuseNewer(writer, desired.key, known, desired.revision);
  let precondition = replacing(known);
  for (let attempt = 1; ; attempt++) {
    writer.claim.assertHeld();
    try {
      return (await writer.store.put(desired.key, body, { ...options, precondition })).etag;
    } catch (error) {
      if (!hasCode(error, "store_precondition", "store_not_found", "store_unavailable")) throw error;
      if (error.code === "store_unavailable") writer.onUnanswered?.(desired.key);
      if (attempt >= ATTEMPTS) throw error;
      if (error.code === "store_unavailable") await backOff(writer, attempt);
    }
    const found = await lookAgain(writer, desired.key, attempt);
    if (found === "unknown") continue;
    // Our own request arrived, though its answer did not.
    if (found !== undefined && isOwnWrite(found, writer.claim, desired)) return found.etag;
    await refuseNewer(writer, desired.key, found, desired.revision);
    // An older generation, or a foreign hand: its writer died between PUT and record. Or the object was
    // removed by hand.
    precondition = replacing(found);
  }
}

/**
 * Makes a key empty. Another object than the known one goes as well, unless a later generation wrote it: a
 * request of an older one arrived in between.
 * @throws as {@link putObject}
 */
export async function deleteObject(writer: Writer, key: string, known: CurrentObject): Promise<void> {
  await refuseNewer(writer, key, known, null);
  let { etag } = known;
  for (let attempt = 1; ; attempt++) {
    writer.claim.assertHeld();
    try {
      await writer.store.delete(key, { ifMatch: etag });
      return;
    } catch (error) {
      if (!hasCode(error, "store_precondition", "store_unavailable")) throw error;
      if (error.code === "store_unavailable") writer.onUnanswered?.(key);
      if (attempt >= ATTEMPTS) throw error;
      if (error.code === "store_unavailable") await backOff(writer, attempt);
    }
    const found = await lookAgain(writer, key, attempt);
    if (found === "unknown") continue;
    if (found === undefined) return;
    await refuseNewer(writer, key, found, null);
    etag = found.etag;
  }
}

/**
 * @param revision what we are about to write
 * @throws SkepError `lease_lost` when the object is of a later generation than ours; `database_restored` when
 *   no generation that the database knows of can have written it.
 */
export async function refuseNewer(
  writer: Pick<Writer, "sql" | "claim">,
  key: string,
  found: CurrentObject | undefined,
  revision: number | null,
): Promise<void> {
  const { claim } = writer;
  if (found?.generation === undefined) return;
  // The two histories may have come to the same numbers, so this is asked first.
  if (found.claim !== undefined && !(await claim.knows(found.claim))) {
    throw restored(key, "a claim that the database has never given");
  }
  // Restarts raise the generation past that of the object, so the revision is asked as well: whoever wrote
  // before our claim cannot have read later rows than we did.
  if (found.generation <= claim.generation) {
    if (found.revision === undefined || revision === null || found.revision <= revision) return;
    throw restored(key, `revision ${found.revision}, but the database is at ${revision}`);
  }
  const current = await currentGeneration(writer.sql, claim.repositoryId);
  if (found.generation > current)
    throw restored(key, `generation ${found.generation}, but the database is at ${current}`);
  throw claim.lost(`${key} was written by generation ${found.generation}`);
}

function restored(key: string, what: string): SkepError {
  return new SkepError(
    "database_restored",
    `${key} is of ${what}: it was restored from an older backup, or another installation writes this store. After a ` +
      "restored backup run `skep rebuild --adopt`, which raises its counters above what the public store has seen",
  );
}

async function lookAgain(
  writer: Writer,
  key: string,
  attempt: number,
): Promise<CurrentObject | undefined | "unknown"> {
  try {
    const head = await writer.store.head(key);
    return head && currentObject(head);
  } catch (error) {
    if (!hasCode(error, "store_unavailable")) throw error;
    await backOff(writer, attempt);
    return "unknown";
  }
}

function backOff(writer: Writer, attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, writer.retryMilliseconds * 2 ** (attempt - 1)));
}
