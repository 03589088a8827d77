/** The two transactions around the writes of a build: announce, and record. */
import { parseObjectKey, type RepositoryRef, repositorySurrogateKey, surrogateKey } from "../hex/keys.ts";
import type { Transaction } from "../store/postgres/pool.ts";
import * as books from "../store/queries/books.ts";
import {
  deferChanges,
  ensureRetry,
  finishChanges,
  type PendingChange,
  requestLooks,
  type ShownChange,
} from "../store/queries/changes.ts";
import { holdsLease } from "../store/queries/leases.ts";
import { enqueuePurge } from "../store/queries/purges.ts";
import type { Build } from "./build.ts";
import type { Claim } from "./claim.ts";
import type { GeneratorContext } from "./context.ts";
import { recordOf, type Unanswered, type Written } from "./write/stage.ts";

// Fastly takes 256 keys at once; beyond that one key that purges the repository is cheaper for all.
const KEYS_AT_ONCE = 256;
// A change that waits for lost bytes is tried again by itself.
const HELD_RETRY_SECONDS = 60;

/** Runs a transaction that counts only while the claim is ours. @throws SkepError `lease_lost` */
export async function fenced<T>(
  context: GeneratorContext,
  claim: Claim,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  return context.sql.begin(async (tx) => {
    if (!(await holdsLease(tx, claim.repositoryId, claim.generation))) {
      throw claim.lost("another generator has taken over");
    }
    return work(tx);
  }) as Promise<T>;
}

/** Says which keys are about to change, before the first of them does. */
export async function announce(context: GeneratorContext, claim: Claim, build: Build): Promise<void> {
  const intents = ownIntents(build);
  if (intents.length === 0) return;
  await fenced(context, claim, (tx) =>
    books.openOwnIntents(tx, claim.repositoryId, claim.generation, intents),
  );
}

function ownIntents({ plan }: Build): readonly Pick<books.Intent, "key" | "package" | "payloadHash">[] {
  return [
    ...plan.puts.map(({ desired }) => ({
      key: desired.key,
      package: desired.package,
      payloadHash: desired.payloadHash,
    })),
    ...plan.removals.map((removal) => ({ key: removal.key, package: removal.package, payloadHash: null })),
  ];
}

export interface Recorded {
  /** What makes it visible; undefined without a CDN, where it is visible now. */
  readonly purgeId: number | undefined;
  /** What is visible now. */
  readonly shown: readonly ShownChange[];
}

/**
 * Records what was written, finishes the changes and enqueues the purge, in one transaction: all of it
 * counts, or none.
 */
export async function record(
  context: GeneratorContext,
  claim: Claim,
  build: Build,
  written: readonly Written[],
  unanswered: Unanswered,
): Promise<Recorded> {
  const { snapshot, plan, holds } = build;
  const { repositoryId, generation } = claim;
  const scope = snapshot.packages.map((row) => row.name);
  const held = holds.filter((hold) => scope.includes(hold.package));
  const [unfinished, done] = partition(snapshot.changes, waitsForBytes(held, snapshot.holds));
  const adopted = plan.adopt.map(({ desired, known }) => ({ desired, etag: known.etag }));
  context.counters.adopted += adopted.length;
  const gone = plan.removals.map((removal) => removal.key);

  return fenced(context, claim, async (tx) => {
    await books.recordObjects(
      tx,
      repositoryId,
      [...written, ...adopted].map((object) => recordOf(object, generation)),
    );
    await books.forgetObjects(tx, repositoryId, [...gone, ...plan.forget]);
    await books.recordHolds(tx, repositoryId, scope, held);
    const changed = [
      ...written.map(({ desired }) => desired.key),
      ...adopted.map(({ desired }) => desired.key),
      ...gone,
    ];
    const purgeId =
      context.cdn === undefined || changed.length === 0
        ? undefined
        : await enqueuePurge(tx, repositoryId, surrogateKeysOf(snapshot.repository, changed), changed);
    await books.cancelDeletions(tx, repositoryId, plan.live);
    await books.scheduleDeletions(
      tx,
      repositoryId,
      plan.retire,
      purgeId,
      context.settings.deletionGraceSeconds,
    );
    const shown = await finishChanges(
      tx,
      done.map((change) => change.id),
      purgeId,
    );
    await deferChanges(
      tx,
      unfinished.map((change) => change.id),
      HELD_RETRY_SECONDS,
    );
    const packages = new Set(held.map((hold) => hold.package));
    await ensureRetry(tx, snapshot.repository.name, [...packages], HELD_RETRY_SECONDS);
    await books.closeOwnIntents(tx, repositoryId, generation);
    const [firstLook = 0] = context.settings.recheckSeconds;
    await books.putOffIntents(tx, repositoryId, snapshot.intents, context.settings.recheckSeconds);
    await books.recheckKeys(tx, repositoryId, unanswered, firstLook);
    return { purgeId, shown };
  });
}

/**
 * Which changes stay pending, as their bytes are lost: in the build that finds it, whatever was published, since
 * the lost bytes may be those of just this change; later on only what was put off already. All others of the package
 * are built, and done.
 */
function waitsForBytes(
  held: readonly books.Hold[],
  before: readonly books.Hold[],
): (change: PendingChange) => boolean {
  const nameOf = (hold: books.Hold) => `${hold.package} ${hold.version} ${hold.object}`;
  const known = new Set(before.map(nameOf));
  const packages = new Set<string | null>(held.map((hold) => hold.package));
  const fresh = new Set<string | null>(
    held.filter((hold) => !known.has(nameOf(hold))).map((hold) => hold.package),
  );
  return (change) =>
    packages.has(change.package) && (change.attempts > 0 || (!change.look && fresh.has(change.package)));
}

/**
 * @param keys of the repository; those of one that was renamed bear the surrogate keys of the name in them
 * @returns what to purge for these object keys, without repetition.
 */
export function surrogateKeysOf(repository: RepositoryRef, keys: readonly string[]): readonly string[] {
  const surrogates = new Set<string>();
  const whole = new Set<string>();
  for (const key of keys) {
    const parsed = parseObjectKey(key);
    if (parsed === undefined) continue;
    const { privateRepository } = parsed;
    const owner = privateRepository === undefined ? repository : { name: privateRepository, public: false };
    surrogates.add(surrogateKey(owner, parsed.object));
    whole.add(repositorySurrogateKey(owner));
  }
  return [...(surrogates.size > KEYS_AT_ONCE ? whole : surrogates)];
}

/** After we were overtaken: has each key of ours looked at again by whoever holds the claim now. */
export async function reopenIntents(context: GeneratorContext, claim: Claim, build: Build): Promise<void> {
  const intents = ownIntents(build);
  const packages = new Set(intents.map((intent) => intent.package));
  await context.sql.begin(async (tx) => {
    await books.openOwnIntents(tx, claim.repositoryId, claim.generation, intents);
    await requestLooks(tx, build.snapshot.repository.name, [...packages]);
  });
}

function partition<T>(
  items: readonly T[],
  isFirst: (item: T) => boolean,
): readonly [readonly T[], readonly T[]] {
  const first: T[] = [];
  const second: T[] = [];
  for (const item of items) (isFirst(item) ? first : second).push(item);
  return [first, second];
}
