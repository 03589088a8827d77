/**
 * What the store holds that a restored database knows nothing of. All that was written before the backup is either
 * recorded in the books or announced in them; so an object that is neither was written after it (or by hand).
 */
import type { PackageName } from "../../hex/ids.ts";
import { objectKey, PRIVATE_PREFIX, parseObjectKey } from "../../hex/keys.ts";
import { announcedHashes, isRecordedBy, keptAmong } from "../../store/queries/adoption.ts";
import { recordedByKey } from "../../store/queries/books.ts";
import { allPackageNames, packageRows, type RepositoryRow } from "../../store/queries/registry.ts";
import type { Finding } from "../check/finding.ts";
import type { GeneratorContext } from "../context.ts";
import { type Listed, listedPages, withoutRows } from "../listing.ts";
import { inParallel } from "../parallel.ts";
import { type CurrentObject, currentObject } from "../write/metadata.ts";
import { type Contents, readContents } from "./contents.ts";

/** An object that the books know nothing of. */
export interface Unknown extends Listed {
  readonly current: CurrentObject;
}

export interface Survey {
  readonly repository: RepositoryRow;
  /** The largest of the objects that the books know nothing of; 0 when there are none. */
  readonly generation: number;
  readonly revision: number;
  /** Generation by claim, of those objects. */
  readonly claims: ReadonlyMap<string, number>;
  /** Objects that the books know nothing of, though rows stand behind them. */
  readonly unrecorded: readonly Unknown[];
  /** Keys that nothing in the database stands behind, written after the backup or named by a file that was. */
  readonly lost: readonly string[];
  /** Packages whose file is another than the books say, or is gone. */
  readonly packages: ReadonlySet<PackageName>;
  /** Whether the store was written to after the backup. What was overwritten by hand is no sign of that. */
  readonly isAhead: boolean;
}

export interface SurveyOptions {
  /** Told of what would be otherwise if the database had its way. */
  readonly onFinding: (finding: Finding) => void;
  readonly onListed?: ((listed: number) => void) | undefined;
  readonly signal: AbortSignal;
}

const PACKAGES_AT_ONCE = 500;

/** Reads and changes nothing. Of what the books know, nothing is kept. @throws SkepError `store_unavailable` */
export async function surveyRepository(
  context: GeneratorContext,
  repository: RepositoryRow,
  options: SurveyOptions,
): Promise<Survey> {
  const survey = new Notes();
  const listedPackages = new Set<PackageName>();
  let listed = 0;
  for await (const page of listedPages(context.publicStore, repository)) {
    options.signal.throwIfAborted();
    for (const { object } of page) if (object?.kind === "package") listedPackages.add(object.package);
    await surveyPage(context, repository, page, survey, options);
    listed += page.length;
    options.onListed?.(listed);
  }
  for (const name of await removedPackages(context, repository, listedPackages)) {
    survey.packages.add(name);
    survey.isAhead = true;
    const key = objectKey(repository, { kind: "package", package: name });
    options.onFinding({ key, difference: "missing" });
  }
  // Deleted before the backup as far as the books know, and published again since with the same bytes.
  for (const { key } of await recordedByKey(context.sql, repository.id, survey.named)) survey.lost.add(key);
  return { ...survey, repository, lost: [...survey.lost] };
}

/** A survey in the making. */
class Notes {
  generation = 0;
  revision = 0;
  isAhead = false;
  readonly claims = new Map<string, number>();
  readonly unrecorded: Unknown[] = [];
  readonly packages = new Set<PackageName>();
  readonly lost = new Set<string>();
  /** Keys of releases that a file names and the database does not. */
  readonly named: string[] = [];

  take(object: Unknown, isStray: boolean, contents: Contents | undefined): void {
    const { current, key } = object;
    const { claim, generation = 0, revision = 0 } = current;
    this.isAhead ||= generation > 0 || isStray || contents !== undefined;
    this.generation = Math.max(this.generation, generation);
    this.revision = Math.max(this.revision, revision, contents?.revision ?? 0);
    if (claim !== undefined) this.claims.set(claim, generation);
    if (object.object?.kind === "package") this.packages.add(object.object.package);
    if (isStray) this.lost.add(key);
    else this.unrecorded.push(object);
    this.named.push(...(contents?.lost ?? []));
  }
}

