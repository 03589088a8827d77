/**
 * Reads a whole repository as a client would and names each file and check that fails: key, indexes,
 * packages, tarballs, policies, and what nothing names. Repositories of other programs are read as well.
 */
import { type PackageName, packageName, repositoryName, trusted, version } from "../hex/ids.ts";
import { objectKey, type RepositoryRef } from "../hex/keys.ts";
import {
  decodeNames,
  decodePackage,
  decodeVersions,
  encodeNames,
  encodePackage,
  encodeVersions,
  type RegistryPackage,
} from "../proto/registry.ts";
import { checkIndexes, checkRepositoryName, type IndexedPackage, indexedPackages } from "./index-check.ts";
import { readTrustedKey } from "./key-check.ts";
import { checkAgreement, checkPackage } from "./package-check.ts";
import { checkPolicies } from "./policy-check.ts";
import { type FileLimits, RepositoryReader } from "./reader.ts";
import { Findings, type Report } from "./report.ts";
import type { Source } from "./source.ts";
import { findStrays, NamedKeys } from "./strays.ts";
import { checkTarball } from "./tarball-check.ts";

export interface VerifyOptions {
  /** As clients have it configured; undefined: whatever `names` says, alike in every file. */
  readonly repositoryName?: string;
  /** As clients have it configured; undefined: that of the repository's `public_key`. */
  readonly publicKeyPem?: string;
  /** Packages read at a time; 8 unless given. */
  readonly concurrency?: number;
  /** False leaves tarballs unread. */
  readonly tarballs?: boolean;
  /** True where a tarball may stay for a while after its release is gone. */
  readonly ignoreStrays?: boolean;
  /** Told of packages done and packages in all. */
  readonly onProgress?: (done: number, total: number) => void;
}

// Some ten times the largest that exist. A small payload may take a hundred times as much memory decoded.
export const INDEX_LIMITS: FileLimits = { file: 64 << 20, payload: 256 << 20 };
export const PACKAGE_LIMITS: FileLimits = { file: 16 << 20, payload: 16 << 20 };

// Whatever the repository is called, below its own root its keys are those of a public one.
export const ROOT: RepositoryRef = { name: trusted(repositoryName, "root"), public: true };

/** @returns findings; none when every client can use everything. */
export async function verifyRepository(source: Source, options: VerifyOptions = {}): Promise<Report> {
  const findings = new Findings();
  const reader = new RepositoryReader(source, findings);
  reader.publicKey = await readTrustedKey(reader, findings, options.publicKeyPem);
  const names = await reader.message("names", { decode: decodeNames, encode: encodeNames }, INDEX_LIMITS);
  const versions = await reader.message(
    "versions",
    { decode: decodeVersions, encode: encodeVersions },
    INDEX_LIMITS,
  );
  const repository = options.repositoryName ?? names?.repository ?? versions?.repository ?? "";
  checkIndexes(findings, repository, names, versions);

  const packages = indexedPackages(names, versions);
  const named = new NamedKeys(ROOT);
  named.add("names", "versions", "public_key");
  const context = { reader, findings, repository, named, tarballs: options.tarballs ?? true };
  let releases = 0;
  let done = 0;
  await eachOf(packages, options.concurrency ?? 8, async (indexed) => {
    const count = await verifyPackage(context, indexed);
    // Not in one statement: what others add during the wait would be lost.
    releases += count;
    done += 1;
    options.onProgress?.(done, packages.length);
  });
  named.add(...(await checkPolicies(source, reader, findings, ROOT, repository)));
  // Without any index everything would be a stray.
  const canTellStrays = names !== undefined || versions !== undefined;
  if (canTellStrays && options.ignoreStrays !== true) await findStrays(source, findings, ROOT, named);
  return {
    findings: findings.sorted(),
    files: reader.files,
    bytes: reader.bytes,
    packages: packages.length,
    releases,
    revisions: {
      ...(names?.revision === undefined ? {} : { names: names.revision }),
      ...(versions?.revision === undefined ? {} : { versions: versions.revision }),
    },
  };
}

interface Context {
  readonly reader: RepositoryReader;
  readonly findings: Findings;
  readonly repository: string;
  readonly named: NamedKeys;
  readonly tarballs: boolean;
}

/** @returns the number of its releases. */
async function verifyPackage(context: Context, indexed: IndexedPackage): Promise<number> {
  const { reader, findings, named } = context;
  const name = packageName(indexed.name);
  // Reported with the index that has it; it must not become a part of a key.
  if (name === undefined) return 0;
  const key = objectKey(ROOT, { kind: "package", package: name });
  named.add(key);
  const codec = { decode: decodePackage, encode: encodePackage };
  const file = await reader.message(key, codec, PACKAGE_LIMITS);
  // A signed file of another package is no file of this one, as clients see it.
  if (file === undefined || !checkName(findings, key, name, file.name)) {
    named.leaveOut(name);
    return 0;
  }
  checkRepositoryName(findings, key, context.repository, file.repository);
  checkPackage(findings, key, file);
  if (indexed.entry !== undefined) checkAgreement(findings, key, file, indexed.entry);
  await verifyReleases(context, name, file);
  return file.releases.length;
}

function checkName(findings: Findings, key: string, expected: string, found: string): boolean {
  if (found !== expected) findings.error(key, "name", `is of package ${JSON.stringify(found)}`);
  return found === expected;
}

async function verifyReleases(
  { reader, findings, named, tarballs }: Context,
  name: PackageName,
  file: RegistryPackage,
): Promise<void> {
  for (const release of file.releases) {
    const text = version(release.version);
    if (text === undefined) continue;
    const key = objectKey(ROOT, { kind: "tarball", package: name, version: text });
    named.add(key, objectKey(ROOT, { kind: "docs", package: name, version: text }));
    if (tarballs) await checkTarball(reader, findings, key, name, release);
  }
}

async function eachOf<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items.values();
  const worker = async () => {
    for (const item of iterator) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}
