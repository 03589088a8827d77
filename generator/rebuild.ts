/**
 * The full rebuild: the ordinary path, with every key as a change that is to be looked at. Strays become
 * open intents of generation 0, so that they, too, go the way of anything half done.
 */
import type { PackageName } from "../hex/ids.ts";
import { SkepError } from "../schemas/errors.ts";
import { forgetKept, keptAmong } from "../store/queries/adoption.ts";
import { type Hold, heldReleases, openOwnIntents, recordedAmong } from "../store/queries/books.ts";
import { requestLooks, visibleChanges } from "../store/queries/changes.ts";
import { allPackageNames, allRepositories, type RepositoryRow } from "../store/queries/registry.ts";
import type { GeneratorContext } from "./context.ts";
import type { Generator } from "./generator.ts";
import { type Listed, listedPages, packageOf, withoutRows } from "./listing.ts";

export interface RebuildOptions {
  /**
   * What becomes of objects that belong to nothing: "few" deletes them unless they are a large share of all; "delete"
   * also those that are kept after a restored backup.
   */
  readonly strays: "few" | "delete" | "keep";
  /** Told of packages done and packages in all. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Told of objects listed, before the packages of a repository. */
  readonly onListed?: (listed: number) => void;
  readonly signal: AbortSignal;
}

export interface RebuildReport {
  readonly packages: number;
  readonly strays: number;
  /** Objects that only the store has after a restored backup; they stay. */
  readonly kept: number;
  /** Keys that no layout of ours explains; they are left alone. */
  readonly foreign: readonly string[];
  /** What could not be published, as the private store has lost or spoilt its bytes. */
  readonly held: readonly Hold[];
}

const PACKAGES_AT_ONCE = 500;
/** A rebuild deletes this many strays, or this share of what it lists, without being asked twice. */
export const STRAYS_ALLOWED = { count: 10, share: 0.02 } as const;

/**
 * Looks at every object of every repository and mends what is not as the database says. The indexes come
 * last, as they name everything else.
 * @param generator does the work, unless another one holds the claim, which does it then
 * @throws SkepError `too_many_deletions` before anything was changed.
 */
export async function rebuild(
  context: GeneratorContext,
  generator: Generator,
  options: RebuildOptions,
): Promise<RebuildReport> {
  await generator.requireOwnKey();
  const report = { packages: 0, strays: 0, kept: 0, foreign: [] as string[], held: [] as Hold[] };
  for (const repository of await allRepositories(context.sql)) {
    const names = await allPackageNames(context.sql, repository.id);
    const { strays, foreign, kept, listed } = await findStrays(context, repository, options);
    if (options.strays === "few") refuseMany(strays.length, listed);
    if (options.strays !== "keep") await announceStrays(context, repository, strays);
    if (options.strays === "delete") await forgetKept(context.sql, repository.id);
    for (let start = 0; start < names.length; start += PACKAGES_AT_ONCE) {
      const chunk = names.slice(start, start + PACKAGES_AT_ONCE);
      await lookAndWait(context, generator, repository, chunk, options.signal);
      options.onProgress?.(start + chunk.length, names.length);
    }
    await lookAndWait(context, generator, repository, [null], options.signal);
    report.packages += names.length;
    report.strays += strays.length;
    report.kept += kept;
    report.foreign.push(...foreign);
    report.held.push(...(await heldReleases(context.sql, repository.id)));
  }
  return report;
}

interface Strays {
  readonly strays: readonly Listed[];
  readonly foreign: readonly string[];
  /** Objects that only the store has after a restored backup, and that stay. */
  readonly kept: number;
  readonly listed: number;
}

/**
 * A stray is in no books, and no row stands behind it: an object that is only missing in the books is none. What the
 * books have is found by the look at its package.
 */
async function findStrays(
  context: GeneratorContext,
  repository: RepositoryRow,
  options: RebuildOptions,
): Promise<Strays> {
  const strays: Listed[] = [];
  const foreign: string[] = [];
  let [listed, kept] = [0, 0];
  for await (const page of listedPages(context.publicStore, repository)) {
    const keys = page.map(({ key }) => key);
    const recorded = await recordedAmong(context.sql, repository.id, keys);
    const ours = page.filter(({ key, object }) => object !== undefined && !recorded.has(key));
    const without = await withoutRows(context.sql, repository, ours, context.twins !== undefined);
    const keptKeys = await keptAmong(context.sql, repository.id, keys);
    const stays = (key: string) => keptKeys.has(key) && options.strays !== "delete";
    strays.push(...without.filter(({ key }) => !stays(key)));
    kept += without.filter(({ key }) => stays(key)).length;
    foreign.push(...page.filter(({ object }) => object === undefined).map(({ key }) => key));
    listed += page.length;
    options.onListed?.(listed);
  }
  return { strays, foreign, kept, listed };
}

function refuseMany(strays: number, listed: number): void {
  if (strays <= Math.max(STRAYS_ALLOWED.count, listed * STRAYS_ALLOWED.share)) return;
  throw new SkepError(
    "too_many_deletions",
    `${strays} of ${listed} objects belong to nothing in the database. If this is the right database and the right ` +
      "store, run again with --delete-strays; nothing was changed",
  );
}

async function announceStrays(
  context: GeneratorContext,
  repository: RepositoryRow,
  strays: Strays["strays"],
): Promise<void> {
  const intents = strays.map((stray) => ({ key: stray.key, package: packageOf(stray), payloadHash: null }));
  await context.sql.begin((tx) => openOwnIntents(tx, repository.id, 0, intents));
}

async function lookAndWait(
  context: GeneratorContext,
  generator: Generator,
  repository: RepositoryRow,
  packages: readonly (PackageName | null)[],
  signal: AbortSignal,
): Promise<void> {
  const ids = await requestLooks(context.sql, repository.name, packages);
  let waiting = ids;
  while (waiting.length > 0) {
    signal.throwIfAborted();
    await generator.settle();
    const seen = await visibleChanges(context.sql, waiting);
    waiting = waiting.filter((id) => !seen.has(id));
    // Another generator holds the claim, or a purge is put off.
    if (waiting.length > 0) await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
