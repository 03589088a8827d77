/** Second factors. */
import type { Micros } from "../../schemas/time.ts";
import type { Queryable, Transaction } from "../postgres/pool.ts";

/** @returns the sealed secret, undefined for a user without a second factor. */
export async function sealedTotpSecret(sql: Queryable, userId: number): Promise<string | undefined> {
  const [row] = await sql<{ sealed: string }[]>`
    select sealed_secret as sealed from totp_secrets where user_id = ${userId}`;
  return row?.sealed;
}

/** Turns the second factor on, with these recovery codes. @returns false when it was on. */
export async function enableTotp(
  tx: Transaction,
  userId: number,
  sealedSecret: string,
  codeHashes: readonly string[],
): Promise<boolean> {
  const rows = await tx`
    insert into totp_secrets (user_id, sealed_secret) values (${userId}, ${sealedSecret})
    on conflict do nothing returning 1`;
  if (rows.length === 0) return false;
  await replaceRecoveryCodes(tx, userId, codeHashes);
  return true;
}

/** Turns it off. @returns false when it was off. */
export async function disableTotp(tx: Transaction, userId: number): Promise<boolean> {
  await tx`delete from recovery_codes where user_id = ${userId}`;
  return (await tx`delete from totp_secrets where user_id = ${userId} returning 1`).length > 0;
}

export async function replaceRecoveryCodes(
  tx: Transaction,
  userId: number,
  codeHashes: readonly string[],
): Promise<void> {
  await tx`delete from recovery_codes where user_id = ${userId}`;
  await tx`
    insert into recovery_codes (user_id, code_hash)
    select ${userId}, unnest(${codeHashes as string[]}::text[])`;
}

/** Uses a recovery code up. @returns false for one that the user has not, or not any more. */
export async function useRecoveryCode(
  sql: Queryable,
  userId: number,
  codeHash: string,
  now: Micros,
): Promise<boolean> {
  const rows = await sql`
    update recovery_codes set used_at = ${now}
    where user_id = ${userId} and code_hash = ${codeHash} and used_at is null returning 1`;
  return rows.length > 0;
}

export async function unusedRecoveryCodes(sql: Queryable, userId: number): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from recovery_codes where user_id = ${userId} and used_at is null`;
  return row?.count ?? 0;
}
