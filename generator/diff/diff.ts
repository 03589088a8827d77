/**
 * What the next build would do, in words: `skep diff`. Reads what a build reads, plans as it plans, takes no claim and
 * changes nothing.
 */
import type { RepositoryObject } from "../../hex/keys.ts";
import { compareFiles } from "../../proto/compare/files.ts";
import { encodePackage } from "../../proto/registry.ts";
import { dueDeletions, waitingAmong } from "../../store/queries/books.ts";
import { currentGeneration } from "../../store/queries/leases.ts";
import { allRepositories, type RepositoryRow } from "../../store/queries/registry.ts";
import { planBuild } from "../batch.ts";
import { registryFile } from "../check/object.ts";
import type { GeneratorContext } from "../context.ts";
import { IndexStates } from "../index/index-states.ts";
import { currentObjects } from "../look.ts";
import { readSnapshot, type Snapshot } from "../snapshot.ts";
import type { Plan, Put } from "../write/plan.ts";
import { signedPayload } from "../write/stored-file.ts";
import { wordsFor } from "./words.ts";

/** What happens to one object. */
export interface PlannedStep {
  readonly key: string;
  /** "retire": deleted after its grace; "record": right, but not in the books. */
  readonly action: "create" | "replace" | "record" | "remove" | "retire" | "delete";
  /** What a reader will see; empty where there is nothing to be said beyond the action. */
  readonly words: readonly string[];
}

/** What a build of a repository would do. */
export interface PlannedBuild {
  readonly repository: string;
  /** Changes that it takes up. */
  readonly changes: number;
  /** Packages that it reads and builds. */
  readonly packages: number;
  /** Keys that an earlier build announced and did not record. */
  readonly intents: number;
}

export interface DiffOptions {
  /** Told of each repository that has something to build, before its steps. */
  readonly onBuild: (build: PlannedBuild) => void;
  /** In the order in which a build would take them. */
  readonly onStep: (step: PlannedStep) => void;
}

const DELETIONS_SHOWN = 1_000;

/** @throws SkepError `store_unavailable` */
export async function diff(context: GeneratorContext, options: DiffOptions): Promise<void> {
  for (const repository of await allRepositories(context.sql)) {
    // As whoever takes the claim next would see it.
    const generation = (await currentGeneration(context.sql, repository.id)) + 1;
    const snapshot = await readSnapshot(
      context.sql,
      new IndexStates(),
      repository.id,
      generation,
      context.twins !== undefined,
    );
    const due = await dueDeletions(context.sql, repository.id, DELETIONS_SHOWN);
    if (snapshot === undefined && due.length === 0) continue;
    options.onBuild({
      repository: repository.name,
      changes: snapshot?.changes.length ?? 0,
      packages: snapshot?.packages.length ?? 0,
      intents: snapshot?.intents.length ?? 0,
    });
    if (snapshot !== undefined) await diffBuild(context, snapshot, options);
    for (const { key } of due) options.onStep({ key, action: "delete", words: [] });
  }
}

async function diffBuild(
  context: GeneratorContext,
  snapshot: Snapshot,
  { onStep }: DiffOptions,
): Promise<void> {
  const current = await currentObjects(context, snapshot);
  const { plan } = planBuild(context, snapshot, current, snapshot.holds);
  for (const put of inOrder(plan)) onStep(await putStep(context, snapshot.repository, put));
  for (const { desired } of plan.adopt) onStep({ key: desired.key, action: "record", words: [] });
  for (const { key } of plan.removals) onStep({ key, action: "remove", words: [] });
  const retired = plan.retire.map(({ key }) => key);
  const waiting = await waitingAmong(context.sql, snapshot.repository.id, retired);
  for (const key of retired) if (!waiting.has(key)) onStep({ key, action: "retire", words: [] });
}

const ORDER: readonly RepositoryObject["kind"][] = [
  "package",
  "package_json",
  "release_json",
  "versions",
  "names",
];

/** What names nothing comes first, the indexes last. */
function inOrder({ puts }: Plan): readonly Put[] {
  return [...puts].sort(
    (a, b) => ORDER.indexOf(a.desired.object.kind) - ORDER.indexOf(b.desired.object.kind),
  );
}

async function putStep(
  context: GeneratorContext,
  repository: RepositoryRow,
  { desired, known }: Put,
): Promise<PlannedStep> {
  const { key, object, source } = desired;
  const action = known === undefined ? "create" : "replace";
  const kind = registryFile(object);
  if (kind === undefined || source.kind !== "sign") return { key, action, words: [] };
  const stored = await context.publicStore.get(key);
  if (stored === undefined && object.kind !== "package") return { key, action, words: [] };
  const payload =
    stored === undefined
      ? emptyPackage(repository.name, desired.package)
      : signedPayload(stored.body, context.signer.publicKeyPem);
  if (payload === undefined) return { key, action, words: ["what is there was not signed by us"] };
  return { key, action, words: wordsFor(object, compareFiles(kind, payload, source.payload)) };
}

/** Beside it every release of the package is new. */
function emptyPackage(repository: string, name: string | null): Uint8Array {
  return encodePackage({ repository, name: name ?? "", releases: [], advisories: [] });
}
