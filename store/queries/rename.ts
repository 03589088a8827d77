/** Another name for an organization, its repository and its account. */
import type { PackageName, RepositoryName } from "../../hex/ids.ts";
import type { Queryable, Transaction } from "../postgres/pool.ts";
import { recordChange, recordChanges } from "./changes.ts";

export interface Renaming {
  readonly organizationId: number;
  readonly repositoryId: number;
  readonly from: RepositoryName;
  readonly to: RepositoryName;
}

/**
 * Renames all that carries the name, reserves the old one, and asks for a build of every package that is in the
 * repository or depends on it, and of every policy that names it. Needs the database's owner. The generator then writes
 * the repository below its new name and deletes what lies below the old one.
 * @throws a duplicate of Postgres when the new name was taken meanwhile.
 */
export async function renameOrganization(tx: Transaction, renaming: Renaming): Promise<void> {
  const { organizationId, repositoryId, from, to } = renaming;
  // Waits for publishes that are under way, which hold a key share of the row; later ones find the new name.
  await tx`update repositories set name = ${to}, updated_at = now() where id = ${repositoryId}`;
  await tx`update organizations set name = ${to}, updated_at = now() where id = ${organizationId}`;
  await tx`update users set username = ${to}, updated_at = now() where organization_id = ${organizationId}`;
  await tx`insert into reserved_names (name, reason) values (${from}, ${`now ${to}`})`;
  await renamePermissions(tx, from, to);
  await tx`update reserved_packages set repository = ${to} where repository = ${from}`;
  await tx`update changes set repository = ${to} where repository = ${from}`;
  const policies = await renamePolicies(tx, from, to);
  const dependents = await tx<{ repositoryId: number; names: PackageName[] }[]>`
    with renamed as (
      update requirements set repository = ${to} where repository = ${from} returning release_id
    )
    select p.repository_id as "repositoryId", array_agg(distinct p.name) as names
    from renamed q join releases r on r.id = q.release_id join packages p on p.id = r.package_id
    where p.repository_id <> ${repositoryId} group by p.repository_id`;
  for (const { repositoryId: other, names } of dependents) await recordChanges(tx, other, names);
  await recordChanges(tx, repositoryId, await packageNames(tx, repositoryId));
  for (const changed of new Set([...policies, repositoryId])) {
    await recordChange(tx, { repositoryId: changed, package: undefined });
  }
}

async function packageNames(sql: Queryable, repositoryId: number): Promise<readonly PackageName[]> {
  // Also those that are gone: files of theirs may still wait to be deleted.
  const rows = await sql<{ name: PackageName }[]>`
    select name from package_revisions where repository_id = ${repositoryId}`;
  return rows.map(({ name }) => name);
}

/** Keys go on opening what they did: `repository OLD`, `docs OLD`, `package OLD/NAME`. */
async function renamePermissions(tx: Transaction, from: string, to: string): Promise<void> {
  await tx`
    update keys set updated_at = now(), permissions = (
      select jsonb_agg(case
        when permission->>'domain' in ('repository', 'docs') and permission->>'resource' = ${from}
          then jsonb_set(permission, '{resource}', to_jsonb(${to}::text))
        when permission->>'domain' = 'package' and starts_with(permission->>'resource', ${`${from}/`})
          then jsonb_set(permission, '{resource}', to_jsonb(${`${to}/`}::text || substr(permission->>'resource', ${from.length + 2}::int)))
        else permission end order by position)
      from jsonb_array_elements(permissions) with ordinality as list (permission, position))
    where exists (
      select from jsonb_array_elements(permissions) as permission
      where permission->>'resource' = ${from} or starts_with(permission->>'resource', ${`${from}/`}))`;
}

/** What policies say of the repository, wherever they are. @returns the repositories whose policies have changed. */
async function renamePolicies(tx: Transaction, from: string, to: string): Promise<readonly number[]> {
  const rows = await tx<{ repositoryId: number }[]>`
    update policies set revision = revision + 1, updated_at = now(), document = jsonb_set(document, '{repositories}', (
      select jsonb_agg(case when entry->>'repository' = ${from}
        then jsonb_set(entry, '{repository}', to_jsonb(${to}::text)) else entry end order by position)
      from jsonb_array_elements(document->'repositories') with ordinality as list (entry, position)))
    where exists (
      select from jsonb_array_elements(document->'repositories') as entry where entry->>'repository' = ${from})
    returning repository_id as "repositoryId"`;
  return rows.map((row) => row.repositoryId);
}
