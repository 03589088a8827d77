/** Counters that are raised above what a store has seen, after the database was restored from a backup. */
import type { PackageName, PolicyName } from "../../hex/ids.ts";
import type { Transaction } from "../postgres/pool.ts";

/** At least these, whatever the database says. */
export interface Counters {
  readonly generation: number;
  /** Generation by id, of claims that this database may not have given. */
  readonly claims: ReadonlyMap<string, number>;
  readonly revision: number;
  readonly packages: ReadonlyMap<PackageName, number>;
  readonly policies: ReadonlyMap<PolicyName, number>;
}

/** Takes the claim from whoever holds it: what it builds was read before the counters were right. */
export async function raiseCounters(
  tx: Transaction,
  repositoryId: number,
  { generation, claims, revision, packages, policies }: Counters,
): Promise<void> {
  // Packages before the repository, as every change locks them.
  const names = [...packages.keys()].sort();
  await tx`
    insert into package_revisions (repository_id, name, revision)
    select ${repositoryId}, name, revision
    from unnest(${names as string[]}::text[], ${names.map((name) => packages.get(name) ?? 0)}::bigint[])
      with ordinality as seen (name, revision, position)
    order by position
    on conflict (repository_id, name) do update
      set revision = greatest(package_revisions.revision, excluded.revision)`;
  await tx`
    update policies p set revision = seen.revision
    from unnest(${[...policies.keys()] as string[]}::text[], ${[...policies.values()]}::bigint[]) as seen (name, revision)
    where p.repository_id = ${repositoryId} and p.name = seen.name and p.revision < seen.revision`;
  // With a change, as every revision has one.
  await tx`
    with repository as (
      update repositories set revision = greatest(revision, ${revision}) where id = ${repositoryId}
      returning name, revision
    )
    insert into changes (repository, look, revision) select name, true, revision from repository`;
  await tx`
    insert into leases (repository_id, generation) values (${repositoryId}, ${generation})
    on conflict (repository_id) do update
      set generation = greatest(leases.generation, excluded.generation) + 1, holder = null, expires_at = null`;
  await tx`
    insert into claims (id, repository_id, generation, holder)
    select id, ${repositoryId}, generation, 'adopted'
    from unnest(${[...claims.keys()]}::uuid[], ${[...claims.values()]}::bigint[]) as seen (id, generation)
    on conflict (id) do nothing`;
}
