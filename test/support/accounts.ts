/** Accounts and keys for tests, made without a request. */
import { randomBytes, scryptSync } from "node:crypto";
import { hashKeySecret } from "../../api/auth/key-secret.ts";
import { repositoryName, trusted } from "../../hex/ids.ts";
import { micros } from "../../schemas/time.ts";
import type { Sql } from "../../store/postgres/pool.ts";
import { insertKey, type KeyOwner, type KeyPermission } from "../../store/queries/keys.ts";
import { type Role, setMember } from "../../store/queries/memberships.ts";
import { insertOrganization, organizationByName } from "../../store/queries/organizations.ts";
import { insertUser } from "../../store/queries/users.ts";
import { KEY_SECRET } from "./api-settings.ts";

export interface AccountOptions {
  /** Whether the address is verified; true unless given. */
  readonly verified?: boolean;
}

/** Of `password`, and quick to verify: what a guess costs stands beside the hash. */
const QUICK_HASH = [
  ...["scrypt", 2, 1, 1, Buffer.alloc(16).toString("base64")],
  scryptSync("password", Buffer.alloc(16), 32, { N: 2, r: 1, p: 1 }).toString("base64"),
].join("$");

const FULL: readonly KeyPermission[] = [{ domain: "api", resource: null }];

/** @returns the id of the user, who is made when not there, with the password `password`. */
export async function makeUser(
  sql: Sql,
  username: string,
  { verified = true }: AccountOptions = {},
): Promise<number> {
  const [row] = await sql<{ id: number }[]>`select id from users where username = ${username}`;
  if (row !== undefined) return row.id;
  const account = {
    username,
    fullName: null,
    passwordHash: QUICK_HASH,
    email: `${username}@example.com`,
    verified,
  };
  return (await sql.begin((tx) => insertUser(tx, account))) ?? 0;
}

/** @returns the secret of a new key of the user, who is made when not there. */
export async function makeKey(
  sql: Sql,
  username: string,
  permissions: readonly KeyPermission[] = FULL,
  options: AccountOptions = {},
): Promise<string> {
  return insertTestKey(sql, { userId: await makeUser(sql, username, options) }, permissions);
}

async function insertTestKey(
  sql: Sql,
  owner: KeyOwner,
  permissions: readonly KeyPermission[],
): Promise<string> {
  const secret = randomBytes(16).toString("hex");
  const { first, second } = hashKeySecret(KEY_SECRET, secret);
  const key = {
    ...owner,
    name: `key ${secret}`,
    permissions,
    revokeAt: null,
    secretFirst: first,
    secretSecond: second,
  };
  await sql.begin((tx) => insertKey(tx, key, micros(Date.now() * 1000)));
  return secret;
}

/** Makes the organization with its members, who are made when not there. @returns its id. */
export async function makeOrganization(
  sql: Sql,
  name: string,
  members: Readonly<Record<string, Role>>,
): Promise<number> {
  const organization = await sql.begin((tx) => insertOrganization(tx, trusted(repositoryName, name)));
  for (const [username, role] of Object.entries(members)) {
    const userId = await makeUser(sql, username);
    await sql.begin((tx) => setMember(tx, organization.id, userId, role));
  }
  return organization.id;
}

/** @returns the secret of a new key of the organization. */
export async function makeOrganizationKey(
  sql: Sql,
  name: string,
  permissions: readonly KeyPermission[] = FULL,
): Promise<string> {
  const organization = await organizationByName(sql, name);
  if (organization === undefined) throw new Error(`no organization ${name}`);
  return insertTestKey(sql, { organizationId: organization.id }, permissions);
}
