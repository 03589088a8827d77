/** The checks of one `packages/NAME`, alone and beside its entry in `versions`. */
import type { RegistryDependency, RegistryPackage, RegistryRelease } from "../proto/registry.ts";
import { checkIndexList, checkVersions, type VersionsEntry } from "./index-check.ts";
import { compareBytes, compareOptional, firstDisorder } from "./order.ts";
import type { Findings } from "./report.ts";

const CHECKSUM_BYTES = 32;

export function checkPackage(findings: Findings, key: string, file: RegistryPackage): void {
  if (file.releases.length === 0) findings.error(key, "empty", "the package has no release");
  checkVersions(
    findings,
    key,
    file.name,
    file.releases.map((release) => release.version),
  );
  if (firstDisorder(file.advisories, (a, b) => compareBytes(a.id, b.id))) {
    findings.warning(key, "order", "the advisories are not sorted by id");
  }
  for (const release of file.releases) {
    checkChecksums(findings, key, release);
    const what = `${release.version}, advisories`;
    checkIndexList(findings, key, what, release.advisoryIndexes, file.advisories.length);
  }
  checkDependencies(findings, key, file);
}

function checkChecksums(findings: Findings, key: string, release: RegistryRelease): void {
  const { version, innerChecksum, outerChecksum } = release;
  if (innerChecksum.length !== CHECKSUM_BYTES) {
    findings.error(key, "checksum", `${version}: the inner checksum has not 32 bytes`);
  }
  if (outerChecksum?.length !== CHECKSUM_BYTES) {
    findings.error(key, "checksum", `${version}: there is no outer checksum of 32 bytes`);
  }
}

/** One finding a file and rule: a tool that breaks one breaks it in every release. */
function checkDependencies(findings: Findings, key: string, file: RegistryPackage): void {
  const warn = (
    check: "gleam-optional" | "redundant",
    message: string,
    breaks: (dependency: RegistryDependency) => boolean,
  ) => {
    const releases = file.releases.filter(({ dependencies }) => dependencies.some(breaks));
    const [first] = releases;
    if (first !== undefined) findings.warning(key, check, `${message}: ${andMore(first, releases.length)}`);
  };
  warn("gleam-optional", "optional=false is written", ({ optional }) => optional === false);
  warn("redundant", "app is written where it is the package's name", (one) => one.app === one.package);
  warn(
    "redundant",
    "repository is written where it is this one",
    (one) => one.repository === file.repository,
  );
  const unsorted = file.releases.filter(({ dependencies }) =>
    firstDisorder(dependencies, compareDependencies),
  );
  const [first] = unsorted;
  if (first !== undefined) {
    findings.warning(key, "order", `dependencies are not sorted: ${andMore(first, unsorted.length)}`);
  }
}

function andMore({ version }: RegistryRelease, count: number): string {
  return count === 1 ? `in ${version}` : `in ${version} and ${count - 1} more`;
}

function compareDependencies(a: RegistryDependency, b: RegistryDependency): number {
  return compareOptional(a.repository, b.repository) || compareBytes(a.package, b.package);
}

/** By version, not by position: one that is missing must not make all behind it differ. */
export function checkAgreement(
  findings: Findings,
  key: string,
  { releases }: RegistryPackage,
  entry: VersionsEntry,
): void {
  const versionsOf = (some: readonly RegistryRelease[]) => some.map(({ version }) => version);
  const named = (indexes: readonly number[]) => indexes.flatMap((index) => entry.versions[index] ?? []);
  const retired = releases.filter((release) => release.retired !== undefined);
  const advised = releases.filter((release) => release.advisoryIndexes.length > 0);
  for (const [what, here, there] of [
    ["releases", versionsOf(releases), entry.versions],
    ["retired releases", versionsOf(retired), named(entry.retired)],
    ["releases with advisories", versionsOf(advised), named(entry.withAdvisories)],
  ] as const) {
    const difference = [...lacking(here, there, "only here"), ...lacking(there, here, "only in versions")];
    if (difference.length > 0) findings.error(key, "agreement", `${what}: ${difference.join("; ")}`);
  }
}

function lacking(one: readonly string[], other: readonly string[], where: string): readonly string[] {
  const there = new Set(other);
  const some = one.filter((version) => !there.has(version));
  return some.length === 0 ? [] : [`${where}: ${some.slice(0, 10).join(", ")}`];
}
