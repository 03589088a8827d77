/**
 * Compares the public store with what the database, the private store and the key say it should hold, and
 * changes nothing: `skep rebuild --check`. Generators may build meanwhile; what they are about to mend is told
 * from what nobody will.
 */
import type { PackageName } from "../hex/ids.ts";
import { readPublicKey } from "../proto/public-key.ts";
import { waitingAmong } from "../store/queries/books.ts";
import { pendingPackages } from "../store/queries/pending.ts";
import { allPackageNames, allRepositories, type RepositoryRow } from "../store/queries/registry.ts";
import { type Desired, desiredIndexes, desiredPackages } from "./check/desired.ts";
import type { Finding } from "./check/finding.ts";
import { checkObject } from "./check/object.ts";
import type { GeneratorContext } from "./context.ts";
import { type Listed, listedPages, packageOf, withoutRows } from "./listing.ts";
import { inParallel } from "./parallel.ts";

export interface CheckOptions {
  /** Told of each difference as it is found, by object. */
  readonly onFinding: (finding: Finding) => void;
  /** Told of packages done and packages in all, of one repository after the other. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Told of objects listed, after the packages of a repository. */
  readonly onListed?: (listed: number) => void;
}

const PACKAGES_AT_ONCE = 200;
// What differs is looked at again with fresh rows: a build may have come between the rows and the look.
const LOOKS = 3;

/** Keeps neither what it finds nor what it lists. @throws SkepError `store_unavailable` */
export async function checkEach(context: GeneratorContext, options: CheckOptions): Promise<void> {
  for (const repository of await allRepositories(context.sql)) {
    const names = await allPackageNames(context.sql, repository.id);
    for (let start = 0; start < names.length; start += PACKAGES_AT_ONCE) {
      const chunk = names.slice(start, start + PACKAGES_AT_ONCE);
      report(options, await checkPackages(context, repository, chunk));
      options.onProgress?.(start + chunk.length, names.length);
    }
    report(options, await checkDesired(context, () => desiredIndexes(context, repository)));
    let listed = 0;
    for await (const page of listedPages(context.publicStore, repository)) {
      report(options, await findStrays(context, repository, page));
      listed += page.length;
      options.onListed?.(listed);
    }
  }
}

/** @returns every difference, in the order of keys: for stores of which little differs. */
export async function checkBucket(context: GeneratorContext): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  await checkEach(context, { onFinding: (finding) => findings.push(finding) });
  return findings.sort((a, b) => (a.key < b.key ? -1 : 1));
}

function report({ onFinding }: CheckOptions, findings: readonly Finding[]): void {
  for (const finding of [...findings].sort((a, b) => (a.key < b.key ? -1 : 1))) onFinding(finding);
}

function checkPackages(
  context: GeneratorContext,
  repository: RepositoryRow,
  names: readonly PackageName[],
): Promise<readonly Finding[]> {
  return checkDesired(context, (again) =>
    desiredPackages(
      context,
      repository,
      again === undefined ? names : [...again].flatMap((name) => name ?? []),
    ),
  );
}

/** @param read gives what should be there: all of it, or of these packages (null: the repository's own) */
async function checkDesired(
  context: GeneratorContext,
  read: (again?: ReadonlySet<PackageName | null>) => Promise<Desired>,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const publicKey = readPublicKey(context.signer.publicKeyPem);
  let doubtful: ReadonlySet<PackageName | null> | undefined;
  for (let look = 1; look <= LOOKS && doubtful?.size !== 0; look++) {
    const { objects, isPending } = await read(doubtful);
    const next = new Set<PackageName | null>();
    await inParallel(context.settings.concurrency, objects, async (desired) => {
      const finding = await checkObject(context, desired, publicKey);
      if (finding === undefined) return;
      const name = desired.package;
      if (isPending(name)) findings.push({ ...finding, pending: true });
      else if (look === LOOKS) findings.push(finding);
      else next.add(name);
    });
    doubtful = next;
  }
  return findings;
}

async function findStrays(
  context: GeneratorContext,
  repository: RepositoryRow,
  page: readonly Listed[],
): Promise<readonly Finding[]> {
  const strays = await withoutRows(context.sql, repository, page, context.twins !== undefined);
  // What waits for its grace is there on purpose.
  const waiting = await waitingAmong(
    context.sql,
    repository.id,
    strays.map(({ key }) => key),
  );
  const names = new Set(strays.flatMap((listed) => packageOf(listed) ?? []));
  const pending = await pendingPackages(context.sql, repository, [...names]);
  return strays
    .filter(({ key }) => !waiting.has(key))
    .map((listed) => {
      const name = packageOf(listed);
      const isPending = name !== null && pending.has(name);
      return { key: listed.key, difference: "stray", ...(isPending ? { pending: true as const } : {}) };
    });
}
