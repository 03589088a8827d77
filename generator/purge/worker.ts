/**
 * Sees purges through: purge, read back through the CDN until what was recorded is served, purge again
 * after a moment, and again while anything is stale. A purge that never takes stays in its table and is
 * tried again for ever.
 */
import { SkepError } from "../../schemas/errors.ts";
import { recordedByKey, startGrace } from "../../store/queries/books.ts";
import { changesOfPurge, type ShownChange, showChanges } from "../../store/queries/changes.ts";
import {
  advancePurge,
  finishPurge,
  nextPurgeIn,
  type Purge,
  renewPurge,
  retryPurge,
  takePurges,
} from "../../store/queries/purges.ts";
import type { Bell } from "../bell.ts";
import type { Cdn, GeneratorContext } from "../context.ts";
import { inParallel } from "../parallel.ts";
import { requestFields, requestIdsOf } from "../request-ids.ts";
import { step } from "../steps.ts";

// Side by side, so that one that hangs holds no other up.
const WORKERS = 8;
// A worker that lives renews its purge long before another may take it.
const LEASE_SECONDS = 60;
const RENEW_MILLISECONDS = 20_000;
// A build may stand between its PUT and its record: what is served is then newer than the record for a moment.
const READS = 3;
const READ_AGAIN_MILLISECONDS = 150;
const LONGEST_RETRY_SECONDS = 60;

/**
 * Handles the purges that are due, for commands and tests.
 * @returns how many there were.
 */
export async function runPurges(context: GeneratorContext, cdn: Cdn): Promise<number> {
  let count = 0;
  const worker = async () => {
    while (await runNextPurge(context, cdn)) count += 1;
  };
  await Promise.all(Array.from({ length: WORKERS }, worker));
  return count;
}

/** Handles purges until the signal; `wake` is rung when there may be new ones. */
export async function purgeLoop(
  context: GeneratorContext,
  cdn: Cdn,
  wake: Bell,
  stop: AbortSignal,
): Promise<void> {
  const worker = async () => {
    while (!stop.aborted) {
      let wait = context.settings.pollSeconds * 1000;
      try {
        if (await runNextPurge(context, cdn)) continue;
        wait = Math.min(wait, (await nextPurgeIn(context.sql)) ?? wait);
      } catch (error) {
        context.log.error({ err: error }, "purges cannot be read: they stay enqueued");
      }
      await wake.wait(wait, stop);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, worker));
}

/** @returns whether there was one. */
async function runNextPurge(context: GeneratorContext, cdn: Cdn): Promise<boolean> {
  const [purge] = await takePurges(context.sql, 1, LEASE_SECONDS);
  if (purge === undefined) return false;
  const renewal = setInterval(() => {
    // What fails here at worst lets another worker do the same purge.
    renewPurge(context.sql, purge.id, LEASE_SECONDS).catch(() => undefined);
  }, RENEW_MILLISECONDS);
  try {
    await runPurge(context, cdn, purge);
  } finally {
    clearInterval(renewal);
  }
  return true;
}

async function runPurge(context: GeneratorContext, cdn: Cdn, purge: Purge): Promise<void> {
  try {
    await step(context.onStep, "purge", () => cdn.purger.purge(purge.surrogateKeys));
    context.counters.purges += 1;
    const stale = await step(context.onStep, "read-back", () => staleKeys(context, cdn, purge));
    if (stale.length > 0) {
      context.counters.staleReads += stale.length;
      throw new SkepError("purge_stale", `the CDN still serves an old ${stale[0]} (${stale.length} stale)`);
    }
    const shown = await step(context.onStep, "show", () => show(context, purge));
    context.onVisible?.(shown);
    logPurge(context, purge, shown);
  } catch (error) {
    context.counters.purgesFailed += 1;
    await putOff(context, purge, error instanceof Error ? error.message : String(error));
  }
}

/** @returns the objects of which the CDN serves something else than what is recorded at this moment. */
async function staleKeys(context: GeneratorContext, cdn: Cdn, purge: Purge): Promise<readonly string[]> {
  const stale: string[] = [];
  const readable = purge.targetKeys.filter((key) => cdn.reader.reads?.(key) ?? true);
  await inParallel(context.settings.concurrency, readable, async (key) => {
    if (!(await isFresh(context, cdn, purge.repositoryId, key))) stale.push(key);
  });
  return stale;
}

/** Compares with what is recorded now, and not when the purge was enqueued: a later build may have come by. */
export async function isFresh(
  context: GeneratorContext,
  cdn: Cdn,
  repositoryId: number,
  key: string,
): Promise<boolean> {
  for (let read = 1; ; read++) {
    const served = await cdn.reader.etag(key);
    const [recorded] = await recordedByKey(context.sql, repositoryId, [key]);
    if (served === recorded?.etag) return true;
    if (read === READS) return false;
    await new Promise((resolve) => setTimeout(resolve, READ_AGAIN_MILLISECONDS * read));
  }
}

/** @returns the changes that are visible by this purge. */
async function show(context: GeneratorContext, purge: Purge): Promise<readonly ShownChange[]> {
  return context.sql.begin(async (tx) => {
    if (purge.rounds > 0) {
      await finishPurge(tx, purge.id);
      return [];
    }
    const shown = await showChanges(tx, purge.id);
    // No cache of ours holds a file that names the removed objects: now the caches of clients count down.
    await startGrace(tx, purge.id, context.settings.deletionGraceSeconds);
    await advancePurge(tx, purge.id, context.settings.secondPurgeSeconds);
    return shown;
  }) as Promise<readonly ShownChange[]>;
}

function logPurge(context: GeneratorContext, purge: Purge, shown: readonly ShownChange[]): void {
  const fields = { purge: purge.id, round: purge.rounds + 1, objects: purge.targetKeys.length };
  const about = shown.length === 0 ? {} : { changes: shown.length, ...requestFields(requestIdsOf(shown)) };
  context.log.info({ ...fields, ...about }, "purged, and read back fresh");
}

async function putOff(context: GeneratorContext, purge: Purge, reason: string): Promise<void> {
  const seconds = Math.min(
    context.settings.purgeRetrySeconds * 2 ** Math.min(purge.attempts - 1, 20),
    LONGEST_RETRY_SECONDS,
  );
  let waiting: readonly string[] = [];
  try {
    await retryPurge(context.sql, purge.id, seconds, reason);
    waiting = requestIdsOf(await changesOfPurge(context.sql, purge.id));
  } catch {
    // Postgres is away: the purge comes back when its lease has run out.
  }
  const fields = { purge: purge.id, attempts: purge.attempts, retryInSeconds: seconds };
  context.log.warn({ ...fields, ...requestFields(waiting) }, `purge not seen through: ${reason}`);
}
