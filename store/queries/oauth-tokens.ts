/** Tokens. Of a refresh token only its id and hash are here, of an access token only its id. */
import type { Micros } from "../../schemas/time.ts";
import type { Queryable, Transaction } from "../postgres/pool.ts";

export interface NewOAuthToken {
  readonly sessionId: number;
  readonly jti: string;
  readonly scopes: readonly string[];
  readonly expiresAt: Micros;
  readonly refresh: { readonly jti: string; readonly hash: string } | undefined;
}

export async function insertOAuthToken(tx: Transaction, token: NewOAuthToken): Promise<void> {
  await tx`
    insert into oauth_tokens (session_id, jti, scopes, expires_at, refresh_jti, refresh_hash)
    values (${token.sessionId}, ${token.jti}, ${token.scopes as string[]}::text[], ${token.expiresAt},
      ${token.refresh?.jti ?? null}, ${token.refresh?.hash ?? null})`;
}

/** An access token as it is stored, with the session that it belongs to. */
export interface OAuthTokenRow {
  readonly id: number;
  readonly sessionId: number;
  readonly clientId: string;
  readonly userId: number | null;
  readonly organizationId: number | null;
  readonly scopes: readonly string[];
  readonly expiresAt: Micros;
  readonly lastUsedAt: Micros;
}

/** @returns the access token of that id, unless it or its session has ended. */
export async function liveToken(
  sql: Queryable,
  jti: string,
  now: Micros,
): Promise<OAuthTokenRow | undefined> {
  const [row] = await sql<OAuthTokenRow[]>`
    select t.id, t.session_id as "sessionId", s.client_id as "clientId", s.user_id as "userId",
      s.organization_id as "organizationId", t.scopes, t.expires_at as "expiresAt", s.last_used_at as "lastUsedAt"
    from oauth_tokens t join oauth_sessions s on s.id = t.session_id
    where t.jti = ${jti} and t.revoked_at is null and t.expires_at > ${now}
      and s.revoked_at is null and s.expires_at > ${now}`;
  return row;
}

/** What a refresh token stands for. */
export interface RefreshRow {
  readonly tokenId: number;
  readonly sessionId: number;
  readonly clientId: string;
  readonly userId: number | null;
  readonly organizationId: number | null;
  /** As they were granted. */
  readonly scopes: readonly string[];
  readonly revoked: boolean;
  readonly sessionExpiresAt: Micros;
}

/** Finds a refresh token and locks its session: of two that come with it at once, the second finds it used. */
export async function lockRefresh(tx: Transaction, hash: string): Promise<RefreshRow | undefined> {
  await tx`
    select from oauth_sessions where id = (select session_id from oauth_tokens where refresh_hash = ${hash}) for update`;
  const [row] = await tx<RefreshRow[]>`
    select t.id as "tokenId", s.id as "sessionId", s.client_id as "clientId", s.user_id as "userId",
      s.organization_id as "organizationId", s.scopes, s.expires_at as "sessionExpiresAt",
      t.revoked_at is not null or s.revoked_at is not null as revoked
    from oauth_tokens t join oauth_sessions s on s.id = t.session_id where t.refresh_hash = ${hash}`;
  return row;
}

/** @returns the session of a refresh token, used ones included. */
export async function sessionOfRefresh(sql: Queryable, hash: string): Promise<number | undefined> {
  const [row] = await sql<{ id: number }[]>`
    select session_id as id from oauth_tokens where refresh_hash = ${hash}`;
  return row?.id;
}

/** Ends an access token and the refresh token beside it. */
export async function revokeToken(tx: Queryable, id: number, now: Micros): Promise<void> {
  await tx`update oauth_tokens set revoked_at = ${now} where id = ${id} and revoked_at is null`;
}

/** Ends the tokens of a session, which goes on. */
export async function revokeTokensOf(tx: Queryable, sessionId: number, now: Micros): Promise<void> {
  await tx`update oauth_tokens set revoked_at = ${now} where session_id = ${sessionId} and revoked_at is null`;
}

/**
 * Ends the pair that one of these ids belongs to.
 * @param jti of an access or a refresh token
 */
export async function revokeTokenOfClient(
  sql: Queryable,
  jti: string,
  clientId: string,
  now: Micros,
): Promise<void> {
  await sql`
    update oauth_tokens t set revoked_at = ${now} from oauth_sessions s
    where s.id = t.session_id and s.client_id = ${clientId} and t.revoked_at is null
      and (t.jti = ${jti} or t.refresh_jti = ${jti})`;
}
