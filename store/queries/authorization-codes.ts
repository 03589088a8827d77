/** Codes that a browser carries from the page on which somebody let a program in, back to that program. */
import type { Micros } from "../../schemas/time.ts";
import type { Queryable, Transaction } from "../postgres/pool.ts";

export interface AuthorizationCodeRow {
  readonly id: number;
  readonly clientId: string;
  readonly userId: number;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly codeChallenge: string;
  readonly expiresAt: Micros;
  readonly usedAt: Micros | null;
  readonly sessionId: number | null;
}

export interface NewAuthorizationCode {
  readonly codeHash: string;
  readonly clientId: string;
  readonly userId: number;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly codeChallenge: string;
  readonly expiresAt: Micros;
}

export async function insertAuthorizationCode(sql: Queryable, code: NewAuthorizationCode): Promise<void> {
  await sql`
    insert into oauth_authorization_codes
      (code_hash, client_id, user_id, redirect_uri, scopes, code_challenge, expires_at)
    values (${code.codeHash}, ${code.clientId}, ${code.userId}, ${code.redirectUri},
      ${code.scopes as string[]}::text[], ${code.codeChallenge}, ${code.expiresAt})`;
}

/** @returns the code under a lock, so that it is used once. */
export async function lockAuthorizationCode(
  tx: Transaction,
  codeHash: string,
): Promise<AuthorizationCodeRow | undefined> {
  const [row] = await tx<AuthorizationCodeRow[]>`
    select id, client_id as "clientId", user_id as "userId", redirect_uri as "redirectUri", scopes,
      code_challenge as "codeChallenge", expires_at as "expiresAt", used_at as "usedAt", session_id as "sessionId"
    from oauth_authorization_codes where code_hash = ${codeHash} for update`;
  return row;
}

export async function useAuthorizationCode(
  tx: Transaction,
  id: number,
  sessionId: number,
  now: Micros,
): Promise<void> {
  await tx`update oauth_authorization_codes set used_at = ${now}, session_id = ${sessionId} where id = ${id}`;
}
