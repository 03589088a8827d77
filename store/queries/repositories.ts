/** Repositories: one public, and later those of organizations. */
import type { RepositoryName } from "../../hex/ids.ts";
import type { Sql, Transaction } from "../postgres/pool.ts";
import { recordChange } from "./changes.ts";
import { type RepositoryRow, repositoryByName } from "./registry.ts";

/**
 * Makes the public repository when it is not there, with a change that gives it its empty files at once.
 * Safe when several processes start together.
 */
export async function ensurePublicRepository(sql: Sql, name: RepositoryName): Promise<RepositoryRow> {
  // First, as there is nothing to write then, and Postgres may take no writes.
  const there = await repositoryByName(sql, name);
  if (there !== undefined) return there;
  await sql.begin(async (tx) => {
    const [made] = await tx<{ id: number }[]>`
      insert into repositories (name, public) values (${name}, true) on conflict do nothing returning id`;
    if (made !== undefined) await recordChange(tx, { repositoryId: made.id, package: undefined });
  });
  const row = await repositoryByName(sql, name);
  if (row === undefined) throw new TypeError(`no repository ${name}`);
  return row;
}

/** @returns the repository's name, which nobody changes before the transaction ends. */
export async function heldRepositoryName(tx: Transaction, id: number): Promise<string | undefined> {
  const [row] = await tx<{ name: string }[]>`select name from repositories where id = ${id} for key share`;
  return row?.name;
}
