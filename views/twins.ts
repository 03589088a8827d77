/**
 * The API's answers as files: what of them follows from the package alone. Owners, publishers and downloads change
 * without the package, so they are left out.
 */
import type { PackageAdvisory } from "../store/queries/advisories.ts";
import type { ApiPackageRow, ReleaseSummary } from "../store/queries/packages.ts";
import { advisoriesView } from "./advisory.ts";
import { packageAlone } from "./package.ts";
import { type ReleaseParts, releaseView } from "./release.ts";
import type { Urls } from "./urls.ts";

/** @returns what `GET /packages/NAME` answers, without owners and downloads. */
export function packageTwin(
  repository: string,
  row: ApiPackageRow,
  releases: readonly ReleaseSummary[],
  advisories: readonly PackageAdvisory[],
  urls: Urls,
): object {
  const view = packageAlone(repository, row, releases, [], advisories, undefined, urls);
  return without(view, ["owners", "downloads"]);
}

/** @returns what `GET /packages/NAME/releases/VERSION` answers, without publisher and downloads. */
export function releaseTwin(
  parts: Omit<ReleaseParts, "publisher">,
  advisories: readonly PackageAdvisory[],
  urls: Urls,
): object {
  const view = releaseView({ ...parts, publisher: null }, urls);
  return {
    ...without(view, ["publisher"]),
    security_advisories: advisoriesView(advisories, parts.release.version),
  };
}

function without(view: object, fields: readonly string[]): object {
  return Object.fromEntries(Object.entries(view).filter(([field]) => !fields.includes(field)));
}
