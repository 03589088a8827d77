/** The repository that the settings name, in the database. */
import type { RepositoryName } from "../../hex/ids.ts";
import { SkepError } from "../../schemas/errors.ts";
import type { Sql } from "../../store/postgres/pool.ts";
import { allRepositories, type RepositoryRow } from "../../store/queries/registry.ts";
import { ensurePublicRepository } from "../../store/queries/repositories.ts";

/**
 * Makes it in a database that has none.
 * @throws SkepError `config_invalid` when the database has another one: both would lie at the root of one
 *   store, and signed files carry the name.
 */
export async function requireRepository(sql: Sql, name: RepositoryName): Promise<RepositoryRow> {
  const other = (await allRepositories(sql)).find((row) => row.public && row.name !== name);
  if (other !== undefined) {
    throw new SkepError(
      "config_invalid",
      `this database holds the repository ${other.name}, but SKEP_REPOSITORY is ${name}; a repository cannot be renamed`,
    );
  }
  return ensurePublicRepository(sql, name);
}
