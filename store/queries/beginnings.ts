/** What tells a database that is new from one that has a past. */
import type { Queryable, Sql } from "../postgres/pool.ts";

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

/**
 * Lets this login act as the roles of API and generator, for a process that is both. Whoever made the roles may
 * grant them, but since Postgres 16 does not act as them by that alone.
 */
export async function grantOwnRoles(sql: Sql): Promise<void> {
  for (const role of ["skep_api", "skep_generator"]) {
    const switched = sql.begin((tx) => tx.unsafe(`set local role ${role}`));
    if (await switched.then(() => true).catch(() => false)) continue;
    // When that is not allowed either, the first connection under the role says so.
    await sql.unsafe(`grant ${role} to current_user`).catch(() => undefined);
  }
}
