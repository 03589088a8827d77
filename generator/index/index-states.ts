/**
 * What a generator holds in memory of each repository's indexes, so that a publish need not read the others. It is
 * never trusted: each build proves in its snapshot of the database that what is held, and the packages that have
 * changed since, are all of it, or reads everything.
 */
import { LRUCache } from "lru-cache";
import type { PackageName } from "../../hex/ids.ts";
import { schemaVersion } from "../../store/postgres/migrate.ts";
import type { Queryable, Sql } from "../../store/postgres/pool.ts";
import { type Hold, heldReleases } from "../../store/queries/books.ts";
import { type Revision, revisionsFrom } from "../../store/queries/changes.ts";
import {
  allIndexRows,
  type IndexRow,
  indexRows,
  inSnapshot,
  type RepositoryRow,
  repositoryById,
} from "../../store/queries/registry.ts";
import { heldVersions, withoutHeldVersions } from "../build/rows.ts";
import { type IndexFiles, IndexFilesBuilder } from "./index-files.ts";

/** The indexes as they were at a revision. */
interface IndexState {
  readonly revision: number;
  /** Of that revision's change; undefined where it is not recorded. */
  readonly mark: string | undefined;
  /** Another one may fill the same columns with other values. */
  readonly schema: number;
  readonly files: IndexFiles;
  /** Of what is left out: by package, which versions. */
  readonly held: ReadonlyMap<PackageName, string>;
}

/** The indexes as they are in a snapshot. */
export interface SnapshotIndex {
  /** With every release of the packages in scope. */
  readonly files: IndexFiles;
  /** Of the packages in scope, as far as they have a release. */
  readonly rows: readonly IndexRow[];
}

export interface IndexRequest {
  /** Packages whose rows are read in any case. */
  readonly scope: readonly PackageName[];
  /** Releases of other packages that are left out. */
  readonly holds: readonly Hold[];
  /** Reads everything. */
  readonly fresh: boolean;
}

// Repositories of which there may be many are small.
const REPOSITORIES = 1_000;
// Reading everything costs no more.
const MOST_REVISIONS = 5_000;

export class IndexStates {
  readonly #states = new LRUCache<number, IndexState>({ max: REPOSITORIES });

  /** @param tx a snapshot, which the repository's row is of as well */
  async read(tx: Queryable, repository: RepositoryRow, request: IndexRequest): Promise<SnapshotIndex> {
    const state = request.fresh ? undefined : this.#states.get(repository.id);
    const from = Math.min(state?.revision ?? repository.revision, repository.revision);
    const [schema, revisions, scoped] = await Promise.all([
      schemaVersion(tx),
      revisionsFrom(tx, repository.name, Math.max(from, repository.revision - MOST_REVISIONS)),
      indexRows(tx, repository.id, request.scope),
    ]);
    const held = heldVersions(request.holds);
    const changed =
      state?.schema === schema ? changedPackages(state, revisions, repository.revision) : undefined;
    const before =
      state === undefined || changed === undefined
        ? await loadIndexFiles(tx, repository.id, request.holds)
        : await updated(tx, repository.id, state, [...changed, ...differing(state.held, held)], request);
    const files = before.with(byName(request.scope, scoped));
    // Begun as soon as it can be, as the files are written last; whoever writes them meets what fails here.
    if (changed !== undefined) files.deflate().catch(() => undefined);
    this.#states.set(repository.id, {
      revision: repository.revision,
      mark: markOf(revisions, repository.revision),
      schema,
      files,
      held,
    });
    return { files, rows: scoped };
  }

  /** Reads and deflates a repository's indexes, so that the first publish need not. */
  async prepare(sql: Sql, repositoryId: number): Promise<void> {
    const read = await inSnapshot(sql, async (tx) => {
      const repository = await repositoryById(tx, repositoryId);
      const holds = await heldReleases(tx, repositoryId);
      return repository && this.read(tx, repository, { scope: [], holds, fresh: false });
    });
    await read?.files.deflate();
  }
}

/**
 * @param revisions from the state's own on
 * @returns the packages that have changed since; undefined when the database does not tell, or has another past.
 */
export function changedPackages(
  state: Pick<IndexState, "revision" | "mark">,
  revisions: readonly Revision[],
  current: number,
): readonly PackageName[] | undefined {
  const since = revisions.filter(({ revision }) => revision > state.revision);
  const isSamePast = state.mark !== undefined && markOf(revisions, state.revision) === state.mark;
  if (!isSamePast || since.length !== current - state.revision) return undefined;
  return since.flatMap(({ packages }) => packages);
}

function markOf(revisions: readonly Revision[], revision: number): string | undefined {
  return revisions.find((each) => each.revision === revision)?.mark;
}

/** @returns the packages of which other versions are held than before. */
function differing(
  before: ReadonlyMap<PackageName, string>,
  now: ReadonlyMap<PackageName, string>,
): readonly PackageName[] {
  if (before.size === 0 && now.size === 0) return [];
  return [...new Set([...before.keys(), ...now.keys()])].filter((name) => before.get(name) !== now.get(name));
}

async function updated(
  tx: Queryable,
  repositoryId: number,
  { files }: IndexState,
  changed: readonly PackageName[],
  { scope, holds }: IndexRequest,
): Promise<IndexFiles> {
  const read = new Set(scope);
  const others = [...new Set(changed)].filter((name) => !read.has(name));
  const rows = withoutHeldVersions(await indexRows(tx, repositoryId, others), holds);
  return files.with(byName(others, rows));
}

function byName(
  names: readonly PackageName[],
  rows: readonly IndexRow[],
): ReadonlyMap<PackageName, IndexRow | undefined> {
  return new Map<PackageName, IndexRow | undefined>([
    ...names.map((name) => [name, undefined] as const),
    ...rows.map((row) => [row.name, row] as const),
  ]);
}

/** @param holds of packages in scope @returns the indexes without them. */
export function withoutHolds({ files, rows }: SnapshotIndex, holds: readonly Hold[]): IndexFiles {
  const held = heldVersions(holds);
  const named = rows.filter(({ name }) => held.has(name));
  return files.with(
    byName(
      named.map(({ name }) => name),
      withoutHeldVersions(named, holds),
    ),
  );
}

/** Reads everything, a few packages at a time. */
export async function loadIndexFiles(
  tx: Queryable,
  repositoryId: number,
  holds: readonly Hold[],
): Promise<IndexFiles> {
  const held = heldVersions(holds);
  const builder = new IndexFilesBuilder();
  for await (const row of allIndexRows(tx, repositoryId)) {
    if (!held.has(row.name)) builder.add(row);
    else for (const kept of withoutHeldVersions([row], holds)) builder.add(kept);
  }
  return builder.finish();
}
