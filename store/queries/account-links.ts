/** The links that mails carry: each is stored as a hash, runs out, and works once. */
import type { Micros } from "../../schemas/time.ts";
import type { Queryable, Transaction } from "../postgres/pool.ts";

export async function setVerificationKey(
  tx: Transaction,
  userId: number,
  email: string,
  keyHash: string,
  expiresAt: Micros,
): Promise<void> {
  await tx`
    update emails set verification_key = ${keyHash}, verification_expires_at = ${expiresAt}, updated_at = now()
    where user_id = ${userId} and email = ${email} and not verified`;
}

/** What is verified, for the comparison of keys. */
export interface Verification {
  readonly emailId: number;
  readonly keyHash: string;
}

/** @returns undefined when nothing waits to be verified, or no longer. */
export async function openVerification(
  sql: Queryable,
  username: string,
  email: string,
  now: Micros,
): Promise<Verification | undefined> {
  const [row] = await sql<Verification[]>`
    select e.id as "emailId", e.verification_key as "keyHash"
    from emails e join users u on u.id = e.user_id
    where u.username = ${username} and e.email = ${email} and not e.verified
      and e.verification_key is not null and e.verification_expires_at > ${now}`;
  return row;
}

/** @returns whether it did: not when the key was used or replaced meanwhile. */
export async function finishVerification(
  sql: Queryable,
  { emailId, keyHash }: Verification,
): Promise<boolean> {
  const rows = await sql`
    update emails set verified = true, verification_key = null, verification_expires_at = null, updated_at = now()
    where id = ${emailId} and verification_key = ${keyHash} returning 1`;
  return rows.length === 1;
}

/** Also takes away the keys that the user was sent before. */
export async function insertPasswordReset(
  tx: Transaction,
  userId: number,
  keyHash: string,
  expiresAt: Micros,
): Promise<void> {
  await tx`delete from password_resets where user_id = ${userId}`;
  await tx`
    insert into password_resets (key_hash, user_id, expires_at) values (${keyHash}, ${userId}, ${expiresAt})`;
}

/** Uses up the key. @returns whether the user had it. */
export async function takePasswordReset(
  tx: Transaction,
  userId: number,
  keyHash: string,
  now: Micros,
): Promise<boolean> {
  const rows = await tx`
    delete from password_resets
    where user_id = ${userId} and key_hash = ${keyHash} and expires_at > ${now} returning 1`;
  return rows.length === 1;
}

export async function setPassword(tx: Transaction, userId: number, passwordHash: string): Promise<void> {
  await tx`update users set password_hash = ${passwordHash}, updated_at = now() where id = ${userId}`;
}

/** @returns the primary address of an open account that is not verified. @param username in lower case */
export async function unverifiedPrimaryAddress(
  sql: Queryable,
  username: string,
): Promise<{ readonly id: number; readonly username: string; readonly email: string } | undefined> {
  const [row] = await sql<{ id: number; username: string; email: string }[]>`
    select u.id, u.username, e.email from users u join emails e on e.user_id = u.id and e.is_primary
    where u.username = ${username} and not e.verified and u.deactivated_at is null`;
  return row;
}
