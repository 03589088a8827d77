/** API keys. Their secrets are never stored, only two halves of a keyed hash. */
import type { Micros } from "../../schemas/time.ts";
import type { Queryable, Transaction } from "../postgres/pool.ts";

export interface KeyPermission {
  readonly domain: string;
  readonly resource: string | null;
}

/** Whose key it is: a user's, or an organization's. */
export type KeyOwner =
  | { readonly userId: number; readonly organizationId?: undefined }
  | { readonly organizationId: number; readonly userId?: undefined };

export interface KeyRow {
  readonly id: number;
  /** Null for a key of an organization. */
  readonly userId: number | null;
  readonly organizationId: number | null;
  readonly name: string;
  readonly permissions: readonly KeyPermission[];
  readonly revokeAt: Micros | null;
  readonly lastUsedAt: Micros | null;
  readonly lastUsedIp: string | null;
  readonly lastUsedAgent: string | null;
  readonly insertedAt: Micros;
  readonly updatedAt: Micros;
}

const keyColumns = (sql: Queryable) => sql`
  id, user_id as "userId", organization_id as "organizationId", name, permissions, revoke_at as "revokeAt", last_used_at as "lastUsedAt",
  last_used_ip as "lastUsedIp", last_used_agent as "lastUsedAgent", inserted_at as "insertedAt",
  updated_at as "updatedAt"`;

/** @returns the key, revoked ones included, and the half of its hash that is to be compared. */
export async function keyByHash(
  sql: Queryable,
  first: string,
): Promise<(KeyRow & { readonly secretSecond: string }) | undefined> {
  const [row] = await sql<(KeyRow & { secretSecond: string })[]>`
    select ${keyColumns(sql)}, secret_second as "secretSecond" from keys where secret_first = ${first}`;
  return row;
}

function ownedBy(sql: Queryable, owner: KeyOwner) {
  return owner.userId === undefined
    ? sql`organization_id = ${owner.organizationId}`
    : sql`user_id = ${owner.userId}`;
}

/** @returns the owner's keys that are not revoked, by name. */
export function liveKeysOf(sql: Queryable, owner: KeyOwner, now: Micros): Promise<readonly KeyRow[]> {
  return sql<KeyRow[]>`
    select ${keyColumns(sql)} from keys
    where ${ownedBy(sql, owner)} and (revoke_at is null or revoke_at > ${now}) order by name collate "C"`;
}

export type NewKey = KeyOwner & {
  readonly name: string;
  readonly permissions: readonly KeyPermission[];
  readonly revokeAt: Micros | null;
  readonly secretFirst: string;
  readonly secretSecond: string;
};

/** Adds a key; a name that a live key of the owner has gets the next free suffix. */
export async function insertKey(tx: Transaction, key: NewKey, now: Micros): Promise<KeyRow> {
  // Two keys made at once must not get the same name.
  if (key.userId === undefined)
    await tx`select from organizations where id = ${key.organizationId} for update`;
  else await tx`select from users where id = ${key.userId} for update`;
  const taken = (await liveKeysOf(tx, key, now)).map((row) => row.name);
  const [row] = await tx<KeyRow[]>`
    insert into keys (user_id, organization_id, name, permissions, revoke_at, secret_first, secret_second)
    values (${key.userId ?? null}, ${key.organizationId ?? null}, ${freeName(key.name, taken)}, ${tx.json(key.permissions as never)}, ${key.revokeAt},
      ${key.secretFirst}, ${key.secretSecond})
    returning ${keyColumns(tx)}`;
  if (row === undefined) throw new TypeError("insert returned no row");
  return row;
}

function freeName(name: string, taken: readonly string[]): string {
  if (!taken.includes(name)) return name;
  const suffixes = taken.flatMap((other) => {
    const suffix = other.startsWith(`${name}-`) ? other.slice(name.length + 1) : "";
    return /^\d{1,9}$/.test(suffix) ? [Number(suffix)] : [];
  });
  return `${name}-${Math.max(1, ...suffixes) + 1}`;
}

/** @returns the keys that were revoked, as they are now. */
export function revokeKeys(
  tx: Queryable,
  owner: KeyOwner,
  names: readonly string[],
  now: Micros,
  at: Micros,
): Promise<readonly KeyRow[]> {
  return tx<KeyRow[]>`
    update keys set revoke_at = ${at}, updated_at = now()
    where ${ownedBy(tx, owner)} and name = any(${names as string[]}) and (revoke_at is null or revoke_at > ${now})
    returning ${keyColumns(tx)}`;
}

// So that a key in use costs one write in five minutes, and not one a request.
const TOUCH_MICROS = 300_000_000;

/** @returns whether the time of a credential's last use is old enough to be written again. */
export function isTouchDue({ lastUsedAt }: { readonly lastUsedAt: Micros | null }, now: Micros): boolean {
  return lastUsedAt === null || now - lastUsedAt >= TOUCH_MICROS;
}

export async function touchKey(
  sql: Queryable,
  id: number,
  use: { readonly at: Micros; readonly ip: string; readonly agent: string },
): Promise<void> {
  await sql`
    update keys set last_used_at = ${use.at}, last_used_ip = ${use.ip}, last_used_agent = ${use.agent}
    where id = ${id}`;
}
