/** Releases in answers. */
import type { RequirementRow } from "../store/queries/registry.ts";
import type { ApiReleaseRow } from "../store/queries/releases.ts";
import type { UserReference } from "../store/queries/users.ts";
import { configs } from "./configs.ts";
import { instant } from "./instant.ts";
import type { Urls } from "./urls.ts";
import { userReference } from "./user.ts";

export interface ReleaseParts {
  readonly packageName: string;
  readonly release: ApiReleaseRow;
  readonly requirements: readonly RequirementRow[];
  readonly publisher: UserReference | null;
}

export function releaseView(
  { packageName, release, requirements, publisher }: ReleaseParts,
  urls: Urls,
): object {
  const { version, meta } = release;
  return {
    version,
    checksum: release.checksum,
    has_docs: release.hasDocs,
    inserted_at: instant(release.insertedAt),
    updated_at: instant(release.updatedAt),
    retirement: release.retirement,
    package_url: urls.package(packageName),
    url: `${urls.package(packageName)}/releases/${version}`,
    html_url: `${urls.packagePage(packageName)}/${version}`,
    docs_html_url: release.hasDocs ? urls.docsPage(packageName, version) : null,
    requirements: Object.fromEntries(
      requirements.map((row) => [
        row.package,
        { app: row.app, requirement: row.requirement, optional: row.optional },
      ]),
    ),
    configs: configs(packageName, meta.app, version, urls.privateRepository),
    meta: { app: meta.app, build_tools: meta.build_tools, elixir: meta.elixir ?? null },
    publisher: publisher === null ? null : userReference(publisher, urls),
  };
}
