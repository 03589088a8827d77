/** Each package of the folder as its file should be: kept from before, or made of its tarballs. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { buildPackage } from "../../generator/build/package.ts";
import { signedFile } from "../../generator/build/signed-file.ts";
import { inParallel } from "../../generator/parallel.ts";
import type { PackageName, RepositoryName, Version } from "../../hex/ids.ts";
import { encodePackage, type RegistryPackage } from "../../proto/registry.ts";
import type { Signer } from "../../proto/signer.ts";
import { type Micros, micros, microsFrom, microsOf } from "../../schemas/time.ts";
import type { PackageAdvisory } from "../../store/queries/advisories.ts";
import type { PackageRow, ReleaseRow } from "../../store/queries/registry.ts";
import type { Cache, CachedPackage, CachedTarball } from "./cache.ts";
import type { Earlier } from "./earlier.ts";
import { openReaders } from "./readers.ts";
import type { TarballRelease, TarballRequirement } from "./release.ts";
import type { NewFile, StagedFile } from "./replace-files.ts";
import type { Retirements } from "./retirements.ts";
import { identityOf, isSameFile, type TarballFile } from "./tarballs.ts";

export interface PackagesInput {
  readonly folder: string;
  readonly repository: RepositoryName;
  /** Where a dependency is that is not here and does not say where it is. */
  readonly external: RepositoryName;
  readonly signer: Signer;
  /** Keeps a new file until all of them are put into place. */
  readonly stage: (file: NewFile) => Promise<StagedFile>;
  readonly tarballs: ReadonlyMap<PackageName, readonly TarballFile[]>;
  readonly retirements: Retirements;
  readonly advisories: ReadonlyMap<PackageName, readonly PackageAdvisory[]>;
  readonly earlier: Earlier;
  readonly cache: Cache;
  /** What a file that changes carries, at least. */
  readonly revision: number;
  readonly now: Date;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface BuiltPackage {
  readonly name: PackageName;
  /** Of the newest release. */
  readonly publishedAt: Micros;
  /** Undefined: the file stays as it is. */
  readonly file: StagedFile | undefined;
  /** What the cache is to remember; a line where that is what it remembers already. */
  readonly memory: CachedPackage | Memory;
}

export interface Memory {
  readonly tarballs: readonly CachedTarball[];
  readonly revision: number;
  readonly circumstances: string;
  readonly unplaced: readonly PackageName[];
  readonly releases: readonly TarballRelease[];
}

export interface BuiltPackages {
  /** In the order of the names. */
  readonly packages: readonly BuiltPackage[];
  /** Tarballs that are none, each with its reason; the packages are not complete then. */
  readonly problems: readonly string[];
  /** How many tarballs had to be read. */
  readonly read: number;
}

/** Raised when the same input makes another file. */
const FORMAT = 1;
// So many wait for their signature while the next tarballs are read.
const AT_ONCE = 32;
/** As long as file systems may take to show a change in a file's times. */
const SETTLED_MILLISECONDS = 2_000;

export async function buildPackages(input: PackagesInput): Promise<BuiltPackages> {
  const packages = new Map<PackageName, BuiltPackage>();
  const changed: ChangedPackage[] = [];
  for (const [name, files] of input.tarballs) {
    const cached = input.cache.get(name);
    if (cached !== undefined && isAsBefore(input, files, cached)) {
      packages.set(name, { name, publishedAt: cached.publishedAt, file: undefined, memory: cached });
    } else changed.push(changedPackage(name, files, cached));
  }
  const problems: string[] = [];
  const read = changed.reduce((sum, { unread }) => sum + unread.length, 0);
  let done = packages.size;
  const readers = openReaders(read);
  await inParallel(AT_ONCE, changed, async ({ name, files, known, unread }) => {
    for (const [index, result] of (await readers.read(name, unread)).entries()) {
      const file = unread[index];
      if ("problem" in result) problems.push(result.problem);
      else if (file !== undefined) known.set(file.version, result.release);
    }
    // Nothing will be put into place, so nothing is signed.
    if (problems.length === 0) packages.set(name, await buildFile(input, name, files, known));
    done += 1;
    input.onProgress?.(done, input.tarballs.size);
  }).finally(() => readers.close());
  return { packages: [...input.tarballs.keys()].flatMap((name) => packages.get(name) ?? []), problems, read };
}

interface ChangedPackage {
  readonly name: PackageName;
  readonly files: readonly TarballFile[];
  /** What the cache remembers of them, by version; the rest is added when it is read. */
  readonly known: Map<Version, TarballRelease>;
  readonly unread: readonly TarballFile[];
}

