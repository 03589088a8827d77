/** A registry in a folder, built from the tarballs in it: no database, no server. */
import { existsSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { indexFilesOf } from "../../generator/index/index-files.ts";
import { STRAYS_ALLOWED } from "../../generator/rebuild.ts";
import type { PackageName, RepositoryName } from "../../hex/ids.ts";
import { encodeIndexEnd } from "../../proto/registry.ts";
import type { Signer } from "../../proto/signer.ts";
import { SkepError } from "../../schemas/errors.ts";
import { type Micros, micros, microsOf } from "../../schemas/time.ts";
import { reported } from "../../store/objects/errno.ts";
import { FolderLocks } from "../../store/objects/folder-lock.ts";
import type { PackageAdvisory } from "../../store/queries/advisories.ts";
import type { IndexRow } from "../../store/queries/registry.ts";
import { cacheLine, formatCache, readCache } from "./cache.ts";
import { type Earlier, readEarlier } from "./earlier.ts";
import { type BuiltPackage, type BuiltPackages, buildPackages } from "./packages.ts";
import { type NewFile, replaceFiles, Staging } from "./replace-files.ts";
import type { Retirements } from "./retirements.ts";
import { identityOf, listTarballs, type TarballFolder } from "./tarballs.ts";

export interface BuildOptions {
  /** Of the registry; the tarballs are in `tarballs` below it. */
  readonly folder: string;
  readonly repository: RepositoryName;
  /** Where a dependency is that is not here and does not say where it is. */
  readonly external: RepositoryName;
  readonly signer: Signer;
  readonly retirements: Retirements;
  readonly advisories: ReadonlyMap<PackageName, readonly PackageAdvisory[]>;
  /** Where the cache is kept; in the folder unless given. */
  readonly cacheFile?: string;
  /** Allows another key or another name than the folder's files have. */
  readonly newIdentity: boolean;
  /** Allows that many packages go at once. */
  readonly allowRemovals: boolean;
  readonly clock: () => Date;
  readonly onProgress?: (done: number, total: number) => void;
  /** As {@link replaceFiles} has it. */
  readonly onStep?: (key: string) => void;
}

export interface BuildReport {
  readonly packages: number;
  readonly releases: number;
  /** Tarballs whose bytes were read. */
  readonly read: number;
  /** Keys, in the order in which they were written. */
  readonly created: readonly string[];
  readonly updated: readonly string[];
  readonly removed: readonly string[];
  readonly cacheDamaged: boolean;
}

/** The builder's own folder: lock, staged files, cache. Servers and `skep verify` pass over hidden names. */
const OWN_FOLDER = ".skep-build";

/**
 * Nothing is put into place before every tarball is known to be right.
 * @throws SkepError `usage` for another key or name, `verification_failed` for tarballs that are none, by name,
 *   `too_many_deletions`, `store_unavailable`
 */
export async function buildRegistry(options: BuildOptions): Promise<BuildReport> {
  const { folder } = options;
  const own = join(folder, OWN_FOLDER);
  await reported(`write into ${folder}`, async () => {
    for (const path of ["tarballs", "packages", OWN_FOLDER])
      await mkdir(join(folder, path), { recursive: true });
  });
  const build = async () => {
    const staging = await Staging.open(join(own, "staged"));
    return replaceRegistry(options, own, staging).finally(() => staging.close());
  };
  return reported(`write into ${folder}`, () => new FolderLocks(own).withLock("lock", build));
}

async function replaceRegistry(options: BuildOptions, own: string, staging: Staging): Promise<BuildReport> {
  const { folder } = options;
  const earlier = readEarlier(folder);
  refuseIdentity(options, earlier);
  const cacheFile = options.cacheFile ?? join(own, "cache");
  const { cache, damaged } = await readCache(cacheFile);
  const tarballs = listTarballs(join(folder, "tarballs"));
  const gone = earlier.packageFiles.filter((name) => !tarballs.packages.has(name as PackageName));
  refuseRemovals(options, gone.length, earlier.packageFiles.length);
  const run = { earlier, revision: earlier.revision + 1, now: options.clock() };
  const stage = (file: NewFile) => staging.stage(file);
  const built = await buildPackages({ ...options, ...run, tarballs: tarballs.packages, cache, stage });
  refuseProblems(options, tarballs, built);

  const packageFiles = built.packages.flatMap(({ file }) => file ?? []);
  const others = await repositoryFiles(options, run, tarballs, built.packages);
  const groups = [packageFiles, ...(await Promise.all(others.map(async (file) => [await stage(file)])))];
  const keys = groups.flat().map(({ key }) => key);
  const isThere = new Set(keys.filter((key) => existsSync(join(folder, key))));
  const removed = gone.map((name) => `packages/${name}`).sort();
  await replaceFiles(folder, { groups, removed, onStep: options.onStep });
  await writeCache(folder, cacheFile, built.packages);
  return {
    packages: built.packages.length,
    releases: [...tarballs.packages.values()].reduce((sum, files) => sum + files.length, 0),
    read: built.read,
    created: keys.filter((key) => !isThere.has(key)),
    updated: keys.filter((key) => isThere.has(key)),
    removed,
    cacheDamaged: damaged,
  };
}

/** Clients that know this registry would refuse every file. */
function refuseIdentity({ folder, signer, repository, newIdentity }: BuildOptions, earlier: Earlier): void {
  if (newIdentity) return;
  if (earlier.fingerprint !== undefined && earlier.fingerprint !== signer.fingerprint) {
    throw new SkepError(
      "usage",
      `${join(folder, "public_key")} is ${earlier.fingerprint}, but the private key belongs to ${signer.fingerprint}: give the key that ` +
        "signed this registry, or --new-identity to sign everything anew, after which every client needs the new public key",
    );
  }
  if (earlier.repository !== undefined && earlier.repository !== repository) {
    throw new SkepError(
      "usage",
      `${folder} holds the registry ${earlier.repository}: give --name ${earlier.repository}, or --new-identity to rename it to ` +
        `${repository}, after which every client has to know it by that name`,
    );
  }
}

function refuseProblems(options: BuildOptions, tarballs: TarballFolder, built: BuiltPackages): void {
  const unknown = [...options.retirements].flatMap(([name, versions]) => {
    const there = new Set<string>(tarballs.packages.get(name as PackageName)?.map(({ version }) => version));
    return [...versions.keys()]
      .filter((version) => !there.has(version))
      .map(
        (version) =>
          `${name} ${version}: is retired, but there is no tarball of it; take it out of the retirements`,
      );
  });
  const problems = [...tarballs.problems, ...built.problems, ...unknown];
  if (problems.length === 0) return;
  throw new SkepError(
    "verification_failed",
    `${problems.length} problem(s), so nothing was changed:\n${problems.sort().join("\n")}`,
  );
}

function refuseRemovals({ folder, allowRemovals }: BuildOptions, removed: number, files: number): void {
  if (allowRemovals || removed <= Math.max(STRAYS_ALLOWED.count, files * STRAYS_ALLOWED.share)) return;
  throw new SkepError(
    "too_many_deletions",
    `${removed} of ${files} packages have no tarball in ${join(folder, "tarballs")} any more, so nothing was changed: ` +
      "put them back, or give --allow-removals",
  );
}

interface Run {
  readonly earlier: Earlier;
  readonly revision: number;
  readonly now: Date;
}

/** @returns `public_key` and the indexes that change, in the order in which they are put into place. */
async function repositoryFiles(
  { repository, signer, advisories, retirements }: BuildOptions,
  { earlier, revision, now }: Run,
  tarballs: TarballFolder,
  packages: readonly BuiltPackage[],
): Promise<readonly NewFile[]> {
  const rows = packages.map((built): IndexRow => {
    const { name } = built;
    const versions = tarballs.packages.get(name)?.map(({ version }) => version) ?? [];
    return {
      name,
      updatedAt: updatedAt(built, earlier.updatedAt.get(name), now),
      versions,
      retired: versions.map((version) => retirements.get(name)?.has(version) === true),
      advisories: advisories.get(name) ?? [],
    };
  });
  const indexes = indexFilesOf(rows);
  const endAt = (at: number) => encodeIndexEnd({ repository, revision: at });
  const index = async (key: "versions" | "names"): Promise<NewFile | undefined> => {
    const file = indexes[key];
    const before = earlier.fingerprint === signer.fingerprint ? earlier.payload(key) : undefined;
    if (before !== undefined && Buffer.from(file.payload(endAt(earlier.revision))).equals(before))
      return undefined;
    return { key, bytes: await file.signedFile(endAt(revision), signer) };
  };
  const publicKey = Buffer.from(signer.publicKeyPem);
  const hasKey = publicKey.equals(earlier.file("public_key") ?? new Uint8Array());
  const files = [
    hasKey ? undefined : { key: "public_key", bytes: publicKey },
    await index("versions"),
    await index("names"),
  ];
  return files.flatMap((file) => file ?? []);
}

/** A package that is new was updated when its last release came, one that has changed was so today. */
function updatedAt({ publishedAt, file }: BuiltPackage, before: Micros | undefined, now: Date): Micros {
  if (before === undefined) return publishedAt;
  return file === undefined ? before : micros(Math.max(publishedAt, microsOf(now)));
}

async function writeCache(folder: string, path: string, packages: readonly BuiltPackage[]): Promise<void> {
  const lines = packages.flatMap(({ name, publishedAt, memory }) => {
    if ("line" in memory) return [memory.line];
    const written = identityOf(join(folder, "packages", name));
    const { releases, ...head } = memory;
    return written === undefined ? [] : [cacheLine({ ...head, name, publishedAt, written }, releases)];
  });
  await reported(`write the cache ${path}`, async () => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.new`, formatCache(lines));
    await rename(`${path}.new`, path);
  });
}
