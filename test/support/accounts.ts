/** Accounts and keys for tests, made without a request. */
import { randomBytes } from "node:crypto";
import { hashKeySecret } from "../../api/auth/key-secret.ts";
import { hashPassword } from "../../api/auth/password.ts";
import { micros } from "../../schemas/time.ts";
import type { Sql } from "../../store/postgres/pool.ts";
import { insertKey, type KeyPermission } from "../../store/queries/keys.ts";
import { insertUser } from "../../store/queries/users.ts";
import { KEY_SECRET } from "./api-settings.ts";

export interface AccountOptions {
  /** Whether the address is verified; true unless given. */
  readonly verified?: boolean;
}

const FULL: readonly KeyPermission[] = [{ domain: "api", resource: null }];

/** @returns the id of the user, who is made when not there, with the password `password`. */
export async function makeUser(
  sql: Sql,
  username: string,
  { verified = true }: AccountOptions = {},
): Promise<number> {
  const [row] = await sql<{ id: number }[]>`select id from users where username = ${username}`;
  if (row !== undefined) return row.id;
  const passwordHash = await hashPassword("password", randomBytes);
  const account = { username, fullName: null, passwordHash, email: `${username}@example.com`, verified };
  return (await sql.begin((tx) => insertUser(tx, account))) ?? 0;
}

/** @returns the secret of a new key of the user, who is made when not there. */
export async function makeKey(
  sql: Sql,
  username: string,
  permissions: readonly KeyPermission[] = FULL,
  options: AccountOptions = {},
): Promise<string> {
  const userId = await makeUser(sql, username, options);
  const secret = randomBytes(16).toString("hex");
  const { first, second } = hashKeySecret(KEY_SECRET, secret);
  const key = {
    userId,
    name: `key ${secret}`,
    permissions,
    revokeAt: null,
    secretFirst: first,
    secretSecond: second,
  };
  await sql.begin((tx) => insertKey(tx, key, micros(Date.now() * 1000)));
  return secret;
}
