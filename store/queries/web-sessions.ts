/** Browsers that are signed in. */
import type { Micros } from "../../schemas/time.ts";
import type { Queryable } from "../postgres/pool.ts";

export interface WebSessionRow {
  readonly id: number;
  readonly userId: number;
  /** The password was right, the second factor is still to come. */
  readonly pending: boolean;
  readonly sudoUntil: Micros | null;
  /** A sealed secret of a second factor that is being set up. */
  readonly totpDraft: string | null;
  /** A device's code that was typed in, and until when it may be decided about. */
  readonly deviceUserCode: string | null;
  readonly deviceUntil: Micros | null;
  readonly userAgent: string | null;
  readonly ip: string | null;
  readonly lastUsedAt: Micros;
  readonly expiresAt: Micros;
  readonly insertedAt: Micros;
}

const columns = (sql: Queryable) => sql`
  id, user_id as "userId", pending, sudo_until as "sudoUntil", totp_draft as "totpDraft",
  device_user_code as "deviceUserCode", device_until as "deviceUntil", user_agent as "userAgent", ip, last_used_at as "lastUsedAt",
  expires_at as "expiresAt", inserted_at as "insertedAt"`;

export interface NewWebSession {
  readonly secretHash: string;
  readonly userId: number;
  readonly pending: boolean;
  readonly sudoUntil: Micros | null;
  readonly userAgent: string;
  readonly ip: string;
  readonly now: Micros;
  readonly expiresAt: Micros;
}

const LONGEST_AGENT = 255;

export async function insertWebSession(sql: Queryable, session: NewWebSession): Promise<void> {
  await sql`
    insert into web_sessions (secret_hash, user_id, pending, sudo_until, user_agent, ip, last_used_at, expires_at)
    values (${session.secretHash}, ${session.userId}, ${session.pending}, ${session.sudoUntil},
      ${session.userAgent.slice(0, LONGEST_AGENT)}, ${session.ip}, ${session.now}, ${session.expiresAt})`;
}

/** @returns a session that has not ended. */
export async function webSessionByHash(
  sql: Queryable,
  secretHash: string,
  now: Micros,
): Promise<WebSessionRow | undefined> {
  const [row] = await sql<WebSessionRow[]>`
    select ${columns(sql)} from web_sessions where secret_hash = ${secretHash} and expires_at > ${now}`;
  return row;
}

/** @returns the user's sessions that are signed in, the one used last first. */
export function webSessionsOf(
  sql: Queryable,
  userId: number,
  now: Micros,
): Promise<readonly WebSessionRow[]> {
  return sql<WebSessionRow[]>`
    select ${columns(sql)} from web_sessions
    where user_id = ${userId} and not pending and expires_at > ${now} order by last_used_at desc, id desc`;
}

export async function touchWebSession(sql: Queryable, id: number, at: Micros, ip: string): Promise<void> {
  await sql`update web_sessions set last_used_at = ${at}, ip = ${ip} where id = ${id}`;
}

export async function setSudo(sql: Queryable, id: number, until: Micros): Promise<void> {
  await sql`update web_sessions set sudo_until = ${until} where id = ${id}`;
}

export async function setTotpDraft(sql: Queryable, id: number, sealed: string | null): Promise<void> {
  await sql`update web_sessions set totp_draft = ${sealed} where id = ${id}`;
}

/** Remembers which device is to be decided about. @param device undefined once it is */
export async function setDevice(
  sql: Queryable,
  id: number,
  device: { readonly userCode: string; readonly until: Micros } | undefined,
): Promise<void> {
  await sql`
    update web_sessions set device_user_code = ${device?.userCode ?? null}, device_until = ${device?.until ?? null}
    where id = ${id}`;
}

/** @returns whether the user had such a session. */
export async function deleteWebSession(sql: Queryable, userId: number, id: number): Promise<boolean> {
  return (
    (await sql`delete from web_sessions where id = ${id} and user_id = ${userId} returning 1`).length > 0
  );
}

/** @param keep a session that goes on */
export async function deleteWebSessionsOf(
  sql: Queryable,
  userId: number,
  keep: number | undefined,
): Promise<void> {
  await sql`delete from web_sessions where user_id = ${userId} and id is distinct from ${keep ?? null}`;
}

/** Removes what has run out. */
export async function deleteEndedWebSessions(sql: Queryable, now: Micros): Promise<void> {
  await sql`delete from web_sessions where expires_at <= ${now}`;
}
