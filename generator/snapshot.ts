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
  inSnapshot,
  type PackageRow,
  packageRows,
  type RepositoryRow,
  repositoryById,
} from "../store/queries/registry.ts";
import { type TwinRow, twinRows } from "../store/queries/twins.ts";
import type { IndexStates, SnapshotIndex } from "./index/index-states.ts";

export interface Snapshot {
  readonly repository: RepositoryRow;
  readonly changes: readonly PendingChange[];
  /** Of earlier generations: whatever they name may be half done. */
  readonly intents: readonly Intent[];
  /** The packages that changes and intents name, live or gone. */
  readonly packages: readonly PackageRow[];
  readonly recorded: readonly RecordedObject[];
  readonly index: SnapshotIndex;
  readonly holds: readonly Hold[];
  readonly policies: readonly PolicyRow[];
  /** Of the packages in scope; empty unless asked for. */
  readonly twins: ReadonlyMap<PackageName, TwinRow>;
}

// More than this at once gains nothing, and would hold the first of them up.
const CHANGES_AT_ONCE = 50_000;

/**
 * @param indexes what is held of the indexes in memory; brought up to date
 * @returns undefined when there is nothing to do.
 */
export async function readSnapshot(
  sql: Sql,
  indexes: IndexStates,
  repositoryId: number,
  generation: number,
  withTwins = false,
): Promise<Snapshot | undefined> {
  return inSnapshot(sql, async (tx) => {
    const repository = await repositoryById(tx, repositoryId);
    if (repository === undefined) return undefined;
    const [changes, intents, holds] = await Promise.all([
      pendingChanges(tx, repository.name, CHANGES_AT_ONCE),
      openIntents(tx, repositoryId, generation),
      heldReleases(tx, repositoryId),
    ]);
    if (changes.length === 0 && intents.length === 0) return undefined;
    const names = new Set<PackageName>();
    for (const { package: name } of [...changes, ...intents]) if (name !== null) names.add(name);
    const scope = [...names].sort();
    const request = {
      scope,
      holds: holds.filter((hold) => !names.has(hold.package)),
      // Who asks to look at the repository's own files wants them to be what the rows say.
      fresh: changes.some((change) => change.look && change.package === null),
    };
    const [packages, recorded, index, policies, twins] = await Promise.all([
      packageRows(tx, repositoryId, scope),
      recordedObjects(tx, repositoryId, scope),
      indexes.read(tx, repository, request),
      policyRows(tx, repositoryId),
      withTwins ? twinRows(tx, repositoryId, scope) : new Map(),
    ]);
    return { repository, changes, intents, packages, recorded, index, holds, policies, twins };
  });
}
