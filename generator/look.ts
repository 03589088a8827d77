/** What stands under the keys of a build: by our books, or by a look where the books may be wrong. */
import type { PackageName } from "../hex/ids.ts";
import { objectKey } from "../hex/keys.ts";
import { keptAmong } from "../store/queries/adoption.ts";
import type { RecordedObject } from "../store/queries/books.ts";
import type { GeneratorContext } from "./context.ts";
import { twinKeys } from "./live-keys.ts";
import { inParallel } from "./parallel.ts";
import type { Snapshot } from "./snapshot.ts";
import { type CurrentObject, currentObject } from "./write/metadata.ts";

export function recordedAsCurrent(recorded: readonly RecordedObject[]): ReadonlyMap<string, CurrentObject> {
  return new Map(recorded.map((object) => [object.key, object]));
}

/**
 * @returns for each key that may hold an object what stands there; a key that is missing is empty.
 * @throws SkepError `store_unavailable`
 */
export async function currentObjects(
  context: GeneratorContext,
  snapshot: Snapshot,
): Promise<ReadonlyMap<string, CurrentObject>> {
  const current = new Map(recordedAsCurrent(snapshot.recorded));
  const doubtful = [...doubtfulKeys(snapshot, context.twins !== undefined)];
  // Not seen, so not removed: what a restored database knows nothing of stays until somebody decides.
  const kept = await keptAmong(context.sql, snapshot.repository.id, doubtful);
  const keys = doubtful.filter((key) => !kept.has(key));
  await inParallel(context.settings.concurrency, keys, async (key) => {
    const head = await context.publicStore.head(key);
    if (head === undefined) current.delete(key);
    else current.set(key, currentObject(head));
  });
  return current;
}

/**
 * Keys that an earlier generation announced and did not record, and every key of a package (or of the
 * repository itself) that somebody asked to look at.
 */
function doubtfulKeys(snapshot: Snapshot, twins: boolean): Iterable<string> {
  const keys = new Set(snapshot.intents.map((intent) => intent.key));
  const looks = new Set<PackageName | null>();
  for (const change of snapshot.changes) if (change.look) looks.add(change.package);
  if (looks.size === 0) return keys;
  for (const { key, package: name } of snapshot.recorded) if (looks.has(name)) keys.add(key);
  const { repository } = snapshot;
  for (const row of snapshot.packages) {
    if (!looks.has(row.name)) continue;
    keys.add(objectKey(repository, { kind: "package", package: row.name }));
    if (twins) for (const key of twinKeys(repository, row)) keys.add(key);
    for (const { version, docs } of row.releases) {
      keys.add(objectKey(repository, { kind: "tarball", package: row.name, version }));
      if (docs) keys.add(objectKey(repository, { kind: "docs", package: row.name, version }));
    }
  }
  if (looks.has(null)) {
    for (const kind of ["names", "versions", "public_key"] as const)
      keys.add(objectKey(repository, { kind }));
    for (const { name } of snapshot.policies)
      keys.add(objectKey(repository, { kind: "policy", policy: name }));
  }
  return keys;
}
