/** Who is a member of an organization, and what that allows. */
import type { Queryable, Transaction } from "../postgres/pool.ts";
import type { OwnerLevel } from "./owners.ts";
import { type UserRow, usersById } from "./users.ts";

/** In ascending order of what they allow. */
export const ROLES = ["read", "write", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** @returns whether somebody with the role may do what the other one is for; nobody's role allows nothing. */
export function roleCovers(role: Role | undefined, wanted: Role): boolean {
  return role !== undefined && ROLES.indexOf(role) >= ROLES.indexOf(wanted);
}

/** @returns the role that stands for an owner's level where an organization owns a package or its repository. */
export function roleOfLevel(level: OwnerLevel): Role {
  return level === "full" ? "admin" : "write";
}

export interface Member {
  readonly user: UserRow;
  readonly role: Role;
}

/** @returns the user's role, undefined for somebody who is no member. */
export async function membershipRole(
  sql: Queryable,
  organizationId: number,
  userId: number,
): Promise<Role | undefined> {
  const [row] = await sql<{ role: Role }[]>`
    select role from memberships where organization_id = ${organizationId} and user_id = ${userId}`;
  return row?.role;
}

/** @returns the members by username. */
export async function membersOf(sql: Queryable, organizationId: number): Promise<readonly Member[]> {
  const rows = await sql<{ userId: number; role: Role }[]>`
    select m.user_id as "userId", m.role from memberships m join users u on u.id = m.user_id
    where m.organization_id = ${organizationId} order by u.username collate "C"`;
  const users = await usersById(
    sql,
    rows.map(({ userId }) => userId),
  );
  return rows.flatMap(({ userId, role }) => {
    const user = users.get(userId);
    return user === undefined ? [] : [{ user, role }];
  });
}

/** @returns the roles by user; whoever acts on them holds the organization's lock. */
export async function membershipRoles(
  sql: Queryable,
  organizationId: number,
): Promise<ReadonlyMap<number, Role>> {
  const rows = await sql<{ userId: number; role: Role }[]>`
    select user_id as "userId", role from memberships where organization_id = ${organizationId}`;
  return new Map(rows.map((row) => [row.userId, row.role]));
}

/**
 * @param userIds accounts of persons and of organizations
 * @returns the persons that they stand for: in an organization's place its admins.
 */
export async function personsBehind(sql: Queryable, userIds: readonly number[]): Promise<readonly number[]> {
  const rows = await sql<{ id: number }[]>`
    select u.id from users u where u.id = any(${userIds as number[]}::bigint[]) and u.organization_id is null
    union
    select m.user_id from memberships m join users a on a.organization_id = m.organization_id
    where a.id = any(${userIds as number[]}::bigint[]) and m.role = 'admin'`;
  return rows.map(({ id }) => id);
}

export async function setMember(
  tx: Transaction,
  organizationId: number,
  userId: number,
  role: Role,
): Promise<void> {
  await tx`
    insert into memberships (organization_id, user_id, role) values (${organizationId}, ${userId}, ${role})
    on conflict (organization_id, user_id) do update set role = excluded.role, updated_at = now()`;
  await touchUser(tx, userId);
}

/** What an answer says of a user changes with the memberships. */
async function touchUser(tx: Transaction, userId: number): Promise<void> {
  await tx`update users set updated_at = now() where id = ${userId}`;
}

/** Ends a membership, and with it what the user owns in the organization's repository. */
export async function removeMember(tx: Transaction, organizationId: number, userId: number): Promise<void> {
  await tx`
    delete from package_owners o using packages p, repositories r
    where o.user_id = ${userId} and p.id = o.package_id and r.id = p.repository_id
      and r.organization_id = ${organizationId}`;
  await tx`delete from memberships where organization_id = ${organizationId} and user_id = ${userId}`;
  await touchUser(tx, userId);
}

/** How somebody owns a package: by their own name, or as a member of an organization that does. */
export interface Ownership {
  readonly level: OwnerLevel;
  /** Of the organization's member; null for an owner by name. */
  readonly role: Role | null;
}

export function ownershipsOf(
  sql: Queryable,
  packageId: number,
  userId: number,
): Promise<readonly Ownership[]> {
  return sql<Ownership[]>`
    select level, null as role from package_owners where package_id = ${packageId} and user_id = ${userId}
    union all
    select o.level, m.role from package_owners o
      join users a on a.id = o.user_id
      join memberships m on m.organization_id = a.organization_id and m.user_id = ${userId}
    where o.package_id = ${packageId}`;
}
