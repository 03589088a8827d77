/** What a registry says of a release, read out of its tarball. */
import { readFileSync } from "node:fs";
import {
  type PackageName,
  packageName,
  type RepositoryName,
  repositoryName,
  type Sha256,
  sha256,
  trusted,
} from "../../hex/ids.ts";
import type { MetadataRequirement } from "../../hex/metadata/requirements.ts";
import { TarballError } from "../../hex/tarball/errors.ts";
import { readTarballMetadata, type TarballHead } from "../../hex/tarball/tarball.ts";
import { isValidRequirement } from "../../hex/versions/requirement.ts";
import { LARGEST_TARBALL } from "../../mirror/tarball-check.ts";
import type { TarballFile } from "./tarballs.ts";

export interface TarballRequirement {
  readonly package: PackageName;
  readonly requirement: string;
  readonly app: string;
  readonly optional: boolean;
  /** Null where the tarball leaves open which one it means. */
  readonly repository: RepositoryName | null;
}

export interface TarballRelease {
  readonly innerChecksum: Sha256;
  readonly outerChecksum: Sha256;
  readonly requirements: readonly TarballRequirement[];
}

/** Why a tarball is no release of its package. The message says what to do. */
export class ReleaseProblem extends Error {
  override readonly name = "ReleaseProblem";
}

// What hex.pm writes for none.
const ANY_VERSION = ">= 0.0.0";

/** @throws ReleaseProblem */
export function readRelease(name: PackageName, file: TarballFile): TarballRelease {
  const head = openTarball(file);
  const { name: ownName, version: ownVersion } = head.metadata;
  if (ownName !== name || ownVersion !== file.version) {
    const own = `${JSON.stringify(ownName)} ${JSON.stringify(ownVersion)}`;
    throw new ReleaseProblem(`its metadata name ${own}; call the file after them`);
  }
  const { requirements = [] } = head.metadata;
  if (requirements === "malformed") {
    throw new ReleaseProblem("its requirements are not a list of maps; build the package anew");
  }
  return {
    innerChecksum: trusted(sha256, head.innerChecksum.toString("hex")),
    outerChecksum: head.outerChecksum,
    requirements: requirements.map(readRequirement),
  };
}

function openTarball({ path, identity }: TarballFile): TarballHead {
  if (identity.size > LARGEST_TARBALL) {
    throw new ReleaseProblem(`has more than ${LARGEST_TARBALL} bytes, and no client takes it`);
  }
  try {
    return readTarballMetadata(readFileSync(path), { limits: { compressed: LARGEST_TARBALL } });
  } catch (error) {
    if (error instanceof TarballError) {
      throw new ReleaseProblem(`${error.message}; copy it again, or build the package anew`, {
        cause: error,
      });
    }
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new ReleaseProblem(`cannot be read: ${message}`, { cause: error });
  }
}

function readRequirement(given: MetadataRequirement): TarballRequirement {
  const name = packageName(given.name);
  const requirement = given.requirement ?? ANY_VERSION;
  const app = given.app ?? given.name;
  const repository = given.repository ?? null;
  const optional = given.optional ?? false;
  const bad = (what: string) =>
    new ReleaseProblem(
      `its dependency ${JSON.stringify(given.name)} has ${what}; mend the package and build it anew`,
    );
  if (name === undefined) throw bad("a name that no package can have");
  if (typeof requirement !== "string" || !isValidRequirement(requirement)) {
    throw bad(`the requirement ${JSON.stringify(requirement)}, which is none`);
  }
  if (typeof app !== "string") throw bad("an app that is not text");
  if (typeof optional !== "boolean") throw bad("an `optional` that is neither true nor false");
  const parsed = typeof repository === "string" ? repositoryName(repository) : undefined;
  if (repository !== null && parsed === undefined) throw bad("a repository that cannot exist");
  return { package: name, requirement, app, optional, repository: parsed ?? null };
}
