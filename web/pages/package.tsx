/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/**
 * A package: where the address leads that clients print after a publish. Of a private one outsiders are told that there is
 * none.
 */
import { notFound } from "../../api/http/errors.ts";
import { sortByVersion } from "../../hex/versions/sort.ts";
import { isPrerelease, parseVersion } from "../../hex/versions/version.ts";
import { fullPackageByName } from "../../store/queries/full-package.ts";
import { membershipRole } from "../../store/queries/memberships.ts";
import { type OwnedRepositoryRow, ownedRepository } from "../../store/queries/organizations.ts";
import { type ApiPackageRow, type ReleaseSummary, releaseSummaries } from "../../store/queries/packages.ts";
import { configs } from "../../views/configs.ts";
import { urlsOf } from "../../views/urls.ts";
import { Frame } from "../parts/frame.tsx";
import { Code, Time } from "../parts/text.tsx";
import { respondPage } from "../respond.ts";
import type { Visit } from "../visit.ts";

/** `/packages/NAME`, `/packages/NAME/VERSION`, and the same below a repository's name. */
export async function showPackage(visit: Visit): Promise<Response> {
  const { sql } = visit.deps;
  const { repositoryName, name, version } = addressed(visit);
  const repository = await ownedRepository(sql, repositoryName);
  const row =
    repository && (await mayRead(visit, repository)) && (await fullPackageByName(sql, repository.id, name));
  if (!repository || !row) throw notFound();
  const releases = await releaseSummaries(sql, [row.id]);
  const sorted = sortByVersion(releases, (release) => release.version).toReversed();
  const shown =
    version === undefined
      ? (sorted.find(isStable) ?? sorted[0])
      : sorted.find((one) => one.version === version);
  if (shown === undefined) throw notFound();
  const page = (
    <Frame visit={visit} title={`${row.name} ${shown.version}`}>
      <h1>
        {row.name} <em>{shown.version}</em>
      </h1>
      {row.meta.description ? <p class="lead">{row.meta.description}</p> : null}
      {shown.retirement === null ? null : (
        <p class="notice problem">
          Retired: {shown.retirement.reason}
          {shown.retirement.message === null ? "" : `, ${shown.retirement.message}`}
        </p>
      )}
      <Lines repository={repository} row={row} release={shown} />
      <Facts visit={visit} repository={repository} row={row} release={shown} owners={row.owners} />
      <Versions repository={repository} row={row} releases={sorted} />
    </Frame>
  );
  return respondPage(visit, page);
}

/** No package's name looks like a version, so that two parts of a path can be told apart. */
function addressed({ c, deps }: Visit) {
  const parts = c.req.path.split("/").slice(2);
  const own = deps.settings.repositoryName;
  const [first = "", second, third] = parts;
  const isOurs = second === undefined || parseVersion(second) !== undefined;
  return isOurs
    ? { repositoryName: own, name: first, version: second }
    : { repositoryName: first, name: second, version: third };
}

const isStable = ({ version }: ReleaseSummary): boolean => !isPrerelease(version);

async function mayRead({ user, deps }: Visit, repository: OwnedRepositoryRow): Promise<boolean> {
  if (repository.public) return true;
  const { organization } = repository;
  if (user === undefined || organization === null) return false;
  return (await membershipRole(deps.sql, organization.id, user.id)) !== undefined;
}

interface PartProps {
  readonly repository: OwnedRepositoryRow;
  readonly row: ApiPackageRow;
  readonly release: ReleaseSummary;
}

function Lines({ repository, row, release }: PartProps) {
  const { "mix.exs": mix = "", "rebar.config": rebar = "" } = configs(row.name, release.app, release.version);
  // In the words of the API it is of hexpm; here it has to be told where it is.
  const withRepository = mix.replace(/}$/, `, repo: "${repository.name}"}`);
  return (
    <>
      <h2>Depend on it</h2>
      <p>
        In <code>mix.exs</code>:
      </p>
      <Code label="Line for mix.exs">{withRepository}</Code>
      <p>
        In <code>rebar.config</code>:
      </p>
      <Code label="Line for rebar.config">{rebar}</Code>
    </>
  );
}

interface FactsProps extends PartProps {
  readonly visit: Visit;
  readonly owners: readonly { readonly username: string }[];
}

function Facts({ visit, repository, row, release, owners }: FactsProps) {
  const { licenses = [], links = {} } = row.meta;
  const urls = urlsOf(visit.deps.settings, repository.name);
  return (
    <dl class="facts">
      <div>
        <dt>Licences</dt>
        <dd>{licenses.length === 0 ? "none given" : licenses.join(", ")}</dd>
      </div>
      <div>
        <dt>Published</dt>
        <dd>
          <Time at={release.insertedAt} />
        </dd>
      </div>
      <div>
        <dt>Owners</dt>
        <dd>
          {owners.map(({ username }) => (
            <>
              <a href={`/users/${username}`}>{username}</a>{" "}
            </>
          ))}
        </dd>
      </div>
      {Object.entries(links).map(([label, link]) => (
        <div>
          <dt>{label}</dt>
          <dd>
            {/* Whoever publishes chooses it: it gets no hint of where its reader comes from, and no vote of ours. */}
            <a href={link} rel="nofollow noopener noreferrer">
              {link}
            </a>
          </dd>
        </div>
      ))}
      {release.hasDocs ? (
        <div>
          <dt>Documentation</dt>
          <dd>
            <a href={urls.docsPage(row.name)}>{urls.docsPage(row.name)}</a>
          </dd>
        </div>
      ) : null}
    </dl>
  );
}

function Versions({
  repository,
  row,
  releases,
}: Omit<PartProps, "release"> & { readonly releases: readonly ReleaseSummary[] }) {
  const base = repository.public ? `/packages/${row.name}` : `/packages/${repository.name}/${row.name}`;
  return (
    <>
      <h2>Versions</h2>
      <ul class="rows">
        {releases.map((release) => (
          <li>
            <h3>
              <a href={`${base}/${release.version}`}>{release.version}</a>
            </h3>
            <span class="quiet">
              <Time at={release.insertedAt} />
              {release.retirement === null ? "" : " · retired"}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
