/** What tells a database that is new from one that has a past. */
import type { Queryable } from "../postgres/pool.ts";

export async function hasUsers(sql: Queryable): Promise<boolean> {
  return (await sql`select from users limit 1`).length > 0;
}

export async function hasKeys(sql: Queryable): Promise<boolean> {
  return (await sql`select from keys limit 1`).length > 0;
}

/** @returns the fingerprint of the key that everything is signed with; undefined before the first signature. */
export async function signedWith(sql: Queryable): Promise<string | undefined> {
  const [row] = await sql<{ fingerprint: string }[]>`select fingerprint from signing_keys where active`;
  return row?.fingerprint;
}
