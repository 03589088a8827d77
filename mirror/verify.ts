/**
 * Reads a whole repository as a client would and names each file and check that fails: key, indexes,
 * packages, tarballs, and what nothing names.
 */
import { type PackageName, packageName, repositoryName, trusted, version } from "../hex/ids.ts";
import { objectKey, objectPrefixes, type RepositoryObject, type RepositoryRef } from "../hex/keys.ts";
import { ProtoError } from "../proto/errors.ts";
import { readPublicKey } from "../proto/public-key.ts";
import {
  decodeNames,
  decodePackage,
  decodeVersions,
  encodeNames,
  encodePackage,
  encodeVersions,
  type RegistryNames,
  type RegistryPackage,
  type RegistryVersions,
} from "../proto/registry.ts";
import { checkPackage, checkTarball, checkVersions } from "./package-check.ts";
import { RepositoryReader } from "./reader.ts";
import { Findings, type Report } from "./report.ts";
import type { Source } from "./source.ts";

export interface VerifyOptions {
  /** As clients have it configured; undefined: whatever `names` says, alike in every file. */
  readonly repositoryName?: string;
  /** As clients have it configured; undefined: that of the repository's `public_key`. */
  readonly publicKeyPem?: string;
  /** Files read at a time; 8 unless given. */
  readonly concurrency?: number;
  /** False leaves tarballs unread. */
  readonly tarballs?: boolean;
  /** True where a tarball may stay for a while after its release is gone. */
  readonly ignoreStrays?: boolean;
  /** Told of packages done and packages in all. */
  readonly onProgress?: (done: number, total: number) => void;
}

type VersionsEntry = RegistryVersions["packages"][number];

/** @returns findings in the order of keys; none when every client can use everything. */
export async function verifyRepository(source: Source, options: VerifyOptions = {}): Promise<Report> {
  const findings = new Findings();
  const reader = new RepositoryReader(source, findings);
  await readKey(reader, findings, options.publicKeyPem);
  const names = await reader.message("names", { decode: decodeNames, encode: encodeNames });
  const versions = await reader.message("versions", { decode: decodeVersions, encode: encodeVersions });
  const repository = options.repositoryName ?? names?.repository ?? versions?.repository ?? "";
  checkIndexes(findings, repository, names, versions);

  const entries = packagesOf(names, versions);
  const known = new Set(["names", "versions", "public_key"]);
  let releases = 0;
  let done = 0;
  await eachOf(entries, options.concurrency ?? 8, async (entry) => {
    releases += await verifyPackage(reader, findings, {
      repository,
      entry,
      known,
      tarballs: options.tarballs ?? true,
    });
    done += 1;
    options.onProgress?.(done, entries.length);
  });
  if (options.ignoreStrays !== true) await findStrays(source, findings, repository, known);
  findings.list.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return {
    findings: findings.list,
    files: reader.files,
    bytes: reader.bytes,
    packages: entries.length,
    releases,
  };
}

async function readKey(
  reader: RepositoryReader,
  findings: Findings,
  given: string | undefined,
): Promise<void> {
  const object = await reader.read("public_key", 65_536);
  const served = object && Buffer.from(object.body).toString("utf8");
  for (const pem of [given, served]) {
    if (pem === undefined) continue;
    try {
      readPublicKey(pem);
      reader.publicKey ??= pem;
    } catch (error) {
      if (!(error instanceof ProtoError)) throw error;
      findings.error("public_key", "public-key", error.message);
    }
  }
  if (served?.includes("BEGIN RSA PUBLIC KEY")) {
    findings.warning(
      "public_key",
      "public-key",
      "PKCS#1 PEM, which gleam cannot read: SPKI (BEGIN PUBLIC KEY) is expected",
    );
  }
}

function checkIndexes(
  findings: Findings,
  repository: string,
  names: RegistryNames | undefined,
  versions: RegistryVersions | undefined,
): void {
  for (const [key, file] of [
    ["names", names],
    ["versions", versions],
  ] as const) {
    if (file === undefined) continue;
    checkRepositoryName(findings, key, repository, file.repository);
    const list = file.packages.map((entry) => entry.name);
    for (let index = 1; index < list.length; index++) {
      const [before = "", after = ""] = list.slice(index - 1, index + 1);
      if (Buffer.compare(Buffer.from(before), Buffer.from(after)) >= 0) {
        findings.error(key, "order", `${after} comes after ${before}`);
      }
    }
  }
  for (const entry of versions?.packages ?? []) checkEntry(findings, entry);
  if (names === undefined || versions === undefined) return;
  const inVersions = new Set(versions.packages.map((entry) => entry.name));
  const inNames = new Set(names.packages.map((entry) => entry.name));
  for (const name of inNames)
    if (!inVersions.has(name)) findings.error("versions", "agreement", `lacks ${name}, which names has`);
  for (const name of inVersions)
    if (!inNames.has(name)) findings.error("names", "agreement", `lacks ${name}, which versions has`);
}

