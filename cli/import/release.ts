/** A release of another repository, fetched and checked. */
import { createHash } from "node:crypto";
import { packageMeta, packageMetaErrors } from "../../api/rules/package.ts";
import { releaseErrors, releaseMeta } from "../../api/rules/release.ts";
import {
  type PackageName,
  packageName,
  type RepositoryName,
  repositoryName,
  type Version,
} from "../../hex/ids.ts";
import { objectKey } from "../../hex/keys.ts";
import type { PackageMetadata } from "../../hex/metadata/metadata.ts";
import { readContents } from "../../hex/tarball/contents.ts";
import { checkDocs } from "../../hex/tarball/docs.ts";
import { TarballError } from "../../hex/tarball/errors.ts";
import { readTarballMetadata } from "../../hex/tarball/tarball.ts";
import { requirementProblem } from "../../hex/versions/limits.ts";
import { type Source, SourceError } from "../../mirror/source.ts";
import { LARGEST_TARBALL } from "../../mirror/tarball-check.ts";
import { ROOT } from "../../mirror/verify.ts";
import type { RegistryDependency, RegistryRelease } from "../../proto/registry.ts";
import type { PackageMeta } from "../../store/queries/packages.ts";
import type { RequirementRow } from "../../store/queries/registry.ts";
import type { ReleaseMeta } from "../../store/queries/releases.ts";

export interface FetchedRelease {
  readonly tarball: Uint8Array;
  readonly packageMeta: PackageMeta;
  readonly meta: ReleaseMeta;
}

/** Why something is not imported. */
export class ImportProblem extends Error {
  override readonly name = "ImportProblem";
}

// What clients take of old packages goes beyond what may be published today.
const LIMITS = { limits: { compressed: LARGEST_TARBALL }, allowLeadingSlash: true };

/** @throws ImportProblem */
export async function fetchRelease(
  source: Source,
  name: PackageName,
  version: Version,
  release: RegistryRelease,
): Promise<FetchedRelease> {
  const key = objectKey(ROOT, { kind: "tarball", package: name, version });
  const tarball = await readObject(source, key);
  if (tarball === undefined) throw new ImportProblem("there is no tarball");
  const digest = createHash("sha256").update(tarball).digest();
  if (release.outerChecksum === undefined || !digest.equals(release.outerChecksum)) {
    throw new ImportProblem("its tarball has another SHA-256 than the registry says");
  }
  return asProblem(async () => {
    const head = readTarballMetadata(tarball, LIMITS);
    if (head.metadata.name !== name || head.metadata.version !== version) {
      throw new ImportProblem("the metadata of its tarball name another release");
    }
    if (!head.innerChecksum.equals(release.innerChecksum)) {
      throw new ImportProblem("its tarball has another inner checksum than the registry says");
    }
    await readContents(head.contentsFile, LIMITS);
    return { tarball, ...acceptedMeta(name, version, head.metadata) };
  });
}

/** @returns undefined where there are none. @throws ImportProblem */
export async function fetchDocs(
  source: Source,
  name: PackageName,
  version: Version,
): Promise<Uint8Array | undefined> {
  const docs = await readObject(source, objectKey(ROOT, { kind: "docs", package: name, version }));
  if (docs !== undefined) await asProblem(() => checkDocs(docs, LIMITS));
  return docs;
}

async function readObject(source: Source, key: string): Promise<Uint8Array | undefined> {
  try {
    return (await source.read(key, LARGEST_TARBALL))?.body;
  } catch (error) {
    if (error instanceof SourceError) throw new ImportProblem(error.message, { cause: error });
    throw error;
  }
}

async function asProblem<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof TarballError) throw new ImportProblem(error.message, { cause: error });
    throw error;
  }
}

/** People have installed it for years: a field that a publish would be refused for is left out. */
function acceptedMeta(
  name: PackageName,
  version: Version,
  metadata: PackageMetadata,
): Pick<FetchedRelease, "packageMeta" | "meta"> {
  const ofRelease = releaseErrors(version, metadata).value ?? {};
  if (ofRelease.version !== undefined) throw new ImportProblem(`its version ${String(ofRelease.version)}`);
  const { app, build_tools: buildTools, elixir } = fieldsOf(ofRelease.meta);
  return {
    packageMeta: packageMeta(
      without(metadata, Object.keys(fieldsOf(packageMetaErrors(metadata, "relaxed")))),
    ),
    meta: releaseMeta({
      ...metadata,
      ...(app === undefined ? {} : { app: name }),
      ...(buildTools === undefined ? {} : { buildTools: [] }),
      ...(elixir === undefined ? {} : { elixir: null }),
    }),
  };
}

function fieldsOf(errors: unknown): Readonly<Record<string, unknown>> {
  return typeof errors === "object" && errors !== null ? { ...errors } : {};
}

function without(metadata: PackageMetadata, fields: readonly string[]): PackageMetadata {
  return Object.fromEntries(Object.entries(metadata).filter(([field]) => !fields.includes(field)));
}

/**
 * From the signed file, as it is what clients resolve with.
 * @param from the name under which the repository was signed
 * @param to the name that it has here
 * @throws ImportProblem
 */
export function importedRequirements(
  dependencies: readonly RegistryDependency[],
  from: string,
  to: RepositoryName,
): readonly RequirementRow[] {
  const names = new Set(dependencies.map((dependency) => dependency.package));
  if (names.size < dependencies.length) throw new ImportProblem("it has the same dependency twice");
  return dependencies.map((dependency) => {
    const name = packageName(dependency.package);
    const given = dependency.repository ?? from;
    const repository = given === from ? to : repositoryName(given);
    const shown = JSON.stringify(dependency.package);
    if (name === undefined || repository === undefined) {
      throw new ImportProblem(`its dependency ${shown} has a name that nothing can have`);
    }
    const problem = requirementProblem(dependency.requirement);
    if (problem !== undefined) throw new ImportProblem(`its dependency ${shown}: ${problem}`);
    return {
      repository,
      package: name,
      app: dependency.app ?? dependency.package,
      requirement: dependency.requirement,
      optional: dependency.optional === true,
    };
  });
}
