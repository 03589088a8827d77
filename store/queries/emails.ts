/** The e-mail addresses of an account. */
import type { Queryable, Transaction } from "../postgres/pool.ts";

export interface EmailRow {
  readonly id: number;
  readonly email: string;
  readonly verified: boolean;
  readonly primary: boolean;
  readonly public: boolean;
}

/** @returns the primary one first. */
export function emailsOf(sql: Queryable, userId: number): Promise<readonly EmailRow[]> {
  return sql<EmailRow[]>`
    select id, email, verified, is_primary as "primary", is_public as "public" from emails
    where user_id = ${userId} order by is_primary desc, email`;
}

/** @returns whether it is new to the account. */
export async function insertEmail(
  tx: Transaction,
  userId: number,
  email: string,
  verified: boolean,
): Promise<boolean> {
  const rows = await tx`
    insert into emails (user_id, email, verified) values (${userId}, ${email}, ${verified})
    on conflict (user_id, email) do nothing returning 1`;
  return rows.length > 0;
}

/** @returns the address, undefined when the account has no such verified one. */
export async function makeEmailPrimary(
  tx: Transaction,
  userId: number,
  id: number,
): Promise<string | undefined> {
  await tx`select from users where id = ${userId} for update`;
  const [row] = await tx<{ email: string }[]>`
    select email from emails where user_id = ${userId} and id = ${id} and verified and not is_primary`;
  if (row === undefined) return undefined;
  await tx`update emails set is_primary = false, updated_at = now() where user_id = ${userId} and is_primary`;
  await tx`update emails set is_primary = true, updated_at = now() where id = ${id}`;
  return row.email;
}

/** Shows one address to everybody, and no other; null shows none. */
export async function setPublicEmail(tx: Transaction, userId: number, id: number | null): Promise<void> {
  await tx`
    update emails set is_public = (id is not distinct from ${id}::bigint), updated_at = now() where user_id = ${userId}`;
}

/** @returns the address that was removed: not the primary one. */
export async function deleteEmail(tx: Transaction, userId: number, id: number): Promise<string | undefined> {
  const [row] = await tx<{ email: string }[]>`
    delete from emails where user_id = ${userId} and id = ${id} and not is_primary returning email`;
  return row?.email;
}
