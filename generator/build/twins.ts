/**
 * The API's answers about a package as JSON files, for clients that resolve with them: gleam asks for each package and
 * release that it installs. Only of public repositories, as nobody is asked who reads a file.
 */
import { objectKey, type RepositoryObject } from "../../hex/keys.ts";
import type { PackageRow, RepositoryRow } from "../../store/queries/registry.ts";
import type { TwinRow } from "../../store/queries/twins.ts";
import { packageTwin, releaseTwin } from "../../views/twins.ts";
import type { Urls } from "../../views/urls.ts";
import { type DesiredObject, hashOf } from "./objects.ts";
import { compareText } from "./order.ts";

/** @param row with the releases that may be published @returns one object for the package and one for each of them. */
export function twinObjects(
  repository: RepositoryRow,
  row: PackageRow,
  twin: TwinRow | undefined,
  urls: Urls,
): readonly DesiredObject[] {
  if (!repository.public || twin === undefined || row.releases.length === 0) return [];
  const releases = row.releases.flatMap((release) => {
    const shown = twin.releases.get(release.version);
    return shown === undefined ? [] : [{ release, shown }];
  });
  const advisories = row.advisories ?? [];
  const whole = packageTwin(
    repository.name,
    twin.package,
    releases.map(({ release, shown }) => ({
      packageId: twin.package.id,
      version: release.version,
      hasDocs: release.docs !== null,
      retirement: release.retirement,
      insertedAt: release.insertedAt,
      app: shown.meta.app,
    })),
    advisories,
    urls,
  );
  return [
    jsonObject(repository, { kind: "package_json", package: row.name }, whole),
    ...releases.map(({ release, shown }) => {
      const parts = {
        packageName: row.name,
        release: {
          id: shown.id,
          version: release.version,
          checksum: release.outerChecksum,
          hasDocs: release.docs !== null,
          meta: shown.meta,
          retirement: release.retirement,
          publisherId: null,
          insertedAt: release.insertedAt,
          updatedAt: shown.updatedAt,
        },
        requirements: [...release.requirements].sort((a, b) => compareText(a.package, b.package)),
      };
      const object = { kind: "release_json", package: row.name, version: release.version } as const;
      return jsonObject(repository, object, releaseTwin(parts, advisories, urls));
    }),
  ];
}

function jsonObject(
  repository: RepositoryRow,
  object: Extract<RepositoryObject, { readonly kind: "package_json" | "release_json" }>,
  view: object,
): DesiredObject {
  const bytes = Buffer.from(JSON.stringify(view));
  return {
    key: objectKey(repository, object),
    object,
    package: object.package,
    payloadHash: hashOf(bytes),
    keyFingerprint: null,
    revision: null,
    source: { kind: "bytes", bytes },
  };
}
