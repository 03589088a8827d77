/** Everything a build reads, in one snapshot of the database. */
import type { PackageName } from "../hex/ids.ts";
import type { Sql } from "../store/postgres/pool.ts";
import {
  type Hold,
  heldReleases,
  type Intent,
  openIntents,
  type RecordedObject,
  recordedObjects,
} from "../store/queries/books.ts";
import { type PendingChange, pendingChanges } from "../store/queries/changes.ts";
import { type PolicyRow, policyRows } from "../store/queries/policies.ts";
import {
  type IndexRow,
  indexRows,
  inSnapshot,
  type PackageRow,
  packageRows,
  type RepositoryRow,
  repositoryById,
} from "../store/queries/registry.ts";
import { type TwinRow, twinRows } from "../store/queries/twins.ts";

export interface Snapshot {
  readonly repository: RepositoryRow;
  readonly changes: readonly PendingChange[];
  /** Of earlier generations: whatever they name may be half done. */
  readonly intents: readonly Intent[];
  /** The packages that changes and intents name, live or gone. */
  readonly packages: readonly PackageRow[];
  readonly recorded: readonly RecordedObject[];
  readonly index: readonly IndexRow[];
  readonly holds: readonly Hold[];
  readonly policies: readonly PolicyRow[];
  /** Of the packages in scope; empty unless asked for. */
  readonly twins: ReadonlyMap<PackageName, TwinRow>;
}

// More than this at once gains nothing, and would hold the first of them up.
const CHANGES_AT_ONCE = 50_000;

/** @returns undefined when there is nothing to do. */
export async function readSnapshot(
  sql: Sql,
  repositoryId: number,
  generation: number,
  withTwins = false,
): Promise<Snapshot | undefined> {
  return inSnapshot(sql, async (tx) => {
    const repository = await repositoryById(tx, repositoryId);
    if (repository === undefined) return undefined;
    const changes = await pendingChanges(tx, repository.name, CHANGES_AT_ONCE);
    const intents = await openIntents(tx, repositoryId, generation);
    if (changes.length === 0 && intents.length === 0) return undefined;
    const names = new Set<PackageName>();
    for (const { package: name } of [...changes, ...intents]) if (name !== null) names.add(name);
    const scope = [...names].sort();
    return {
      repository,
      changes,
      intents,
      packages: await packageRows(tx, repositoryId, scope),
      recorded: await recordedObjects(tx, repositoryId, scope),
      index: await indexRows(tx, repositoryId),
      holds: await heldReleases(tx, repositoryId),
      policies: await policyRows(tx, repositoryId),
      twins: withTwins ? await twinRows(tx, repositoryId, scope) : new Map(),
    };
  });
}
