/** What a path names. */
import { version } from "../../hex/ids.ts";
import { type Micros, micros } from "../../schemas/time.ts";
import { type ApiPackageRow, packageByName } from "../../store/queries/packages.ts";
import { repositoryByName } from "../../store/queries/registry.ts";
import { type ApiReleaseRow, releaseByVersion } from "../../store/queries/releases.ts";
import { type Call, pathParameter, type RepositoryRow, textParameter } from "../call.ts";
import { badRequest, notFound } from "../http/errors.ts";

export function now(call: Call): Micros {
  return micros(call.deps.clock().getTime() * 1000);
}

/** @returns the repository of the path, or the public one. @throws ApiError 404 */
export async function findRepository(call: Call): Promise<RepositoryRow> {
  const own = call.deps.settings.repositoryName;
  // Private repositories come with organizations; until then there is one.
  if ((textParameter(call, "repository") ?? own) !== own) throw notFound();
  const repository = await repositoryByName(call.deps.sql, own);
  if (repository === undefined) throw notFound();
  return repository;
}

export interface PackageTarget {
  readonly repository: RepositoryRow;
  /** Undefined when there is no such package: some routes authorise before they say so. */
  readonly package: ApiPackageRow | undefined;
}

export async function findTarget(call: Call): Promise<PackageTarget> {
  const repository = await findRepository(call);
  return {
    repository,
    package: await packageByName(call.deps.sql, repository.id, pathParameter(call, "name")),
  };
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
  if (target.package === undefined) throw notFound();
  const release = await releaseByVersion(call.deps.sql, target.package.id, text);
  if (release === undefined) throw notFound();
  return { repository: target.repository, package: target.package, release };
}

/** @throws ApiError 404 */
export function requirePackage(target: PackageTarget): PackageTarget & { readonly package: ApiPackageRow } {
  if (target.package === undefined) throw notFound();
  return { ...target, package: target.package };
}
