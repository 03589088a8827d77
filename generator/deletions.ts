/**
 * Deletes tarballs and docs whose grace is over, under the claim. A removal runs the other way round than a
 * publish: the files that named them are long gone by now.
 */
import type { PackageName } from "../hex/ids.ts";
import type { Transaction } from "../store/postgres/pool.ts";
import {
  cancelDeletions,
  closeOwnIntents,
  dueDeletions,
  forgetObjects,
  openOwnIntents,
} from "../store/queries/books.ts";
import { enqueuePurge } from "../store/queries/purges.ts";
import type { RepositoryRow } from "../store/queries/registry.ts";
import { fenced, surrogateKeysOf } from "./books.ts";
import type { Claim } from "./claim.ts";
import type { GeneratorContext } from "./context.ts";
import { liveKeysOf } from "./live-keys.ts";
import { inParallel } from "./parallel.ts";
import { step } from "./steps.ts";
import { currentObject } from "./write/metadata.ts";
import { deleteObject } from "./write/put.ts";
import { writerOf } from "./write/stage.ts";

const DELETIONS_AT_ONCE = 1_000;

/** @returns how many objects were deleted. */
export async function runDeletions(
  context: GeneratorContext,
  claim: Claim,
  repository: RepositoryRow,
): Promise<number> {
  const due = await dueDeletions(context.sql, repository.id, DELETIONS_AT_ONCE);
  if (due.length === 0) return 0;
  // The claim keeps every other generator away, and we publish nothing meanwhile: what is dead here stays so.
  const names = new Set<PackageName>(due.map((deletion) => deletion.package));
  const live = await liveKeysOf(context.sql, repository, [...names], context.twins !== undefined);
  const dead = due.filter((deletion) => !live.has(deletion.key));

  await step(context.onStep, "delete-announce", () =>
    fenced(context, claim, async (tx) => {
      // Published again while it waited: nothing is to be deleted.
      await cancelDeletions(tx, repository.id, [...live]);
      const intents = dead.map(({ key, package: name }) => ({ key, package: name, payloadHash: null }));
      await openOwnIntents(tx, repository.id, claim.generation, intents);
    }),
  );
  const keys = dead.map(({ key }) => key);
  await step(context.onStep, "delete-objects", () =>
    inParallel(context.settings.concurrency, keys, (key) => deleteKey(context, claim, key)),
  );
  await step(context.onStep, "delete-record", () =>
    fenced(context, claim, (tx) => recordDeletions(context, tx, claim, repository, keys)),
  );
  context.counters.deletes += keys.length;
  return keys.length;
}

async function deleteKey(context: GeneratorContext, claim: Claim, key: string): Promise<void> {
  const head = await context.publicStore.head(key);
  if (head !== undefined) await deleteObject(writerOf(context, claim), key, currentObject(head));
}

async function recordDeletions(
  context: GeneratorContext,
  tx: Transaction,
  claim: Claim,
  repository: RepositoryRow,
  deleted: readonly string[],
): Promise<void> {
  await forgetObjects(tx, repository.id, deleted);
  await cancelDeletions(tx, repository.id, deleted);
  await closeOwnIntents(tx, repository.id, claim.generation);
  if (context.cdn !== undefined && deleted.length > 0) {
    await enqueuePurge(tx, repository.id, surrogateKeysOf(repository, deleted), deleted);
  }
}
