/** What the public store should hold, from rows that are read in one snapshot. */
import type { PackageName } from "../../hex/ids.ts";
import { heldReleases } from "../../store/queries/books.ts";
import { hasPendingChanges, pendingPackages } from "../../store/queries/pending.ts";
import { policyRows } from "../../store/queries/policies.ts";
import {
  allRepositories,
  inSnapshot,
  packageRows,
  type RepositoryRow,
} from "../../store/queries/registry.ts";
import { twinRows } from "../../store/queries/twins.ts";
import { type DesiredObject, packageObjects, repositoryObjects } from "../build/objects.ts";
import { policyObjects } from "../build/policies.ts";
import { withoutHeldReleases } from "../build/rows.ts";
import { twinObjects } from "../build/twins.ts";
import type { GeneratorContext } from "../context.ts";
import { loadIndexFiles } from "../index/index-states.ts";

/** A part of what should be there. */
export interface Desired {
  readonly objects: readonly DesiredObject[];
  /** Whether a build is to come for an object of this package; null: of the repository's own. */
  isPending(name: PackageName | null): boolean;
}

/** @returns files, tarballs, docs and JSON of these packages; of those that are gone nothing. */
export async function desiredPackages(
  context: GeneratorContext,
  repository: RepositoryRow,
  names: readonly PackageName[],
): Promise<Desired> {
  const { rows, holds, twins, pending } = await inSnapshot(context.sql, async (tx) => ({
    rows: await packageRows(tx, repository.id, names),
    holds: await heldReleases(tx, repository.id),
    twins: context.twins && (await twinRows(tx, repository.id, names)),
    pending: await pendingPackages(tx, repository, names),
  }));
  const objects = withoutHeldReleases(rows, holds).flatMap((row) => [
    ...packageObjects(repository, row, context.signer),
    ...(context.twins ? twinObjects(repository, row, twins?.get(row.name), context.twins) : []),
  ]);
  return { objects, isPending: (name) => name !== null && pending.has(name) };
}

/** @returns indexes, public key and policies of the repository, as it is now. */
export async function desiredIndexes(context: GeneratorContext, { id }: RepositoryRow): Promise<Desired> {
  return inSnapshot(context.sql, async (tx) => {
    // Read again with the rows: a publish may have come by since.
    const repository = (await allRepositories(tx)).find((row) => row.id === id);
    if (repository === undefined) return { objects: [], isPending: () => false };
    const files = await loadIndexFiles(tx, id, await heldReleases(tx, id));
    const pending = await hasPendingChanges(tx, repository);
    return {
      objects: [
        ...policyObjects(repository, await policyRows(tx, id), context.signer),
        ...repositoryObjects(repository, files, context.signer),
      ],
      isPending: () => pending,
    };
  });
}
