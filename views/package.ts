/** Packages in answers. */
import { sortByVersion } from "../hex/versions/sort.ts";
import { isPrerelease } from "../hex/versions/version.ts";
import type { PackageAdvisory } from "../store/queries/advisories.ts";
import type { PackageDownloads } from "../store/queries/downloads.ts";
import type { ApiPackageRow, ReleaseSummary } from "../store/queries/packages.ts";
import type { UserReference } from "../store/queries/users.ts";
import { advisoriesView } from "./advisory.ts";
import { configs } from "./configs.ts";
import { packageDownloadsView } from "./downloads.ts";
import { instant } from "./instant.ts";
import type { Urls } from "./urls.ts";
import { userReference } from "./user.ts";

/** @param app of the release whose lines are shown; lists use the package's name */
function packageView(
  repository: string,
  row: ApiPackageRow,
  releases: readonly ReleaseSummary[],
  downloads: PackageDownloads | undefined,
  urls: Urls,
  appOf: (version: string) => string,
) {
  const sorted = sortByVersion(releases, (release) => release.version).reverse();
  const latest = sorted[0]?.version ?? "0.0.0";
  const stable = sorted.find(({ version }) => !isPrerelease(version))?.version ?? null;
  const shown = stable ?? latest;
  const retired = sorted.filter((release) => release.retirement !== null);
  return {
    repository,
    name: row.name,
    inserted_at: instant(row.insertedAt),
    updated_at: instant(row.updatedAt),
    url: urls.package(row.name),
    html_url: urls.packagePage(row.name),
    docs_html_url: releases.some((release) => release.hasDocs) ? urls.docsPage(row.name) : null,
    latest_version: latest,
    latest_stable_version: stable,
    configs: configs(row.name, appOf(shown), shown, urls.privateRepository),
    meta: {
      description: row.meta.description ?? null,
      licenses: row.meta.licenses ?? [],
      links: row.meta.links ?? {},
      maintainers: row.meta.maintainers ?? [],
    },
    releases: sorted.map((release) => ({
      version: release.version,
      url: `${urls.package(row.name)}/releases/${release.version}`,
      has_docs: release.hasDocs,
      inserted_at: instant(release.insertedAt),
    })),
    retirements: Object.fromEntries(retired.map((release) => [release.version, release.retirement])),
    downloads: packageDownloadsView(downloads),
  };
}

export function packageInList(
  repository: string,
  row: ApiPackageRow,
  releases: readonly ReleaseSummary[],
  downloads: PackageDownloads | undefined,
  urls: Urls,
): object {
  const view = packageView(repository, row, releases, downloads, urls, () => row.name);
  // rebar3 prints the results of a search without a look at what this is.
  return { ...view, meta: { ...view.meta, description: view.meta.description ?? "" } };
}

export function packageAlone(
  repository: string,
  row: ApiPackageRow,
  releases: readonly ReleaseSummary[],
  owners: readonly UserReference[],
  advisories: readonly PackageAdvisory[],
  downloads: PackageDownloads | undefined,
  urls: Urls,
): object {
  const appOf = (version: string) => releases.find((release) => release.version === version)?.app ?? row.name;
  return {
    ...packageView(repository, row, releases, downloads, urls, appOf),
    owners: owners.map((owner) => userReference(owner, urls)),
    security_advisories: advisoriesView(advisories),
  };
}
