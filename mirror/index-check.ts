/** The checks of `names` and `versions`, each alone and side by side. */
import { packageName, version } from "../hex/ids.ts";
import { compareVersions } from "../hex/versions/version.ts";
import type { RegistryNames, RegistryVersions } from "../proto/registry.ts";
import { compareBytes, firstDisorder } from "./order.ts";
import type { Findings } from "./report.ts";

export type VersionsEntry = RegistryVersions["packages"][number];

/** A package as the indexes know it. */
export interface IndexedPackage {
  readonly name: string;
  /** Undefined when `versions` cannot be read, or lacks it. */
  readonly entry: VersionsEntry | undefined;
}

/** @param repository as clients have it configured */
export function checkIndexes(
  findings: Findings,
  repository: string,
  names: RegistryNames | undefined,
  versions: RegistryVersions | undefined,
): void {
  if (names) checkIndex(findings, "names", repository, names);
  if (versions) checkIndex(findings, "versions", repository, versions);
  for (const entry of versions?.packages ?? []) checkEntry(findings, entry);
  if (names === undefined || versions === undefined) return;
  for (const name of missingFrom(names, versions)) {
    findings.error("versions", "agreement", `lacks ${name}, which names has`);
  }
  for (const name of missingFrom(versions, names)) {
    findings.error("names", "agreement", `lacks ${name}, which versions has`);
  }
}

/** @returns every package that either index names, once. */
export function indexedPackages(
  names: RegistryNames | undefined,
  versions: RegistryVersions | undefined,
): readonly IndexedPackage[] {
  const packages = new Map<string, IndexedPackage>();
  for (const { name } of names?.packages ?? []) packages.set(name, { name, entry: undefined });
  for (const entry of versions?.packages ?? []) packages.set(entry.name, { name: entry.name, entry });
  return [...packages.values()];
}

export function checkRepositoryName(findings: Findings, key: string, expected: string, found: string): void {
  if (found === expected) return;
  findings.error(key, "repository", `is of repository ${JSON.stringify(found)}, not ${expected}`);
}

/** Valid, ascending, none twice. */
export function checkVersions(
  findings: Findings,
  key: string,
  name: string,
  versions: readonly string[],
): void {
  const invalid = versions.filter((text) => version(text) === undefined);
  for (const text of invalid) {
    findings.error(key, "version", `${name}: ${JSON.stringify(text)} is not a version`);
  }
  if (invalid.length > 0) return;
  const [before, after] = firstDisorder(versions, compareVersions) ?? [];
  if (after !== undefined) findings.error(key, "order", `${name}: ${after} comes after ${before}`);
}

/** Zero-based, ascending, each below the number of what they point at. */
export function checkIndexList(
  findings: Findings,
  key: string,
  what: string,
  indexes: readonly number[],
  count: number,
): void {
  for (const index of indexes) {
    if (index < 0 || index >= count) findings.error(key, "indexes", `${what}: there is no ${index}`);
  }
  if (firstDisorder(indexes, (a, b) => a - b)) findings.warning(key, "order", `${what}: not ascending`);
}

interface Index {
  readonly repository: string;
  readonly packages: readonly { readonly name: string }[];
}

function checkIndex(findings: Findings, key: string, repository: string, index: Index): void {
  checkRepositoryName(findings, key, repository, index.repository);
  for (const { name } of index.packages) {
    if (packageName(name) === undefined) {
      findings.error(key, "name", `${JSON.stringify(name)} is not a package's name`);
    }
  }
  const [before, after] = firstDisorder(index.packages, (a, b) => compareBytes(a.name, b.name)) ?? [];
  if (after !== undefined) findings.error(key, "order", `${after.name} comes after ${before?.name}`);
}

function checkEntry(findings: Findings, entry: VersionsEntry): void {
  const { name, versions, retired, withAdvisories } = entry;
  if (versions.length === 0) findings.error("versions", "empty", `${name} has no version`);
  checkVersions(findings, "versions", name, versions);
  checkIndexList(findings, "versions", `${name}, retired`, retired, versions.length);
  checkIndexList(findings, "versions", `${name}, with advisories`, withAdvisories, versions.length);
}

function missingFrom(one: Index, other: Index): readonly string[] {
  const there = new Set(other.packages.map(({ name }) => name));
  return one.packages.filter(({ name }) => !there.has(name)).map(({ name }) => name);
}
