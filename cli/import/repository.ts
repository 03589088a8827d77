/** Takes another repository into the database, package by package. */
import { inParallel } from "../../generator/parallel.ts";
import { packageName } from "../../hex/ids.ts";
import { objectKey } from "../../hex/keys.ts";
import { readTrustedKey } from "../../mirror/key-check.ts";
import { RepositoryReader } from "../../mirror/reader.ts";
import { Findings } from "../../mirror/report.ts";
import type { Source } from "../../mirror/source.ts";
import { INDEX_LIMITS, PACKAGE_LIMITS, ROOT } from "../../mirror/verify.ts";
import {
  decodeNames,
  decodePackage,
  decodeVersions,
  encodeNames,
  encodePackage,
  encodeVersions,
  type RegistryNames,
} from "../../proto/registry.ts";
import { SkepError } from "../../schemas/errors.ts";
import { type Micros, microsFrom, microsOf } from "../../schemas/time.ts";
import { importPackage, type PackageReport, type Target } from "./package.ts";
import { ImportProblem } from "./release.ts";

export interface ImportOptions {
  /** The key to trust; undefined: that of the repository's `public_key`. */
  readonly publicKeyPem: string | undefined;
  /** Packages at a time. */
  readonly concurrency: number;
  readonly clock: () => Date;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface ImportReport {
  /** Packages that the repository has. */
  readonly packages: number;
  readonly imported: number;
  /** Releases that were here before, byte for byte. */
  readonly present: number;
  /** What was left out, each with its reason, in the order of names. */
  readonly problems: readonly string[];
}

const CODECS = {
  names: { decode: decodeNames, encode: encodeNames },
  versions: { decode: decodeVersions, encode: encodeVersions },
  package: { decode: decodePackage, encode: encodePackage },
};

/**
 * Can be cut off and called again: what is here is passed over. One package's problems hold up no other.
 * @throws SkepError `verification_failed` when the indexes cannot be trusted
 */
export async function importRepository(
  target: Target,
  source: Source,
  options: ImportOptions,
): Promise<ImportReport> {
  const findings = new Findings();
  const reader = new RepositoryReader(source, findings);
  reader.publicKey = await readTrustedKey(reader, findings, options.publicKeyPem);
  const names = await reader.message("names", CODECS.names, INDEX_LIMITS);
  const versions = await reader.message("versions", CODECS.versions, INDEX_LIMITS);
  const errors = () => findings.sorted().filter(({ severity }) => severity === "error");
  if (
    reader.publicKey === undefined ||
    names === undefined ||
    versions === undefined ||
    errors().length > 0
  ) {
    const lines = errors().map(({ key, message }) => `${key}: ${message}`);
    throw new SkepError(
      "verification_failed",
      `${source.description} cannot be imported:\n${lines.join("\n")}`,
    );
  }
  const updated = updateTimes(names);
  const all = [...new Set([...names.packages, ...versions.packages].map(({ name }) => name))];
  const problems: string[] = [];
  const counts = { imported: 0, present: 0 };
  let done = 0;
  await inParallel(options.concurrency, all, async (text) => {
    const report = await importNamed(
      target,
      source,
      reader,
      names.repository,
      text,
      updated.get(text) ?? microsOf(options.clock()),
    );
    if (report !== undefined) {
      counts.imported += report.imported.length;
      counts.present += report.present;
      problems.push(...report.problems);
    }
    done += 1;
    options.onProgress?.(done, all.length);
  });
  const unread = errors().map(({ key, message }) => `${key}: ${message}`);
  return { packages: all.length, ...counts, problems: [...problems, ...unread].sort() };
}

/** @returns undefined, after a finding of the reader's, when the file is none. */
async function importNamed(
  target: Target,
  source: Source,
  reader: RepositoryReader,
  repository: string,
  text: string,
  updatedAt: Micros,
): Promise<PackageReport | undefined> {
  const nothing = { imported: [], present: 0 };
  const name = packageName(text);
  if (name === undefined)
    return { ...nothing, problems: [`${JSON.stringify(text)}: is not a package's name`] };
  const key = objectKey(ROOT, { kind: "package", package: name });
  const file = await reader.message(key, CODECS.package, PACKAGE_LIMITS);
  if (file === undefined) return undefined;
  // A file that was signed for another place (attack: a mirror serves one package as another).
  if (file.name !== name || file.repository !== repository) {
    return {
      ...nothing,
      problems: [`${name}: ${key} is of ${JSON.stringify(`${file.repository}/${file.name}`)}`],
    };
  }
  try {
    return await importPackage(target, source, name, file, updatedAt);
  } catch (error) {
    if (!(error instanceof ImportProblem)) throw error;
    return { ...nothing, problems: [`${name}: ${error.message}`] };
  }
}

function updateTimes(names: RegistryNames): ReadonlyMap<string, Micros> {
  return new Map(
    names.packages.flatMap(({ name, updatedAt }) =>
      updatedAt === undefined ? [] : [[name, microsFrom(updatedAt)] as const],
    ),
  );
}
