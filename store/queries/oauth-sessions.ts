/** What a program was let in to, and by whom. Its tokens come and go. */
import type { Micros } from "../../schemas/time.ts";
import type { Queryable, Transaction } from "../postgres/pool.ts";
import type { KeyOwner } from "./keys.ts";
import type { GrantType } from "./oauth-clients.ts";

export interface OAuthSessionRow {
  readonly id: number;
  readonly userId: number | null;
  readonly organizationId: number | null;
  readonly clientId: string;
  readonly clientName: string;
  readonly name: string | null;
  /** As they were granted. */
  readonly scopes: readonly string[];
  readonly ip: string | null;
  readonly lastUsedAt: Micros;
  readonly expiresAt: Micros;
  readonly insertedAt: Micros;
}

const columns = (sql: Queryable) => sql`
  s.id, s.user_id as "userId", s.organization_id as "organizationId", s.client_id as "clientId",
  c.name as "clientName", s.name, s.scopes, s.ip, s.last_used_at as "lastUsedAt", s.expires_at as "expiresAt",
  s.inserted_at as "insertedAt"`;

export interface NewOAuthSession {
  readonly owner: KeyOwner;
  readonly clientId: string;
  readonly grant: GrantType;
  readonly name: string | null;
  readonly scopes: readonly string[];
  readonly ip: string;
  readonly userAgent: string;
  readonly now: Micros;
  readonly expiresAt: Micros;
}

const LONGEST = 255;

/** @returns its id. */
export async function insertOAuthSession(tx: Transaction, session: NewOAuthSession): Promise<number> {
  const { owner } = session;
  const [row] = await tx<{ id: number }[]>`
    insert into oauth_sessions (user_id, organization_id, client_id, grant_type, name, scopes, ip, user_agent,
      last_used_at, expires_at, inserted_at)
    values (${owner.userId ?? null}, ${owner.organizationId ?? null}, ${session.clientId}, ${session.grant},
      ${session.name?.slice(0, LONGEST) ?? null}, ${session.scopes as string[]}::text[], ${session.ip},
      ${session.userAgent.slice(0, LONGEST)}, ${session.now}, ${session.expiresAt}, ${session.now})
    returning id`;
  if (row === undefined) throw new TypeError("insert returned no row");
  return row.id;
}

/** @returns a session that goes on. */
export async function liveOAuthSession(
  sql: Queryable,
  id: number,
  now: Micros,
): Promise<OAuthSessionRow | undefined> {
  const [row] = await sql<OAuthSessionRow[]>`
    select ${columns(sql)} from oauth_sessions s join oauth_clients c on c.client_id = s.client_id
    where s.id = ${id} and s.revoked_at is null and s.expires_at > ${now}`;
  return row;
}

/** @returns those of the owner that go on, the one used last first. */
export function oauthSessionsOf(
  sql: Queryable,
  owner: KeyOwner,
  now: Micros,
): Promise<readonly OAuthSessionRow[]> {
  return sql<OAuthSessionRow[]>`
    select ${columns(sql)} from oauth_sessions s join oauth_clients c on c.client_id = s.client_id
    where ${ownedBy(sql, owner)} and s.revoked_at is null and s.expires_at > ${now}
    order by s.last_used_at desc, s.id desc`;
}

function ownedBy(sql: Queryable, owner: KeyOwner) {
  return owner.userId === undefined
    ? sql`s.organization_id = ${owner.organizationId}`
    : sql`s.user_id = ${owner.userId}`;
}

export async function touchOAuthSession(sql: Queryable, id: number, at: Micros, ip: string): Promise<void> {
  await sql`update oauth_sessions set last_used_at = ${at}, ip = ${ip} where id = ${id}`;
}

/** Ends a session, and with it all of its tokens. @returns whether it was one that went on. */
export async function revokeOAuthSession(
  sql: Queryable,
  id: number,
  now: Micros,
  userId?: number,
): Promise<boolean> {
  const rows = await sql`
    update oauth_sessions set revoked_at = ${now}
    where id = ${id} and revoked_at is null and (${userId ?? null}::bigint is null or user_id = ${userId ?? null})
    returning 1`;
  return rows.length > 0;
}

/** Removes what ended a day ago, tokens and codes included: until then a client is told why it is refused. */
export async function deleteEndedOAuth(sql: Queryable, before: Micros): Promise<void> {
  await sql`delete from oauth_device_codes where expires_at < ${before}`;
  await sql`delete from oauth_authorization_codes where expires_at < ${before}`;
  await sql`delete from oauth_sessions where expires_at < ${before} or revoked_at < ${before}`;
  await sql`
    delete from oauth_tokens where revoked_at < ${before} or (refresh_jti is null and expires_at < ${before})`;
}
