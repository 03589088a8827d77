/** Who owns a package. */
import type { Queryable, Transaction } from "../postgres/pool.ts";
import { type UserRow, usersById } from "./users.ts";

export type OwnerLevel = "maintainer" | "full";

export interface Owner {
  readonly user: UserRow;
  readonly level: OwnerLevel;
}

/** @returns the user's level, undefined for somebody who is no owner. */
export async function ownerLevel(
  sql: Queryable,
  packageId: number,
  userId: number,
): Promise<OwnerLevel | undefined> {
  const [row] = await sql<{ level: OwnerLevel }[]>`
    select level from package_owners where package_id = ${packageId} and user_id = ${userId}`;
  return row?.level;
}

/** @returns the owners by username. */
export async function ownersOf(sql: Queryable, packageId: number): Promise<readonly Owner[]> {
  const rows = await sql<{ userId: number; level: OwnerLevel }[]>`
    select o.user_id as "userId", o.level from package_owners o join users u on u.id = o.user_id
    where o.package_id = ${packageId} order by u.username collate "C"`;
  const users = await usersById(
    sql,
    rows.map(({ userId }) => userId),
  );
  return rows.flatMap(({ userId, level }) => {
    const user = users.get(userId);
    return user === undefined ? [] : [{ user, level }];
  });
}

/** Keeps others from changing the owners until the transaction ends: rules on the last owner depend on it. */
export async function lockOwners(
  tx: Transaction,
  packageId: number,
): Promise<ReadonlyMap<number, OwnerLevel>> {
  await tx`select from packages where id = ${packageId} for update`;
  const rows = await tx<{ userId: number; level: OwnerLevel }[]>`
    select user_id as "userId", level from package_owners where package_id = ${packageId}`;
  return new Map(rows.map((row) => [row.userId, row.level]));
}

/** @returns whether nobody would own the package with full rights without this user. */
export function isLastFullOwner(owners: ReadonlyMap<number, OwnerLevel>, userId: number): boolean {
  if (owners.get(userId) !== "full") return false;
  return ![...owners].some(([id, level]) => level === "full" && id !== userId);
}

export async function setOwner(
  tx: Transaction,
  packageId: number,
  userId: number,
  level: OwnerLevel,
): Promise<void> {
  await tx`
    insert into package_owners (package_id, user_id, level) values (${packageId}, ${userId}, ${level})
    on conflict (package_id, user_id) do update set level = excluded.level`;
}

export async function removeOwners(
  tx: Transaction,
  packageId: number,
  userIds: readonly number[],
): Promise<void> {
  await tx`
    delete from package_owners
    where package_id = ${packageId} and user_id = any(${userIds as number[]}::bigint[])`;
}
