/** Organizations, and the repositories that are theirs. */
import type { RepositoryName } from "../../hex/ids.ts";
import type { Micros } from "../../schemas/time.ts";
import type { Queryable, Transaction } from "../postgres/pool.ts";
import { recordChange } from "./changes.ts";
import type { RepositoryRow } from "./registry.ts";

export interface OrganizationRow {
  readonly id: number;
  readonly name: string;
  readonly billingActive: boolean;
  /** How many members it may have; null: as many as it likes. */
  readonly seats: number | null;
  /** The account with which it owns and publishes packages; null in a database that lacks it. */
  readonly accountId: number | null;
  readonly insertedAt: Micros;
  readonly updatedAt: Micros;
}

const organizationColumns = (sql: Queryable) => sql`
  o.id, o.name, o.billing_active as "billingActive", o.seats,
  (select a.id from users a where a.organization_id = o.id) as "accountId",
  o.inserted_at as "insertedAt", o.updated_at as "updatedAt"`;

export async function organizationByName(sql: Queryable, name: string): Promise<OrganizationRow | undefined> {
  const [row] = await sql<OrganizationRow[]>`
    select ${organizationColumns(sql)} from organizations o where o.name = ${name}`;
  return row;
}

export async function organizationById(sql: Queryable, id: number): Promise<OrganizationRow | undefined> {
  const [row] = await sql<OrganizationRow[]>`
    select ${organizationColumns(sql)} from organizations o where o.id = ${id}`;
  return row;
}

/** @returns the organization as it is under a lock, which others that change members or seats wait for. */
export async function lockOrganization(tx: Transaction, id: number): Promise<OrganizationRow | undefined> {
  const [row] = await tx<OrganizationRow[]>`
    select ${organizationColumns(tx)} from organizations o where o.id = ${id} for update`;
  return row;
}

export function allOrganizations(sql: Queryable): Promise<readonly OrganizationRow[]> {
  return sql<OrganizationRow[]>`
    select ${organizationColumns(sql)} from organizations o order by o.name collate "C"`;
}

/** @returns those that the user is a member of, by name. */
export function organizationsOf(
  sql: Queryable,
  userId: number,
): Promise<readonly (OrganizationRow & { readonly role: string })[]> {
  return sql<(OrganizationRow & { role: string })[]>`
    select ${organizationColumns(sql)}, m.role from organizations o join memberships m on m.organization_id = o.id
    where m.user_id = ${userId} order by o.name collate "C"`;
}

/** @returns whether a repository, an organization or an account has the name, or an organization once had it. */
export async function isNameTaken(sql: Queryable, name: string): Promise<boolean> {
  const rows = await sql`
    select from organizations where name = ${name}
    union all select from users where username = ${name}
    union all select from reserved_names where name = ${name}
    union all select from repositories where name = ${name} limit 1`;
  return rows.length > 0;
}

/**
 * Makes an organization with its account and its private repository, which gets its empty files at once.
 * @throws a duplicate of Postgres when one of the names has been taken meanwhile.
 */
export async function insertOrganization(tx: Transaction, name: RepositoryName): Promise<OrganizationRow> {
  const [made] = await tx<{ id: number }[]>`insert into organizations (name) values (${name}) returning id`;
  if (made === undefined) throw new TypeError("insert returned no row");
  await tx`insert into users (username, organization_id) values (${name}, ${made.id})`;
  const [repository] = await tx<{ id: number }[]>`
    insert into repositories (name, public, organization_id) values (${name}, false, ${made.id}) returning id`;
  if (repository === undefined) throw new TypeError("insert returned no row");
  const row = await organizationById(tx, made.id);
  if (row === undefined) throw new TypeError("the organization that was just made is not there");
  await recordChange(tx, { repositoryId: repository.id, package: undefined });
  return row;
}

export async function setSeats(tx: Transaction, id: number, seats: number): Promise<void> {
  await tx`update organizations set seats = ${seats}, updated_at = now() where id = ${id}`;
}

/** A repository with the organization that it belongs to; null for the public one. */
export interface OwnedRepositoryRow extends RepositoryRow {
  readonly organization: {
    readonly id: number;
    readonly name: string;
    readonly billingActive: boolean;
  } | null;
  readonly insertedAt: Micros;
  readonly updatedAt: Micros;
}

const repositoryColumns = (sql: Queryable) => sql`
  r.id, r.name, r.public, r.revision, r.inserted_at as "insertedAt", r.updated_at as "updatedAt",
  case when o.id is null then null
    else jsonb_build_object('id', o.id, 'name', o.name, 'billingActive', o.billing_active) end as organization`;

export async function ownedRepository(sql: Queryable, name: string): Promise<OwnedRepositoryRow | undefined> {
  const [row] = await sql<OwnedRepositoryRow[]>`
    select ${repositoryColumns(sql)} from repositories r left join organizations o on o.id = r.organization_id
    where r.name = ${name}`;
  return row;
}

/** @returns the private repositories of these organizations, by name. */
export function repositoriesOf(
  sql: Queryable,
  organizationIds: readonly number[],
): Promise<readonly OwnedRepositoryRow[]> {
  return sql<OwnedRepositoryRow[]>`
    select ${repositoryColumns(sql)} from repositories r join organizations o on o.id = r.organization_id
    where not r.public and o.id = any(${organizationIds as number[]}::bigint[]) order by r.name collate "C"`;
}
