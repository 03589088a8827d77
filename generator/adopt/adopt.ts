/**
 * Goes on with a database that was restored from an older backup: `skep rebuild --adopt`. The store then holds
 * objects of later generations and revisions than the database has given. First all of it is read; then, in one
 * transaction for each repository, every counter is raised above what was seen and the books take in what the store
 * holds. From that commit on the ordinary path is right again, whoever takes it; a crash before it has changed
 * nothing.
 */
import { SkepError } from "../../schemas/errors.ts";
import {
  adoptClaims,
  keepObjects,
  largestRevision,
  raiseGeneration,
  raiseRevisions,
} from "../../store/queries/adoption.ts";
import { forgetObjects, type RecordedObject, recordObjects } from "../../store/queries/books.ts";
import { requestLooks } from "../../store/queries/changes.ts";
import { allRepositories, type RepositoryRow } from "../../store/queries/registry.ts";
import { fenced } from "../books.ts";
import type { Finding } from "../check/finding.ts";
import { Claim } from "../claim.ts";
import type { GeneratorContext } from "../context.ts";
import { packageOf } from "../listing.ts";
import { step } from "../steps.ts";
import {
  type Survey,
  type SurveyOptions,
  surveyRepository,
  surveyUnknownRepositories,
  type Unknown,
} from "./survey.ts";

export interface AdoptOptions {
  /** Goes on although the store tells of what the database has lost; its objects are kept, and named by no index. */
  readonly acceptLoss: boolean;
  /** Told of everything that the store tells and the database does not. */
  readonly onFinding: (finding: Finding) => void;
  readonly onListed?: (listed: number) => void;
  readonly signal: AbortSignal;
}

export interface AdoptReport {
  /** Repositories whose counters were raised. */
  readonly raised: number;
  /** Objects that nothing in the database stands behind and that are kept. */
  readonly kept: number;
}

// Claims that wrote nothing have left no trace in the store.
const GENERATION_MARGIN = 1_000;

/**
 * Takes the claims from whoever holds them. Afterwards a rebuild writes what differs. May be run again at any time.
 * @throws SkepError `releases_unknown` when the store tells of what the database has lost, unless the loss is
 *   accepted: nothing was changed then.
 */
export async function adopt(context: GeneratorContext, options: AdoptOptions): Promise<AdoptReport> {
  const repositories = await allRepositories(context.sql);
  const claims = new Map<number, Claim>();
  let found = 0;
  const onFinding = (finding: Finding) => {
    found += 1;
    options.onFinding(finding);
  };
  try {
    const { sql, holder, settings } = context;
    for (const { id } of repositories) claims.set(id, await Claim.seize(sql, id, holder, settings));
    const ahead = await step(context.onStep, "adopt-survey", () =>
      surveyAll(context, repositories, { ...options, onFinding }),
    );
    if (found > 0 && !options.acceptLoss) throw lostSomething(found);
    for (const survey of ahead) {
      const claim = claims.get(survey.repository.id);
      if (claim === undefined) throw new TypeError(`no claim on ${survey.repository.name}`);
      await step(context.onStep, "adopt-raise", () => raise(context, claim, survey));
    }
    return { raised: ahead.length, kept: ahead.reduce((sum, { lost }) => sum + lost.length, 0) };
  } finally {
    for (const claim of claims.values()) await claim.release().catch(() => undefined);
  }
}

/** @returns of the repositories that the store knows more of than the database. */
async function surveyAll(
  context: GeneratorContext,
  repositories: readonly RepositoryRow[],
  options: SurveyOptions,
): Promise<readonly Survey[]> {
  const ahead: Survey[] = [];
  for (const repository of repositories) {
    const survey = await surveyRepository(context, repository, options);
    if (survey.isAhead) ahead.push(survey);
  }
  await surveyUnknownRepositories(context, repositories, options);
  return ahead;
}

/** All of it counts, or none. */
async function raise(context: GeneratorContext, claim: Claim, survey: Survey): Promise<void> {
  const { repository, unrecorded, lost, packages } = survey;
  const records = unrecorded.flatMap((object) => recordOf(object) ?? []);
  const known = new Set(records.map(({ key }) => key));
  const unreadable = unrecorded.map(({ key }) => key).filter((key) => !known.has(key));
  await fenced(context, claim, async (tx) => {
    // Every change of a package is one of its repository, too: no revision of any file can be above this.
    const revision = Math.max(survey.revision, await largestRevision(tx, repository.id)) + 1;
    await raiseRevisions(tx, repository.id, [...packages], revision);
    await recordObjects(tx, repository.id, records);
    await forgetObjects(tx, repository.id, unreadable);
    await keepObjects(tx, repository.id, lost);
    await adoptClaims(tx, repository.id, survey.claims);
    // Whoever builds next, and whatever for, looks at these before it names anything.
    await requestLooks(tx, repository.name, [...packages, null]);
    await raiseGeneration(tx, repository.id, survey.generation + GENERATION_MARGIN);
  });
}

/** @returns undefined where the metadata was lost: the key is looked at when it is written. */
function recordOf(object: Unknown): RecordedObject | undefined {
  const { etag, generation, payloadHash, headerVersion, keyFingerprint } = object.current;
  if (generation === undefined || payloadHash === undefined || headerVersion === undefined) return undefined;
  return {
    key: object.key,
    package: packageOf(object),
    generation,
    payloadHash,
    etag,
    headerVersion,
    keyFingerprint,
  };
}

function lostSomething(found: number): SkepError {
  const objects =
    found === 1 ? "1 object of the public store tells" : `${found} objects of the public store tell`;
  return new SkepError(
    "releases_unknown",
    `${objects} of what the database does not know; nothing was changed. Bring releases back into the database first ` +
      "(`skep import`), or go on without (--accept-loss): the store's files become what the database says, and what " +
      "only the store has stays where it is, named by no file",
  );
}
