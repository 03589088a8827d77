/** Codes of devices (RFC 8628) that wait for a person to let them in. */
import type { Micros } from "../../schemas/time.ts";
import type { Queryable, Transaction } from "../postgres/pool.ts";

export interface DeviceCodeRow {
  readonly id: number;
  readonly userCode: string;
  readonly clientId: string;
  readonly clientName: string;
  /** What the device calls itself. */
  readonly name: string | null;
  /** What it asks for. */
  readonly scopes: readonly string[];
  readonly state: "pending" | "authorized" | "denied";
  readonly sessionId: number | null;
  readonly authorizedAt: Micros | null;
  readonly expiresAt: Micros;
}

const columns = (sql: Queryable) => sql`
  d.id, d.user_code as "userCode", d.client_id as "clientId", c.name as "clientName", d.name, d.scopes, d.state,
  d.session_id as "sessionId", d.authorized_at as "authorizedAt", d.expires_at as "expiresAt"`;

export interface NewDeviceCode {
  readonly deviceCodeHash: string;
  readonly userCode: string;
  readonly clientId: string;
  readonly name: string | null;
  readonly scopes: readonly string[];
  readonly expiresAt: Micros;
}

const LONGEST = 255;

/** @returns whether it was stored; false when somebody has the user code. */
export async function insertDeviceCode(sql: Queryable, code: NewDeviceCode): Promise<boolean> {
  const rows = await sql`
    insert into oauth_device_codes (device_code_hash, user_code, client_id, name, scopes, expires_at)
    values (${code.deviceCodeHash}, ${code.userCode}, ${code.clientId}, ${code.name?.slice(0, LONGEST) ?? null},
      ${code.scopes as string[]}::text[], ${code.expiresAt})
    on conflict (user_code) do nothing returning 1`;
  return rows.length > 0;
}

/** @returns the code under a lock: of two polls at once, each gets tokens of its own, and the last one's stay. */
export async function lockDeviceCode(
  tx: Transaction,
  deviceCodeHash: string,
): Promise<DeviceCodeRow | undefined> {
  const [row] = await tx<DeviceCodeRow[]>`
    select ${columns(tx)} from oauth_device_codes d join oauth_clients c on c.client_id = d.client_id
    where d.device_code_hash = ${deviceCodeHash} for update of d`;
  return row;
}

export async function deviceCodeByUserCode(
  sql: Queryable,
  userCode: string,
): Promise<DeviceCodeRow | undefined> {
  const [row] = await sql<DeviceCodeRow[]>`
    select ${columns(sql)} from oauth_device_codes d join oauth_clients c on c.client_id = d.client_id
    where d.user_code = ${userCode}`;
  return row;
}

/** @returns whether it was still waiting, and is let in now. */
export async function authorizeDevice(
  tx: Transaction,
  id: number,
  sessionId: number,
  now: Micros,
): Promise<boolean> {
  const rows = await tx`
    update oauth_device_codes set state = 'authorized', session_id = ${sessionId}, authorized_at = ${now}
    where id = ${id} and state = 'pending' and expires_at > ${now} returning 1`;
  return rows.length > 0;
}

export async function denyDevice(sql: Queryable, id: number): Promise<void> {
  await sql`update oauth_device_codes set state = 'denied' where id = ${id} and state = 'pending'`;
}
