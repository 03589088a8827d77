/**
 * The full rebuild: the ordinary path, with every key as a change that is to be looked at. Strays become
 * open intents of generation 0, so that they, too, go the way of anything half done.
 */
import type { PackageName } from "../hex/ids.ts";
import { objectKey, objectPrefixes, parseObjectKey } from "../hex/keys.ts";
import { SkepError } from "../schemas/errors.ts";
import type { ObjectStore } from "../store/objects/store.ts";
import { type Hold, heldReleases, openOwnIntents, recordedKeys } from "../store/queries/books.ts";
import { requestLooks, visibleChanges } from "../store/queries/changes.ts";
import { policyRows } from "../store/queries/policies.ts";
import { allPackageNames, allRepositories, type RepositoryRow } from "../store/queries/registry.ts";
import type { GeneratorContext } from "./context.ts";
import type { Generator } from "./generator.ts";
import { liveKeysOf } from "./live-keys.ts";

export interface RebuildOptions {
  /** What becomes of objects that belong to nothing: "few" deletes them unless they are a large share of all. */
  readonly strays: "few" | "delete" | "keep";
  /** Told of packages done and packages in all. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

export interface RebuildReport {
  readonly packages: number;
  readonly strays: number;
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
  const report = { packages: 0, strays: 0, foreign: [] as string[], held: [] as Hold[] };
  for (const repository of await allRepositories(context.sql)) {
    const names = await allPackageNames(context.sql, repository.id);
    const { strays, foreign, listed } = await findStrays(context, repository, names);
    if (options.strays === "few") refuseMany(strays.length, listed);
    if (options.strays !== "keep") await announceStrays(context, repository, strays);
    for (let start = 0; start < names.length; start += PACKAGES_AT_ONCE) {
      const chunk = names.slice(start, start + PACKAGES_AT_ONCE);
      await lookAndWait(context, generator, repository, chunk, options.signal);
      options.onProgress?.(start + chunk.length, names.length);
    }
    await lookAndWait(context, generator, repository, [null], options.signal);
    report.packages += names.length;
    report.strays += strays.length;
    report.foreign.push(...foreign);
    report.held.push(...(await heldReleases(context.sql, repository.id)));
  }
  return report;
}

interface Strays {
  readonly strays: readonly { readonly key: string; readonly package: PackageName | null }[];
  readonly foreign: readonly string[];
  readonly listed: number;
}

/**
 * A stray lies under a package that the database does not know, or is a policy that it does not know; a known package
 * is looked at as a whole.
 */
async function findStrays(
  context: GeneratorContext,
  repository: RepositoryRow,
  names: readonly PackageName[],
): Promise<Strays> {
  const recorded = new Set(await recordedKeys(context.sql, repository.id));
  const known = new Set(names);
  const strays: { key: string; package: PackageName | null }[] = [];
  const foreign: string[] = [];
  let listed = 0;
  for await (const key of listRepository(context.publicStore, repository)) {
    listed += 1;
    if (recorded.has(key)) continue;
    const object = parseObjectKey(key)?.object;
    if (object === undefined) foreign.push(key);
    else if (object.kind === "policy") strays.push({ key, package: null });
    else if ("package" in object) {
      // Of a known package the look finds its own; what it does not want is a stray as well.
      strays.push({ key, package: object.package });
    }
  }
  return { strays: await withoutWanted(context, repository, strays, known), foreign, listed };
}

/** Drops what rows stand behind: an object that is only missing in the books is no stray. */
async function withoutWanted(
  context: GeneratorContext,
  repository: RepositoryRow,
  strays: Strays["strays"],
  known: ReadonlySet<PackageName>,
): Promise<Strays["strays"]> {
  const names = new Set(
    strays.flatMap(({ package: name }) => (name !== null && known.has(name) ? [name] : [])),
  );
  const live = await liveKeysOf(context.sql, repository, [...names], context.twins !== undefined);
  const policies = await policyRows(context.sql, repository.id);
  const wanted = new Set(policies.map(({ name }) => objectKey(repository, { kind: "policy", policy: name })));
  return strays.filter(({ key }) => !live.has(key) && !wanted.has(key));
}

async function* listRepository(store: ObjectStore, repository: RepositoryRow): AsyncIterable<string> {
  for (const prefix of objectPrefixes(repository)) {
    for await (const { key } of store.list(prefix)) yield key;
  }
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
  const intents = strays.map((stray) => ({ ...stray, payloadHash: null }));
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
