/** The checks of one `packages/NAME` and of its tarballs. */
import { createHash } from "node:crypto";
import { version } from "../hex/ids.ts";
import { TarballError } from "../hex/tarball/errors.ts";
import { readTarballMetadata } from "../hex/tarball/tarball.ts";
import { compareVersions } from "../hex/versions/version.ts";
import type { RegistryPackage, RegistryRelease } from "../proto/registry.ts";
import type { RepositoryReader } from "./reader.ts";
import type { Findings } from "./report.ts";

const CHECKSUM_BYTES = 32;
// What a publish may have, and some air for what other registries accept.
const LARGEST_TARBALL = 64 << 20;

export function checkPackage(findings: Findings, key: string, file: RegistryPackage): void {
  if (file.releases.length === 0) findings.error(key, "empty", "the package has no release");
  checkVersions(
    findings,
    key,
    file.releases.map((release) => release.version),
  );
  for (const release of file.releases) checkRelease(findings, key, file, release);
}

/** Valid, ascending, none twice. */
export function checkVersions(findings: Findings, key: string, versions: readonly string[]): void {
  const invalid = versions.filter((text) => version(text) === undefined);
  for (const text of invalid) findings.error(key, "version", `${JSON.stringify(text)} is not a version`);
  if (invalid.length > 0) return;
  for (let index = 1; index < versions.length; index++) {
    const [before = "", after = ""] = versions.slice(index - 1, index + 1);
    if (compareVersions(before, after) >= 0) findings.error(key, "order", `${after} comes after ${before}`);
  }
}

function checkRelease(
  findings: Findings,
  key: string,
  file: RegistryPackage,
  release: RegistryRelease,
): void {
  const { version: text, innerChecksum, outerChecksum } = release;
  if (innerChecksum.length !== CHECKSUM_BYTES)
    findings.error(key, "checksum", `${text}: inner checksum of wrong length`);
  if (outerChecksum?.length !== CHECKSUM_BYTES)
    findings.error(key, "checksum", `${text}: no outer checksum of 32 bytes`);
  for (const index of release.advisoryIndexes) {
    if (index >= file.advisories.length)
      findings.error(key, "indexes", `${text}: there is no advisory ${index}`);
  }
  const explicit = release.dependencies.filter((dependency) => dependency.optional === false);
  if (explicit.length > 0) {
    const names = explicit.map((dependency) => dependency.package).join(", ");
    findings.warning(key, "gleam-optional", `${text}: optional=false is written for ${names}`);
  }
}

/** @param name as the file's key has it */
export async function checkTarball(
  reader: RepositoryReader,
  findings: Findings,
  key: string,
  release: RegistryRelease,
): Promise<void> {
  const object = await reader.read(key, LARGEST_TARBALL);
  if (object === undefined) return;
  reader.checkEtag(key, object.headers);
  const outer = createHash("sha256").update(object.body).digest();
  if (release.outerChecksum !== undefined && !outer.equals(release.outerChecksum)) {
    findings.error(key, "checksum", "the tarball has another SHA-256 than the registry says");
    return;
  }
  try {
    const head = readTarballMetadata(object.body);
    if (!head.innerChecksum.equals(release.innerChecksum)) {
      findings.error(key, "checksum", "the tarball has another inner checksum than the registry says");
    }
  } catch (error) {
    if (!(error instanceof TarballError)) throw error;
    // Clients that read it differently will; the bytes are those that were signed.
    findings.warning(key, "tarball", error.message);
  }
}
