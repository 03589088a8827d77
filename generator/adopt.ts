/**
 * After a restored backup: the public store is ahead of the database. Its counters are raised above everything the
 * store has seen, so that no later file can be taken for an older one; a rebuild then makes the store as the database
 * says.
 */
import type { PackageName, PolicyName } from "../hex/ids.ts";
import { objectPrefixes, type ParsedKey, parseObjectKey } from "../hex/keys.ts";
import { gunzipOneMember } from "../proto/gzip.ts";
import { decodePolicy } from "../proto/policy.ts";
import { decodeNames, decodePackage, decodeVersions } from "../proto/registry.ts";
import { openSigned } from "../proto/sign.ts";
import { SkepError } from "../schemas/errors.ts";
import { raiseCounters } from "../store/queries/adoption.ts";
import { recordedByKey, waitingDeletions } from "../store/queries/books.ts";
import { requestLooks } from "../store/queries/changes.ts";
import { allRepositories, type RepositoryRow } from "../store/queries/registry.ts";
import type { GeneratorContext } from "./context.ts";
import { liveKeysOf } from "./live-keys.ts";
import { inParallel } from "./parallel.ts";
import { type CurrentObject, currentObject } from "./write/metadata.ts";

export interface AdoptOptions {
  /** Goes on although the store holds releases that the database does not know. */
  readonly acceptLoss: boolean;
  /** Told of the objects that were looked at. */
  readonly onProgress?: (done: number) => void;
  readonly signal: AbortSignal;
}

export interface AdoptReport {
  readonly repository: string;
  /** Objects that were looked at. */
  readonly objects: number;
  /** Packages whose revision was raised: what the store has of them is later than the database. */
  readonly packages: number;
  /** Keys of tarballs that the database does not know, the first {@link NAMED}. */
  readonly unknown: readonly string[];
  readonly unknownCount: number;
}

interface Survey {
  readonly repository: RepositoryRow;
  readonly claims: Map<string, number>;
  readonly packages: Map<PackageName, number>;
  readonly policies: Map<PolicyName, number>;
  readonly unknown: string[];
  unknownCount: number;
  objects: number;
  generation: number;
  revision: number;
}

/** How many unknown releases a report names. */
export const NAMED = 50;
const KEYS_AT_ONCE = 1_000;
// A registry file far beyond any that exists: a bomb in the bucket ends here.
const LARGEST_FILE = 1 << 30;

/**
 * Reads what the store holds, and raises the counters of every repository above it. Changes no object; may be run again
 * at any time, and after a crash.
 * @throws SkepError `releases_unknown` before anything was changed, unless the loss is accepted.
 */
export async function adopt(
  context: GeneratorContext,
  options: AdoptOptions,
): Promise<readonly AdoptReport[]> {
  const surveys: Survey[] = [];
  for (const repository of await allRepositories(context.sql)) {
    surveys.push(await surveyRepository(context, repository, options, surveys));
  }
  if (!options.acceptLoss) refuseLoss(surveys);
  for (const survey of surveys) {
    const { repository, packages } = survey;
    await context.sql.begin(async (tx) => {
      await raiseCounters(tx, repository.id, survey);
      // Should we die before the rebuild, any generator makes these as the database says.
      await requestLooks(tx, repository.name, [...packages.keys(), null]);
    });
  }
  return surveys.map(({ repository, objects, packages, unknown, unknownCount }) => ({
    repository: repository.name,
    objects,
    packages: packages.size,
    unknown,
    unknownCount,
  }));
}

async function surveyRepository(
  context: GeneratorContext,
  repository: RepositoryRow,
  { onProgress, signal }: AdoptOptions,
  before: readonly Survey[],
): Promise<Survey> {
  const survey: Survey = {
    repository,
    claims: new Map(),
    packages: new Map(),
    policies: new Map(),
    unknown: [],
    unknownCount: 0,
    objects: 0,
    generation: 0,
    revision: 0,
  };
  const seenBefore = before.reduce((sum, { objects }) => sum + objects, 0);
  const leaving = new Set(await waitingDeletions(context.sql, repository.id));
  for await (const keys of pages(context, repository)) {
    signal.throwIfAborted();
    await surveyObjects(context, survey, keys);
    await surveyTarballs(context, survey, keys, leaving);
    survey.objects += keys.length;
    onProgress?.(seenBefore + survey.objects);
  }
  return survey;
}