function checkEntry(findings: Findings, entry: VersionsEntry): void {
  if (entry.versions.length === 0) findings.error("versions", "empty", `${entry.name} has no version`);
  checkVersions(findings, "versions", entry.versions);
  for (const index of [...entry.retired, ...entry.withAdvisories]) {
    if (index < 0 || index >= entry.versions.length) {
      findings.error("versions", "indexes", `${entry.name}: there is no version ${index}`);
    }
  }
}

function checkRepositoryName(findings: Findings, key: string, expected: string, found: string): void {
  if (found !== expected)
    findings.error(key, "repository", `is of repository ${JSON.stringify(found)}, not ${expected}`);
}

function packagesOf(
  names: RegistryNames | undefined,
  versions: RegistryVersions | undefined,
): readonly VersionsEntry[] {
  if (versions !== undefined) return versions.packages;
  return (names?.packages ?? []).map(({ name }) => ({ name, versions: [], retired: [], withAdvisories: [] }));
}

interface PackageContext {
  readonly repository: string;
  readonly entry: VersionsEntry;
  /** Keys that something names; added to. */
  readonly known: Set<string>;
  readonly tarballs: boolean;
}

/** @returns the number of its releases. */
async function verifyPackage(
  reader: RepositoryReader,
  findings: Findings,
  context: PackageContext,
): Promise<number> {
  const { entry, known } = context;
  const name = packageName(entry.name);
  if (name === undefined) {
    findings.error("names", "name", `${JSON.stringify(entry.name)} is not a package's name`);
    return 0;
  }
  const key = keyOf({ kind: "package", package: name });
  known.add(key);
  const file = await reader.message(key, { decode: decodePackage, encode: encodePackage });
  if (file === undefined) return 0;
  checkRepositoryName(findings, key, context.repository, file.repository);
  if (file.name !== name) findings.error(key, "name", `is of package ${JSON.stringify(file.name)}`);
  checkPackage(findings, key, file);
  checkAgreement(findings, key, file, entry);
  for (const release of file.releases) {
    const text = version(release.version);
    if (text === undefined) continue;
    const tarball = keyOf({ kind: "tarball", package: name, version: text });
    known.add(tarball);
    known.add(keyOf({ kind: "docs", package: name, version: text }));
    if (context.tarballs) await checkTarball(reader, findings, tarball, release);
  }
  return file.releases.length;
}

function checkAgreement(findings: Findings, key: string, file: RegistryPackage, entry: VersionsEntry): void {
  const indexesOf = (isOne: (release: RegistryPackage["releases"][number]) => boolean) =>
    file.releases.flatMap((release, index) => (isOne(release) ? [index] : []));
  const pairs = [
    ["versions", file.releases.map((release) => release.version), entry.versions],
    ["retirements", indexesOf((release) => release.retired !== undefined), entry.retired],
    ["advisories", indexesOf((release) => release.advisoryIndexes.length > 0), entry.withAdvisories],
  ] as const;
  for (const [what, here, there] of pairs) {
    if (JSON.stringify(here) === JSON.stringify([...there])) continue;
    findings.error(
      key,
      "agreement",
      `has ${what} ${JSON.stringify(here)}, but versions has ${JSON.stringify(there)}`,
    );
  }
}

// Whatever the repository is called, below its own root its keys are those of a public one.
const ROOT: RepositoryRef = { name: trusted(repositoryName, "root"), public: true };

function keyOf(object: RepositoryObject & { readonly package: PackageName }): string {
  return objectKey(ROOT, object);
}

/** Also reports objects of a repository that was not asked for: only what lies under our prefixes is listed. */
async function findStrays(
  source: Source,
  findings: Findings,
  repository: string,
  known: ReadonlySet<string>,
): Promise<void> {
  if (source.list === undefined) return;
  for (const prefix of objectPrefixes(ROOT)) {
    for await (const key of source.list(prefix)) {
      if (!known.has(key))
        findings.warning(key, "stray", `nothing in ${repository || "the repository"} names it`);
    }
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