function changedPackage(
  name: PackageName,
  files: readonly TarballFile[],
  cached: CachedPackage | undefined,
): ChangedPackage {
  const releases = cached?.releases() ?? [];
  const before = new Map(
    cached?.tarballs.map((one, index) => [one.version, { one, release: releases[index] }]),
  );
  const known = new Map<Version, TarballRelease>();
  for (const file of files) {
    const { one, release } = before.get(file.version) ?? {};
    if (release !== undefined && isCached(file, one)) known.set(file.version, release);
  }
  return { name, files, known, unread: files.filter(({ version }) => !known.has(version)) };
}

function isAsBefore(input: PackagesInput, files: readonly TarballFile[], cached: CachedPackage): boolean {
  return (
    cached.tarballs.length === files.length &&
    files.every((file, index) => isCached(file, cached.tarballs[index])) &&
    isSameFile(cached.written, identityOf(join(input.folder, "packages", cached.name))) &&
    cached.circumstances === circumstancesOf(input, cached.name, cached.unplaced)
  );
}

function isCached({ version, identity }: TarballFile, cached: CachedTarball | undefined): boolean {
  return cached?.version === version && isSameFile(cached.identity ?? undefined, identity);
}

/** Everything but the tarballs that decides about a package's file. */
function circumstancesOf(input: PackagesInput, name: PackageName, unplaced: readonly PackageName[]): string {
  const parts = [
    FORMAT,
    input.repository,
    input.external,
    input.signer.fingerprint,
    [...(input.retirements.get(name) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)),
    input.advisories.get(name) ?? [],
    unplaced.map((dependency) => input.tarballs.has(dependency)),
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64");
}

async function buildFile(
  input: PackagesInput,
  name: PackageName,
  files: readonly TarballFile[],
  known: ReadonlyMap<Version, TarballRelease>,
): Promise<BuiltPackage> {
  const earlier = input.earlier.package(name);
  const releases = files.flatMap(({ version }) => known.get(version) ?? []);
  const rows = files.flatMap((file) => {
    const release = known.get(file.version);
    return release === undefined ? [] : [releaseRow(input, name, file, release, earlier)];
  });
  const row: PackageRow = {
    name,
    revision: earlier?.revision ?? 0,
    releases: rows,
    advisories: input.advisories.get(name) ?? [],
  };
  const unplaced = unplacedOf(releases);
  const memory = {
    tarballs: files.map(({ version, identity }) => ({
      version,
      identity: input.now.getTime() - identity.ctimeMs > SETTLED_MILLISECONDS ? identity : null,
    })),
    circumstances: circumstancesOf(input, name, unplaced),
    unplaced,
    releases,
  };
  const built = { name, publishedAt: micros(Math.max(...rows.map(({ insertedAt }) => insertedAt))) };
  if (earlier !== undefined && isSigned(input, row)) {
    return { ...built, file: undefined, memory: { ...memory, revision: row.revision } };
  }
  // A run that was cut off may have given this revision to other contents.
  const revision = Math.max(input.revision, row.revision + 1);
  const payload = encodePackage(buildPackage(input.repository, { ...row, revision }));
  const file = await input.stage({
    key: `packages/${name}`,
    bytes: await signedFile({ kind: "sign", payload }, input.signer),
  });
  return { ...built, file, memory: { ...memory, revision } };
}

/** @returns whether the folder has this very file, signed with the key of today. */
function isSigned({ earlier, signer, repository }: PackagesInput, row: PackageRow): boolean {
  if (earlier.fingerprint !== signer.fingerprint) return false;
  const payload = earlier.payload(`packages/${row.name}`);
  return payload !== undefined && Buffer.from(encodePackage(buildPackage(repository, row))).equals(payload);
}

/** A release keeps the time of its publication, whatever becomes of the file; a new one has that of its file. */
function releaseRow(
  input: PackagesInput,
  name: PackageName,
  { version, identity, path }: TarballFile,
  { requirements, ...checksums }: TarballRelease,
  earlier: RegistryPackage | undefined,
): ReleaseRow {
  const before = earlier?.releases.find((release) => release.version === version)?.publishedAt;
  const fileTime = micros(Math.floor(identity.mtimeMs * 1_000));
  return {
    version,
    ...checksums,
    blobKey: path,
    docs: null,
    retirement: input.retirements.get(name)?.get(version) ?? null,
    insertedAt: before === undefined ? micros(Math.min(fileTime, microsOf(input.now))) : microsFrom(before),
    requirements: requirements.map((one) => ({ ...one, repository: placeOf(input, one) })),
  };
}

function placeOf(input: PackagesInput, { package: name, repository }: TarballRequirement): RepositoryName {
  return repository ?? (input.tarballs.has(name) ? input.repository : input.external);
}

function unplacedOf(releases: readonly TarballRelease[]): readonly PackageName[] {
  const open = releases.flatMap(({ requirements }) =>
    requirements.filter(({ repository }) => repository === null),
  );
  return [...new Set(open.map((requirement) => requirement.package))].sort();
}
