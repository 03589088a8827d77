/** What the dependencies of a package are judged by, looked up. */
import { ownedRepository } from "../../store/queries/organizations.ts";
import { existingPackages } from "../../store/queries/packages.ts";
import type { Call, RepositoryRow } from "../call.ts";
import type { RequirementContext } from "../rules/requirements.ts";

/** @param names of the packages that are required */
export async function requirementContext(
  call: Call,
  repository: RepositoryRow,
  names: readonly string[],
): Promise<RequirementContext> {
  const { sql, settings } = call.deps;
  const own = { name: repository.name, existing: await existingPackages(sql, repository.id, names) };
  const external = settings.externalRepositories;
  if (repository.public) return { public: own, external };
  const parent = await ownedRepository(sql, settings.repositoryName);
  if (parent === undefined) throw new TypeError("there is no public repository");
  const existing = await existingPackages(sql, parent.id, names);
  return { public: { name: parent.name, existing }, external, current: own };
}
