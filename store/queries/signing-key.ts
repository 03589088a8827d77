/** Which key the bucket is signed with. */
import type { Queryable, Sql } from "../postgres/pool.ts";

/**
 * Records the first key that ever signs for this database.
 * @returns the fingerprint of the key that is recorded as active: the one given, or an earlier one.
 */
export async function activeSigningKey(sql: Sql, fingerprint: string, publicKey: string): Promise<string> {
  await sql`
    insert into signing_keys (fingerprint, public_key, active) values (${fingerprint}, ${publicKey}, true)
    on conflict do nothing`;
  const [row] = await sql<{ fingerprint: string }[]>`select fingerprint from signing_keys where active`;
  if (row === undefined) throw new TypeError("no signing key is active");
  return row.fingerprint;
}

/** @returns the key that everything is signed with, undefined before the first signature. */
export async function activePublicKey(
  sql: Queryable,
): Promise<{ readonly fingerprint: string; readonly publicKey: string } | undefined> {
  const [row] = await sql<{ fingerprint: string; publicKey: string }[]>`
    select fingerprint, public_key as "publicKey" from signing_keys where active`;
  return row;
}
