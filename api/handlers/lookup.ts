/** What a path names. */
import { version } from "../../hex/ids.ts";
import {
  type OrganizationRow,
  organizationByName,
  ownedRepository,
} from "../../store/queries/organizations.ts";
import { type ApiPackageRow, packageByName } from "../../store/queries/packages.ts";
import { type ApiReleaseRow, releaseByVersion } from "../../store/queries/releases.ts";
import { type Call, pathParameter, type RepositoryRow, textParameter } from "../call.ts";
import { badRequest, notFound } from "../http/errors.ts";

/** @returns whether the request says which repository it is about, well or badly. */
export function namesRepository(call: Call): boolean {
  return call.params.repository !== undefined;
}

/** @returns the repository that is named, or the public one; undefined when there is no such repository. */
export async function findRepository(call: Call): Promise<RepositoryRow | undefined> {
  const { sql, settings } = call.deps;
  if (!namesRepository(call)) return ownedRepository(sql, settings.repositoryName);
  // A blank name is none: taken for a missing one, it would make public what was meant for a private repository.
  const name = textParameter(call, "repository");
  return name === undefined ? undefined : ownedRepository(sql, name);
}

/** @throws ApiError 404 */
export async function requireRepository(call: Call): Promise<RepositoryRow> {
  const repository = await findRepository(call);
  if (repository === undefined) throw notFound();
  return repository;
}

/**
 * The public repository belongs to nobody, but clients know an organization of its name.
 * @returns the organization of the path.
 * @throws ApiError 404
 */
export async function findOrganization(call: Call): Promise<OrganizationRow | "everybody"> {
  const name = pathParameter(call, "organization");
  if (name === call.deps.settings.repositoryName) return "everybody";
  const organization = await organizationByName(call.deps.sql, name);
  if (organization === undefined) throw notFound();
  return organization;
}

export interface PackageTarget {
  /** Undefined when there is no such repository, and then there is no package either. */
  readonly repository: RepositoryRow | undefined;
  /** Undefined when there is no such package: some routes authorise before they say so. */
  readonly package: ApiPackageRow | undefined;
}

export async function findTarget(call: Call): Promise<PackageTarget> {
  return targetOf(call, pathParameter(call, "name"));
}

/** @returns the package of that name in the repository that the request names. */
export async function targetOf(call: Call, name: string): Promise<PackageTarget> {
  const repository = await findRepository(call);
  const row = repository && (await packageByName(call.deps.sql, repository.id, name));
  return { repository, package: row };
}

export interface ReleaseTarget {
  readonly repository: RepositoryRow;
  readonly package: ApiPackageRow;
  readonly release: ApiReleaseRow;
}

/** @throws ApiError 400 for what is no version */
export function requireVersion(call: Call): string {
  const text = pathParameter(call, "version");
  if (version(text) === undefined) throw badRequest(`invalid version: ${text}`);
  return text;
}

/** @throws ApiError 404 */
export async function requireRelease(
  call: Call,
  target: PackageTarget,
  text: string,
): Promise<ReleaseTarget> {
  const { repository, package: row } = requirePackage(target);
  const release = await releaseByVersion(call.deps.sql, row.id, text);
  if (release === undefined) throw notFound();
  return { repository, package: row, release };
}

/** @throws ApiError 404 */
export function requirePackage({
  repository,
  package: row,
}: PackageTarget): Pick<ReleaseTarget, "repository" | "package"> {
  if (repository === undefined || row === undefined) throw notFound();
  return { repository, package: row };
}
