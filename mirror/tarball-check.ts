/** The checks of one tarball against what the registry says of it. */
import { createHash } from "node:crypto";
import { TarballError, type TarballErrorCode } from "../hex/tarball/errors.ts";
import { readTarballMetadata } from "../hex/tarball/tarball.ts";
import type { RegistryRelease } from "../proto/registry.ts";
import type { RepositoryReader } from "./reader.ts";
import type { Findings } from "./report.ts";

// What a publish may have, and some air for what other registries accept.
export const LARGEST_TARBALL = 64 << 20;
// Other clients may be less strict about these than we are; about the rest they are not.
const STRICTER: readonly TarballErrorCode[] = ["too_big", "entry_invalid", "metadata_invalid"];

/** @param key of the tarball of this release */
export async function checkTarball(
  reader: RepositoryReader,
  findings: Findings,
  key: string,
  name: string,
  release: RegistryRelease,
): Promise<void> {
  const object = await reader.read(key, LARGEST_TARBALL);
  if (object === undefined) return;
  reader.checkHeaders(key, object);
  const outer = createHash("sha256").update(object.body).digest();
  if (release.outerChecksum !== undefined && !outer.equals(release.outerChecksum)) {
    findings.error(key, "checksum", "the tarball has another SHA-256 than the registry says");
    return;
  }
  try {
    checkHead(findings, key, name, release, readTarballMetadata(object.body));
  } catch (error) {
    if (!(error instanceof TarballError)) throw error;
    if (error.code === "checksum_mismatch") findings.error(key, "checksum", error.message);
    else if (STRICTER.includes(error.code)) findings.warning(key, "tarball", error.message);
    else findings.error(key, "tarball", error.message);
  }
}

function checkHead(
  findings: Findings,
  key: string,
  name: string,
  release: RegistryRelease,
  head: ReturnType<typeof readTarballMetadata>,
): void {
  if (!head.innerChecksum.equals(release.innerChecksum)) {
    findings.error(key, "checksum", "the tarball has another inner checksum than the registry says");
  }
  // Registries that go by file names do not look into them.
  const { name: ownName, version: ownVersion } = head.metadata;
  if (ownName !== name || ownVersion !== release.version) {
    const said = `${JSON.stringify(ownName)} ${JSON.stringify(ownVersion)}`;
    findings.error(key, "tarball", `its metadata name another release: ${said}`);
  }
}