async function surveyPage(
  context: GeneratorContext,
  repository: RepositoryRow,
  page: readonly Listed[],
  survey: Notes,
  { onFinding }: SurveyOptions,
): Promise<void> {
  const unknown = await unknownOf(context, repository, page);
  const contents = await readContents(context, repository, unknown);
  const without = await withoutRows(context.sql, repository, unknown, context.twins !== undefined);
  const strays = new Set(without.map(({ key }) => key));
  for (const object of unknown) {
    const { key } = object;
    survey.take(object, strays.has(key), contents.get(key));
    const finding = findingOf(key, strays.has(key), contents.get(key));
    if (finding !== undefined) onFinding(finding);
  }
}

async function unknownOf(
  context: GeneratorContext,
  { id }: RepositoryRow,
  page: readonly Listed[],
): Promise<readonly Unknown[]> {
  const keys = page.map(({ key }) => key);
  const recorded = new Map((await recordedByKey(context.sql, id, keys)).map(({ key, etag }) => [key, etag]));
  const announced = await announcedHashes(context.sql, id, keys);
  const kept = await keptAmong(context.sql, id, keys);
  const candidates = page.filter(
    ({ key, etag, object }) => object !== undefined && recorded.get(key) !== etag && !kept.has(key),
  );
  const unknown: Unknown[] = [];
  await inParallel(context.settings.concurrency, candidates, async (listed) => {
    const head = await context.publicStore.head(listed.key);
    if (head === undefined) return;
    const current = currentObject(head);
    // Half done when the backup was made: whoever claims the repository looks at it.
    if (current.payloadHash !== undefined && announced.get(listed.key)?.has(current.payloadHash)) return;
    unknown.push({ ...listed, current });
  });
  return unknown.sort((a, b) => (a.key < b.key ? -1 : 1));
}

function findingOf(key: string, isStray: boolean, contents: Contents | undefined): Finding | undefined {
  if (isStray) return { key, difference: "stray", ...contents?.fields };
  if (contents?.fields.fields === undefined) return undefined;
  return { key, difference: "other payload", ...contents.fields };
}

/** @returns packages that have releases and are recorded, and whose file is gone: they were removed after the backup. */
async function removedPackages(
  context: GeneratorContext,
  repository: RepositoryRow,
  listed: ReadonlySet<PackageName>,
): Promise<readonly PackageName[]> {
  const removed: PackageName[] = [];
  const names = (await allPackageNames(context.sql, repository.id)).filter((name) => !listed.has(name));
  for (let start = 0; start < names.length; start += PACKAGES_AT_ONCE) {
    const chunk = names.slice(start, start + PACKAGES_AT_ONCE);
    const rows = await packageRows(context.sql, repository.id, chunk);
    const live = rows.filter(({ releases }) => releases.length > 0).map(({ name }) => name);
    const keys = live.map((name) => objectKey(repository, { kind: "package", package: name }));
    const recorded = await recordedByKey(context.sql, repository.id, keys);
    removed.push(...recorded.flatMap((object) => object.package ?? []));
  }
  return removed;
}

/** Tells of each private repository in the store that the database knows nothing of. */
export async function surveyUnknownRepositories(
  context: GeneratorContext,
  repositories: readonly RepositoryRow[],
  { onFinding, signal }: SurveyOptions,
): Promise<void> {
  const ids = repositories.map(({ id }) => id);
  const known = new Set<string>(repositories.filter((row) => !row.public).map(({ name }) => name));
  for await (const { key } of context.publicStore.list(PRIVATE_PREFIX)) {
    signal.throwIfAborted();
    const name = parseObjectKey(key)?.privateRepository;
    if (name === undefined || known.has(name)) continue;
    // Below the old name of a repository that was renamed: on its way out.
    if (await isRecordedBy(context.sql, ids, key)) continue;
    known.add(name);
    onFinding({ key: `${PRIVATE_PREFIX}${name}/`, difference: "stray" });
  }
}
