/** Accounts and their e-mail addresses. */
import type { Micros } from "../../schemas/time.ts";
import { isDuplicate, type Queryable, type Transaction } from "../postgres/pool.ts";
import type { OwnerLevel } from "./owners.ts";

export interface UserRow {
  readonly id: number;
  readonly username: string;
  readonly fullName: string | null;
  readonly passwordHash: string | null;
  /** Display name to URL. */
  readonly handles: Readonly<Record<string, string>>;
  /** A service account, to which everything is allowed. */
  readonly service: boolean;
  /** Set for the account of an organization, with which nobody signs in. */
  readonly organizationId: number | null;
  readonly deactivatedAt: Micros | null;
  readonly insertedAt: Micros;
  readonly updatedAt: Micros;
  /** Whether there is a second factor. */
  readonly hasTotp: boolean;
  /** Whether the primary address is verified. */
  readonly verified: boolean;
  /** The address that everybody may see. */
  readonly publicEmail: string | null;
}

/** What others see of a user: enough for lists. */
export interface UserReference {
  readonly username: string;
  readonly publicEmail: string | null;
}

const userColumns = (sql: Queryable) => sql`
  u.id, u.username, u.full_name as "fullName", u.password_hash as "passwordHash", u.handles, u.service,
  u.organization_id as "organizationId",  u.deactivated_at as "deactivatedAt", u.inserted_at as "insertedAt", u.updated_at as "updatedAt",
  exists (select from totp_secrets t where t.user_id = u.id) as "hasTotp",
  exists (select from emails e where e.user_id = u.id and e.is_primary and e.verified) as verified,
  (select e.email from emails e where e.user_id = u.id and e.is_public order by e.id limit 1) as "publicEmail"`;

export async function userById(sql: Queryable, id: number): Promise<UserRow | undefined> {
  const [row] = await sql<UserRow[]>`select ${userColumns(sql)} from users u where u.id = ${id}`;
  return row;
}

/** @returns the users by id, without those that are not there. */
export async function usersById(
  sql: Queryable,
  ids: readonly number[],
): Promise<ReadonlyMap<number, UserRow>> {
  const rows = await sql<UserRow[]>`
    select ${userColumns(sql)} from users u where u.id = any(${ids as number[]}::bigint[])`;
  return new Map(rows.map((row) => [row.id, row]));
}

/** @param login a username or a verified address, in lower case */
export async function userByLogin(sql: Queryable, login: string): Promise<UserRow | undefined> {
  const [row] = await sql<UserRow[]>`
    select ${userColumns(sql)} from users u
    where u.username = ${login}
      or u.id = (select e.user_id from emails e where e.email = ${login} and e.verified)
    order by u.username = ${login} desc limit 1`;
  return row;
}

/** @param name a username or a public verified address, in lower case */
export async function userByPublicName(sql: Queryable, name: string): Promise<UserRow | undefined> {
  const [row] = await sql<UserRow[]>`
    select ${userColumns(sql)} from users u
    where u.username = ${name}
      or u.id = (select e.user_id from emails e where e.email = ${name} and e.verified and e.is_public)
    order by u.username = ${name} desc limit 1`;
  return row;
}

export async function emailIsVerifiedElsewhere(sql: Queryable, email: string): Promise<boolean> {
  return (await sql`select from emails where email = ${email} and verified`).length > 0;
}

export interface NewUser {
  readonly username: string;
  readonly fullName: string | null;
  readonly passwordHash: string | null;
  readonly email: string;
  readonly verified: boolean;
}

/**
 * The address is primary and public.
 * @returns the new user's id; undefined when the username is taken or reserved, and the transaction must be rolled back.
 */
export async function insertUser(tx: Transaction, user: NewUser): Promise<number | undefined> {
  const [row] = await tx<{ id: number }[]>`
    insert into users (username, full_name, password_hash)
    values (${user.username}, ${user.fullName}, ${user.passwordHash}) returning id`.catch(
    (error: unknown) => {
      if (isDuplicate(error, "users_username_key")) return [];
      throw error;
    },
  );
  if (row === undefined) return undefined;
  await tx`
    insert into emails (user_id, email, verified, is_primary, is_public)
    values (${row.id}, ${user.email}, ${user.verified}, true, true)`;
  return row.id;
}

/** @returns false when it is so already. */
export async function setDeactivated(tx: Transaction, id: number, deactivated: boolean): Promise<boolean> {
  const rows = await tx`
    update users set deactivated_at = ${deactivated ? tx`now()` : null}, updated_at = now()
    where id = ${id} and (deactivated_at is null) = ${deactivated} returning 1`;
  return rows.length === 1;
}

export async function setFullName(tx: Transaction, id: number, fullName: string | null): Promise<void> {
  await tx`update users set full_name = ${fullName}, updated_at = now() where id = ${id}`;
}

export interface OwnedPackage {
  readonly name: string;
  readonly level: OwnerLevel;
  readonly repository: string;
}

/**
 * @param members private packages only of these organizations; none unless given
 * @returns what the user owns, the public repository's first, then by repository and name.
 */
export function packagesOwnedBy(
  sql: Queryable,
  userId: number,
  members: readonly number[] = [],
): Promise<readonly OwnedPackage[]> {
  return sql<OwnedPackage[]>`
    select p.name, o.level, r.name as repository
    from package_owners o join packages p on p.id = o.package_id join repositories r on r.id = p.repository_id
    where o.user_id = ${userId} and (r.public or r.organization_id = any(${members as number[]}::bigint[]))
    order by r.public desc, r.name collate "C", p.name collate "C"`;
}
