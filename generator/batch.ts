/**
 * One build of a repository: all changes that are pending, in the order of the writing protocol
 * (docs/design.md). The order is the design: an object is written only after everything it names.
 */
import type { PackageName } from "../hex/ids.ts";
import { hasCode } from "../schemas/errors.ts";
import type { Hold } from "../store/queries/books.ts";
import type { RepositoryRow } from "../store/queries/registry.ts";
import { announce, record, reopenIntents } from "./books.ts";
import { type DesiredObject, packageObjects, repositoryObjects } from "./build/objects.ts";
import { policyObjects } from "./build/policies.ts";
import { withoutHeldReleases } from "./build/rows.ts";
import { twinObjects } from "./build/twins.ts";
import type { Build } from "./build.ts";
import type { Claim } from "./claim.ts";
import type { GeneratorContext } from "./context.ts";
import { type IndexStates, withoutHolds } from "./index/index-states.ts";
import { currentObjects, recordedAsCurrent } from "./look.ts";
import { requestIdsOf } from "./request-ids.ts";
import { readSnapshot, type Snapshot } from "./snapshot.ts";
import { type StepName, step } from "./steps.ts";
import type { CurrentObject } from "./write/metadata.ts";
import { type Put, planWrites, type Removal } from "./write/plan.ts";
import { type Unanswered, writePuts, writeRemovals } from "./write/stage.ts";

/** What a build did. */
export interface BatchResult {
  /** Undefined when there was nothing to do. */
  readonly repository: RepositoryRow | undefined;
  readonly changes: number;
  readonly written: number;
  readonly removed: number;
  /** The purge that makes it visible. */
  readonly purgeId: number | undefined;
  /** Of the requests whose changes were built. */
  readonly requestIds: readonly string[];
}

const NOTHING: BatchResult = {
  repository: undefined,
  changes: 0,
  written: 0,
  removed: 0,
  purgeId: undefined,
  requestIds: [],
};

/**
 * Builds what is pending. Safe to run again after a crash at any point: what was announced is looked at by
 * whoever comes next, and what was not is still pending.
 * @throws SkepError `lease_lost`, `database_restored`, `store_unavailable` and whatever Postgres throws;
 *   nothing is lost then.
 */
export async function runBatch(
  context: GeneratorContext,
  indexes: IndexStates,
  claim: Claim,
): Promise<BatchResult> {
  const run = <T>(name: StepName, work: () => Promise<T>) => step(context.onStep, name, work);

  const snapshot = await run("snapshot", () =>
    readSnapshot(context.sql, indexes, claim.repositoryId, claim.generation, context.twins !== undefined),
  );
  if (snapshot === undefined) return NOTHING;
  const scope = snapshot.packages.map((row) => row.name);
  const current = await run("look", () => currentObjects(context, snapshot));

  let build = planBuild(context, snapshot, current, holdsOutside(snapshot, scope));
  await run("intent", () => announce(context, claim, build));
  const unanswered: Unanswered = new Map();
  const put = (belongs: (put: Put) => boolean) =>
    writePuts(context, claim, snapshot.repository, build.plan.puts.filter(belongs), unanswered);
  // A crash from here on leaves intents, so every key below is looked at before it is trusted again.
  try {
    // 1. Tarballs, docs, policies and the public key, which name nothing.
    const first = await run("put-tarballs", () => put(isLeaf));
    if (first.held.length > 0) {
      // Their bytes cannot be published: plan again without them, so that no file names them.
      build = planBuild(context, snapshot, current, [...holdsOutside(snapshot, scope), ...first.held]);
      await announce(context, claim, build);
    }
    // 2. A package's files, which name tarballs that are all there by now.
    const second = await run("put-packages", () => put(isKind("package")));
    // 3. The indexes, which name packages and versions.
    const third = await run("put-versions", () => put(isKind("versions")));
    const fourth = await run("put-names", () => put(isKind("names")));
    // 4. Files of packages that no index names any more.
    const { removals } = build.plan;
    await run("delete-packages", async () => {
      // Of a repository that was renamed: first what names packages, then those.
      await writeRemovals(context, claim, removals.filter(isIndexRemoval), unanswered);
      await writeRemovals(
        context,
        claim,
        removals.filter((removal) => !isIndexRemoval(removal)),
        unanswered,
      );
    });
    const stages = [first, second, third, fourth];
    const written = stages.flatMap((stage) => stage.written);
    const { purgeId, shown } = await run("record", () => record(context, claim, build, written, unanswered));
    context.counters.builds += 1;
    context.onVisible?.(shown);
    return {
      repository: snapshot.repository,
      changes: snapshot.changes.length,
      written: written.length,
      removed: removals.length,
      purgeId,
      requestIds: requestIdsOf(snapshot.changes),
    };
  } catch (error) {
    if (hasCode(error, "lease_lost")) await putBack(context, claim, build);
    throw error;
  }
}

function holdsOutside(snapshot: Snapshot, scope: readonly PackageName[]): readonly Hold[] {
  const inScope = new Set(scope);
  return snapshot.holds.filter((hold) => !inScope.has(hold.package));
}

/** Plans what a build would write. Reads nothing. */
export function planBuild(
  context: GeneratorContext,
  snapshot: Snapshot,
  current: ReadonlyMap<string, CurrentObject>,
  holds: readonly Hold[],
): Build {
  const { repository } = snapshot;
  const packages = withoutHeldReleases(snapshot.packages, holds);
  const desired: DesiredObject[] = [
    ...packages.flatMap((row) => packageObjects(repository, row, context.signer)),
    ...packages.flatMap((row) =>
      context.twins === undefined
        ? []
        : twinObjects(repository, row, snapshot.twins.get(row.name), context.twins),
    ),
    ...policyObjects(repository, snapshot.policies, context.signer),
    ...repositoryObjects(repository, withoutHolds(snapshot.index, holds), context.signer),
  ];
  const live = new Set(
    snapshot.packages.flatMap((row) => row.releases.map(({ version }) => `${row.name} ${version}`)),
  );
  const plan = planWrites({
    desired,
    current,
    recorded: recordedAsCurrent(snapshot.recorded),
    isOwn: (name) => name === (repository.public ? undefined : repository.name),
    isLive: (name, version) => live.has(`${name} ${version}`),
  });
  return { snapshot, plan, holds };
}

/** JSON goes with the package's file: it, too, tells of tarballs. */
const isKind =
  (kind: "package" | "versions" | "names") =>
  ({ desired: { object } }: Put): boolean =>
    object.kind === kind ||
    (kind === "package" && (object.kind === "package_json" || object.kind === "release_json"));

function isIndexRemoval({ package: name }: Removal): boolean {
  return name === null;
}

function isLeaf(put: Put): boolean {
  const { kind } = put.desired.object;
  return kind === "tarball" || kind === "docs" || kind === "policy" || kind === "public_key";
}

/**
 * We were overtaken: what we have put since then may stand where nobody expects it. The intents are opened
 * again, so that the generation that overtook us looks at each of our keys.
 */
async function putBack(context: GeneratorContext, claim: Claim, build: Build): Promise<void> {
  context.counters.overtaken += 1;
  await reopenIntents(context, claim, build);
}
