/**
 * Sees purges through: purge, read back through the CDN until what was recorded is served, purge again
 * after a moment, and again while anything is stale. A purge that never takes stays in its table and is
 * tried again for ever.
 */
import { SkepError } from "../../schemas/errors.ts";
import { recordedByKey, startGrace } from "../../store/queries/books.ts";
import { showChanges } from "../../store/queries/changes.ts";
import { advancePurge, finishPurge, type Purge, retryPurge, takePurges } from "../../store/queries/purges.ts";
import type { Cdn, GeneratorContext } from "../context.ts";
import { inParallel } from "../parallel.ts";
import { step } from "../steps.ts";

const PURGES_AT_ONCE = 50;
// Longer than a purge with all its retries takes, so that two workers do not do the same one.
const LEASE_SECONDS = 120;
const LONGEST_RETRY_SECONDS = 60;

/**
 * Handles the purges that are due.
 * @returns how many there were.
 */
export async function runPurges(context: GeneratorContext, cdn: Cdn): Promise<number> {
  const purges = await takePurges(context.sql, PURGES_AT_ONCE, LEASE_SECONDS);
  // One after the other would let a purge that hangs hold the rest up.
  await inParallel(8, purges, (purge) => runPurge(context, cdn, purge));
  return purges.length;
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
    await step(context.onStep, "show", () => show(context, purge));
  } catch (error) {
    context.counters.purgesFailed += 1;
    await putOff(context, purge, error instanceof Error ? error.message : String(error));
  }
}

/** @returns the objects of which the CDN serves something else than what is recorded at this moment. */
async function staleKeys(context: GeneratorContext, cdn: Cdn, purge: Purge): Promise<readonly string[]> {
  const stale: string[] = [];
  await inParallel(context.settings.concurrency, purge.targetKeys, async (key) => {
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
  const served = await cdn.reader.etag(key);
  const [recorded] = await recordedByKey(context.sql, repositoryId, [key]);
  return served === recorded?.etag;
}

async function show(context: GeneratorContext, purge: Purge): Promise<void> {
  await context.sql.begin(async (tx) => {
    if (purge.rounds > 0) return finishPurge(tx, purge.id);
    await showChanges(tx, purge.id);
    // No cache of ours holds a file that names the removed objects: now the caches of clients count down.
    await startGrace(tx, purge.id, context.settings.deletionGraceSeconds);
    await advancePurge(tx, purge.id, context.settings.secondPurgeSeconds);
  });
}

async function putOff(context: GeneratorContext, purge: Purge, reason: string): Promise<void> {
  const seconds = Math.min(
    context.settings.purgeRetrySeconds * 2 ** Math.min(purge.attempts - 1, 20),
    LONGEST_RETRY_SECONDS,
  );
  const fields = { purge: purge.id, attempts: purge.attempts, retryInSeconds: seconds };
  context.log.warn(fields, `purge not seen through: ${reason}`);
  try {
    await retryPurge(context.sql, purge.id, seconds, reason);
  } catch {
    // Postgres is away: the purge comes back when its lease has run out.
  }
}
