/** What registry files that the books know nothing of say, beside what the database would have them say. */
import { packageName, trusted, version } from "../../hex/ids.ts";
import { objectKey } from "../../hex/keys.ts";
import type { FieldDifference } from "../../proto/compare/difference.ts";
import { compareFiles, type RegistryFile, revisionIn } from "../../proto/compare/files.ts";
import { readPublicKey } from "../../proto/public-key.ts";
import { decodePackage, encodePackage, type RegistryPackage } from "../../proto/registry.ts";
import type { RepositoryRow } from "../../store/queries/registry.ts";
import type { DesiredObject } from "../build/objects.ts";
import { desiredIndexes, desiredPackages } from "../check/desired.ts";
import { type Finding, foundFields } from "../check/finding.ts";
import { registryFile } from "../check/object.ts";
import type { GeneratorContext } from "../context.ts";
import type { Listed } from "../listing.ts";
import { inParallel } from "../parallel.ts";
import { signedPayload } from "../write/stored-file.ts";

export interface Contents {
  readonly revision: number;
  /** What differs, but for the revision. */
  readonly fields: Pick<Finding, "fields" | "moreFields">;
  /** Keys of tarballs and docs of releases that it names and the database does not know. */
  readonly lost: readonly string[];
}

/** @returns what the files among the objects say, by key; one that we did not sign says nothing. */
export async function readContents(
  context: GeneratorContext,
  repository: RepositoryRow,
  objects: readonly Listed[],
): Promise<ReadonlyMap<string, Contents>> {
  const files = objects.flatMap(({ key, object }) => {
    const kind = object && registryFile(object);
    return kind === undefined ? [] : [{ key, kind }];
  });
  const wanted = await wantedPayloads(context, repository, objects);
  const contents = new Map<string, Contents>();
  const publicKey = readPublicKey(context.signer.publicKeyPem);
  await inParallel(context.settings.concurrency, files, async ({ key, kind }) => {
    const stored = await context.publicStore.get(key);
    const payload = stored && signedPayload(stored.body, publicKey);
    if (payload === undefined) return;
    contents.set(key, contentsOf(repository, kind, payload, wanted.get(key)));
  });
  return contents;
}

/** Of the packages and policies among the objects; the indexes say what the packages do. */
async function wantedPayloads(
  context: GeneratorContext,
  repository: RepositoryRow,
  objects: readonly Listed[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const names = objects.flatMap(({ object }) => (object?.kind === "package" ? [object.package] : []));
  const desired: DesiredObject[] = [...(await desiredPackages(context, repository, names)).objects];
  if (objects.some(({ object }) => object?.kind === "policy")) {
    desired.push(...(await desiredIndexes(context, repository)).objects);
  }
  return new Map(
    desired.flatMap(({ key, object, source }) =>
      source.kind === "sign" && (object.kind === "package" || object.kind === "policy")
        ? [[key, source.payload] as const]
        : [],
    ),
  );
}

function contentsOf(
  repository: RepositoryRow,
  kind: RegistryFile,
  stored: Uint8Array,
  wanted: Uint8Array | undefined,
): Contents {
  const revision = revisionIn(kind, stored);
  if (kind !== "package") {
    const differences = kind === "policy" && wanted !== undefined ? compareFiles(kind, stored, wanted) : [];
    return { revision, fields: foundFields(withoutRevision(differences)), lost: [] };
  }
  const message = decodePackage(stored);
  const ours = wanted ?? encodePackage({ ...message, releases: [], advisories: [] });
  return {
    revision,
    fields: foundFields(withoutRevision(compareFiles(kind, stored, ours))),
    lost: lostKeys(repository, message, decodePackage(ours)),
  };
}

function* withoutRevision(differences: Iterable<FieldDifference>): Generator<FieldDifference> {
  for (const difference of differences) {
    const [first] = difference.path;
    if (first === undefined || !("field" in first) || first.field !== "revision") yield difference;
  }
}

function lostKeys(
  repository: RepositoryRow,
  stored: RegistryPackage,
  wanted: RegistryPackage,
): readonly string[] {
  const known = new Set(wanted.releases.map((release) => release.version));
  const name = trusted(packageName, stored.name);
  return stored.releases
    .filter((release) => !known.has(release.version))
    .flatMap((release) =>
      (["tarball", "docs"] as const).map((kind) =>
        objectKey(repository, { kind, package: name, version: trusted(version, release.version) }),
      ),
    );
}
