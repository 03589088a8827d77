/** Programs that may ask people to be let in. */
import type { Queryable } from "../postgres/pool.ts";

export const GRANT_TYPES = [
  "device_code",
  "refresh_token",
  "client_credentials",
  "authorization_code",
] as const;
export type GrantType = (typeof GRANT_TYPES)[number];

export interface OAuthClientRow {
  readonly clientId: string;
  readonly name: string;
  readonly type: "public" | "confidential";
  /** SHA-256 of a confidential client's secret. */
  readonly secretHash: string | null;
  readonly grants: readonly GrantType[];
  readonly redirectUris: readonly string[];
  readonly scopes: readonly string[];
}

const columns = (sql: Queryable) => sql`
  client_id as "clientId", name, type, secret_hash as "secretHash", grants, redirect_uris as "redirectUris", scopes`;

/** @param clientId a UUID */
export async function oauthClient(sql: Queryable, clientId: string): Promise<OAuthClientRow | undefined> {
  const [row] = await sql<OAuthClientRow[]>`
    select ${columns(sql)} from oauth_clients where client_id = ${clientId}`;
  return row;
}

export function oauthClients(sql: Queryable): Promise<readonly OAuthClientRow[]> {
  return sql<
    OAuthClientRow[]
  >`select ${columns(sql)} from oauth_clients order by inserted_at, name collate "C"`;
}

export async function insertOAuthClient(sql: Queryable, client: OAuthClientRow): Promise<void> {
  await sql`
    insert into oauth_clients (client_id, name, type, secret_hash, grants, redirect_uris, scopes)
    values (${client.clientId}, ${client.name}, ${client.type}, ${client.secretHash},
      ${client.grants as string[]}::text[], ${client.redirectUris as string[]}::text[], ${client.scopes as string[]}::text[])`;
}

/** Ends all that was granted to it. @returns whether there was one. */
export async function deleteOAuthClient(sql: Queryable, clientId: string): Promise<boolean> {
  return (await sql`delete from oauth_clients where client_id = ${clientId} returning 1`).length > 0;
}