async function* pages(
  context: GeneratorContext,
  repository: RepositoryRow,
): AsyncIterable<readonly string[]> {
  let page: string[] = [];
  for (const prefix of objectPrefixes(repository)) {
    for await (const { key } of context.publicStore.list(prefix)) {
      page.push(key);
      if (page.length < KEYS_AT_ONCE) continue;
      yield page;
      page = [];
    }
  }
  if (page.length > 0) yield page;
}

/** Takes down the claims, the highest generation and the revisions. */
async function surveyObjects(
  context: GeneratorContext,
  survey: Survey,
  keys: readonly string[],
): Promise<void> {
  const recorded = new Map(
    (await recordedByKey(context.sql, survey.repository.id, keys)).map((object) => [object.key, object.etag]),
  );
  await inParallel(context.settings.concurrency, keys, async (key) => {
    const head = await context.publicStore.head(key);
    if (head === undefined) return;
    const found = currentObject(head);
    const { generation = 0, claim } = found;
    survey.generation = Math.max(survey.generation, generation);
    if (claim !== undefined) survey.claims.set(claim, generation);
    // As it was when the backup was made: its revision is the database's own.
    if (recorded.get(key) === found.etag) return;
    const parsed = parseObjectKey(key);
    if (parsed !== undefined) takeRevision(survey, parsed, await revisionOf(context, key, parsed, found));
  });
}

function takeRevision(survey: Survey, { object }: ParsedKey, revision: number | undefined): void {
  if (revision === undefined) return;
  // One beyond: what is written next may differ from what bears that revision now.
  const next = revision + 1;
  if (object.kind === "package") survey.packages.set(object.package, next);
  else if (object.kind === "policy") survey.policies.set(object.policy, next);
  else survey.revision = Math.max(survey.revision, next);
}

/** @returns undefined for what carries none, and for what nobody can read. */
async function revisionOf(
  context: GeneratorContext,
  key: string,
  { object: { kind } }: ParsedKey,
  found: CurrentObject,
): Promise<number | undefined> {
  if (found.revision !== undefined) return found.revision;
  const decode = DECODERS.get(kind);
  // A mirror may have lost the metadata on its way.
  const stored = decode && (await context.publicStore.get(key));
  if (decode === undefined || stored === undefined) return undefined;
  try {
    return decode(openSigned(gunzipOneMember(stored.body, LARGEST_FILE)).payload).revision;
  } catch {
    return undefined;
  }
}

const DECODERS = new Map<string, (payload: Uint8Array) => { readonly revision?: number }>([
  ["package", decodePackage],
  ["names", decodeNames],
  ["versions", decodeVersions],
  ["policy", decodePolicy],
]);

/** Takes down tarballs that no row stands behind, unless they are on their way out. */
async function surveyTarballs(
  context: GeneratorContext,
  survey: Survey,
  keys: readonly string[],
  leaving: ReadonlySet<string>,
): Promise<void> {
  const tarballs = new Map<string, PackageName>();
  for (const key of keys) {
    const object = parseObjectKey(key)?.object;
    if (object?.kind === "tarball" && !leaving.has(key)) tarballs.set(key, object.package);
  }
  if (tarballs.size === 0) return;
  const names = [...new Set(tarballs.values())];
  const live = await liveKeysOf(context.sql, survey.repository, names, false);
  for (const key of tarballs.keys()) {
    if (live.has(key)) continue;
    survey.unknownCount += 1;
    if (survey.unknown.length < NAMED) survey.unknown.push(key);
  }
}

function refuseLoss(surveys: readonly Survey[]): void {
  const count = surveys.reduce((sum, { unknownCount }) => sum + unknownCount, 0);
  if (count === 0) return;
  const named = surveys.flatMap(({ unknown }) => unknown).slice(0, NAMED);
  const rest = count > named.length ? `\n  and ${count - named.length} more` : "";
  throw new SkepError(
    "releases_unknown",
    `the public store holds ${count === 1 ? "a release" : `${count} releases`} that the database does not know; ` +
      `nothing was changed:\n  ${named.join("\n  ")}${rest}\n` +
      "Bring them back into the database first (`skep import`), or go on without them (--accept-loss): no file will " +
      "name them any more, but their tarballs stay where they are",
  );
}
