/**
 * Goes round all recorded objects for ever, a few at a time, and compares them with what the store holds
 * and what the CDN serves. What a stalled deleter removed, a hand overwrote or a purge missed is found here
 * and mended by the ordinary path.
 */
import { hasCode } from "../schemas/errors.ts";
import { type RecordedObject, recordedByKey, sampleObjects } from "../store/queries/books.ts";
import { requestLooks } from "../store/queries/changes.ts";
import { recordFinding } from "../store/queries/findings.ts";
import { enqueuePurge } from "../store/queries/purges.ts";
import type { RepositoryRow } from "../store/queries/registry.ts";
import { surrogateKeysOf } from "./books.ts";
import type { GeneratorContext } from "./context.ts";

const OBJECTS_AT_ONCE = 20;

/**
 * @param from where to go on: a key
 * @returns where to go on next time: "" after the last object.
 */
export async function sample(
  context: GeneratorContext,
  repository: RepositoryRow,
  from: string,
): Promise<string> {
  const objects = await sampleObjects(context.sql, repository.id, from, OBJECTS_AT_ONCE);
  for (const object of objects) {
    try {
      await sampleObject(context, repository, object);
    } catch (error) {
      if (!hasCode(error, "store_unavailable")) throw error;
      // One object that gives no answer must not keep the rest from being looked at.
      context.log.warn({ key: object.key, err: error }, "an object could not be sampled");
    }
  }
  const last = objects.at(-1);
  // The smallest key after the last one.
  return last === undefined || objects.length < OBJECTS_AT_ONCE ? "" : `${last.key}\u0001`;
}

async function sampleObject(
  context: GeneratorContext,
  repository: RepositoryRow,
  object: RecordedObject,
): Promise<void> {
  context.counters.samples += 1;
  const head = await context.publicStore.head(object.key);
  if (head?.etag !== object.etag) {
    // A build that runs at this moment explains it as well.
    if (!(await isStillRecorded(context, repository, object))) return;
    context.counters.samplesMended += 1;
    context.log.error(
      { key: object.key },
      "the store holds another object than was recorded: it will be mended",
    );
    await recordFinding(context.sql, repository.id, object.key, "store");
    await requestLooks(context.sql, repository.name, [object.package]);
    return;
  }
  const reader = context.cdn?.reader;
  if (reader === undefined || !(reader.reads?.(object.key) ?? true)) return;
  if ((await reader.etag(object.key)) === object.etag) return;
  if (!(await isStillRecorded(context, repository, object))) return;
  context.counters.samplesMended += 1;
  context.counters.samplesStale += 1;
  context.log.error(
    { key: object.key },
    "the CDN serves another object than was recorded: it will be purged",
  );
  await recordFinding(context.sql, repository.id, object.key, "cdn");
  await enqueuePurge(context.sql, repository.id, surrogateKeysOf(repository, [object.key]), [object.key]);
}

async function isStillRecorded(
  context: GeneratorContext,
  repository: RepositoryRow,
  object: RecordedObject,
): Promise<boolean> {
  const [now] = await recordedByKey(context.sql, repository.id, [object.key]);
  return now?.etag === object.etag;
}
