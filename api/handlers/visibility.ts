/** Which repositories a caller gets to see. */
import { organizationsOf, repositoriesOf } from "../../store/queries/organizations.ts";
import { authorize } from "../auth/authorization.ts";
import type { Call, RepositoryRow } from "../call.ts";
import { namesRepository, requireRepository } from "./lookup.ts";

/** @returns the one repository that is named, or all of which the caller may see the packages. */
export async function visibleRepositories(call: Call): Promise<readonly RepositoryRow[]> {
  const repository = await requireRepository(call);
  await authorize(call, { repository });
  if (namesRepository(call)) return [repository];
  return [repository, ...(await ownRepositories(call))];
}

/** @returns the private repositories of the caller, by name. */
export async function ownRepositories(call: Call): Promise<readonly RepositoryRow[]> {
  const { principal } = call;
  const { sql } = call.deps;
  switch (principal.kind) {
    case "none":
      return [];
    case "organization":
      return repositoriesOf(sql, [principal.organization.id]);
    case "user": {
      const organizations = await organizationsOf(sql, principal.user.id);
      return repositoriesOf(
        sql,
        organizations.map(({ id }) => id),
      );
    }
  }
}

/** A cache that many share must not keep what only some may see. */
export function cacheOf(shown: readonly RepositoryRow[]): { readonly cache?: "private" } {
  return shown.every((repository) => repository.public) ? {} : { cache: "private" };
}
