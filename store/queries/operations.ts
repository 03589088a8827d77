/** What operators switch while everything runs: blocked networks, read-only mode, permits, reserved names. */
import type { Micros } from "../../schemas/time.ts";
import type { Queryable, Transaction } from "../postgres/pool.ts";

export interface BlockedNetwork {
  /** `ADDRESS/BITS`. */
  readonly network: string;
  readonly reason: string | null;
  readonly insertedAt: Micros;
}

export function blockedNetworks(sql: Queryable): Promise<readonly BlockedNetwork[]> {
  return sql<BlockedNetwork[]>`
    select text(network) as network, reason, inserted_at as "insertedAt" from blocked_addresses order by network`;
}

/** @returns the network as it is listed from now on: without what is beyond its bits. */
export async function blockNetwork(tx: Transaction, network: string, reason: string | null): Promise<string> {
  const [row] = await tx<{ network: string }[]>`
    insert into blocked_addresses (network, reason) values (network(${network}::inet), ${reason})
    on conflict (network) do update set reason = excluded.reason
    returning text(network) as network`;
  return row?.network ?? network;
}

/** @returns the network, undefined when exactly that was not blocked. */
export async function unblockNetwork(tx: Transaction, network: string): Promise<string | undefined> {
  const [row] = await tx<{ network: string }[]>`
    delete from blocked_addresses where network = network(${network}::inet) returning text(network) as network`;
  return row?.network;
}

export interface ReadOnlyRow {
  readonly message: string | null;
  readonly since: Micros;
}

/** @returns undefined when changes are welcome. */
export async function readOnlyMode(sql: Queryable): Promise<ReadOnlyRow | undefined> {
  const [row] = await sql<ReadOnlyRow[]>`select message, since from read_only_mode`;
  return row;
}

/** @returns whether Postgres itself takes no changes. */
export async function isReadOnlyServer(sql: Queryable): Promise<boolean> {
  const [row] = await sql<{ on: boolean }[]>`
    select current_setting('transaction_read_only') = 'on' or pg_is_in_recovery() as on`;
  return row?.on ?? false;
}

/** Switches it on, or changes the message. */
export async function enterReadOnly(tx: Transaction, message: string | null): Promise<void> {
  await tx`
    insert into read_only_mode (message) values (${message})
    on conflict (singleton) do update set message = excluded.message`;
}

/** @returns whether it was on. */
export async function leaveReadOnly(tx: Transaction): Promise<boolean> {
  return (await tx`delete from read_only_mode returning 1`).length === 1;
}

/** Lets a release be published once more, whatever its age. */
export async function permitRepublish(tx: Transaction, releaseId: number, hours: number): Promise<void> {
  await tx`
    insert into republish_permits (release_id, until)
    values (${releaseId}, now() + ${hours} * interval '1 hour')
    on conflict (release_id) do update set until = excluded.until`;
}

/** Uses a permit up. @returns whether there was one. */
export async function takeRepublishPermit(tx: Transaction, releaseId: number): Promise<boolean> {
  const rows = await tx<{ live: boolean }[]>`
    delete from republish_permits where release_id = ${releaseId} returning until > now() as live`;
  return rows[0]?.live === true;
}

export interface Reservation {
  readonly repository: string;
  readonly name: string;
  /** Null: the name itself. */
  readonly version: string | null;
  readonly reason: string | null;
}

/** @returns false when it is reserved already. */
export async function reserveName(tx: Transaction, { repository, name, version, reason }: Reservation) {
  const rows = await tx`
    insert into reserved_packages (repository, name, version, reason)
    values (${repository}, ${name}, ${version}, ${reason})
    on conflict do nothing returning 1`;
  return rows.length === 1;
}

/** @returns false when it was not reserved. */
export async function unreserveName(
  tx: Transaction,
  { repository, name, version }: Omit<Reservation, "reason">,
): Promise<boolean> {
  const rows = await tx`
    delete from reserved_packages
    where repository = ${repository} and name = ${name} and version is not distinct from ${version} returning 1`;
  return rows.length === 1;
}
