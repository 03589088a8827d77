/** Issues tokens: the one place that makes any. */
import { signToken, type TokenClaims } from "../../schemas/access-token/token.ts";
import { type Micros, micros } from "../../schemas/time.ts";
import type { Transaction } from "../../store/postgres/pool.ts";
import type { GrantType, OAuthClientRow } from "../../store/queries/oauth-clients.ts";
import { insertOAuthSession } from "../../store/queries/oauth-sessions.ts";
import { insertOAuthToken } from "../../store/queries/oauth-tokens.ts";
import { endOldestSessions, MOST_SESSIONS } from "../../store/queries/sessions.ts";
import { hashToken } from "../auth/token-hash.ts";
import type { ApiDependencies } from "../settings.ts";
import { type Bearer, ownerOf, readableRepositories, subjectOf } from "./bearer.ts";
import { scopesOfToken } from "./scopes.ts";

type Issuer = Pick<ApiDependencies, "tokenKeys" | "random" | "settings">;

const ACCESS_SECONDS = 1_800;
const SESSION_SECONDS = 30 * 24 * 3_600;
const ID_BYTES = 16;

/** What a client is given (RFC 6749, 5.1). */
export interface TokenAnswer {
  readonly access_token: string;
  readonly token_type: "bearer";
  readonly expires_in: number;
  readonly scope: string;
  readonly refresh_token?: string;
}

export interface NewSession {
  readonly bearer: Bearer;
  readonly client: Pick<OAuthClientRow, "clientId">;
  readonly grant: GrantType;
  readonly name: string | undefined;
  /** As granted. */
  readonly scopes: readonly string[];
  readonly ip: string;
  readonly userAgent: string;
  readonly now: Micros;
}

export interface Session {
  readonly id: number;
  readonly bearer: Bearer;
  readonly scopes: readonly string[];
  readonly expiresAt: Micros;
}

/** Begins a session; the one that its owner has not used for the longest time ends when there are too many. */
export async function beginSession(tx: Transaction, session: NewSession): Promise<Session> {
  const { bearer, client, grant, scopes, now } = session;
  const seconds = grant === "client_credentials" ? ACCESS_SECONDS : SESSION_SECONDS;
  const expiresAt = micros(now + seconds * 1_000_000);
  const owner = ownerOf(bearer);
  const { ip, userAgent, name = null } = session;
  const row = { owner, clientId: client.clientId, grant, name, scopes, ip, userAgent, now, expiresAt };
  const id = await insertOAuthSession(tx, row);
  const seats = bearer.kind === "organization" ? (bearer.organization.seats ?? Number.MAX_SAFE_INTEGER) : 0;
  await endOldestSessions(tx, owner, Math.max(MOST_SESSIONS, seats), now);
  return { id, bearer, scopes, expiresAt };
}

/**
 * An access token of a session, with the refresh token beside it.
 * @param from when the access token's time began
 * @param refresh whether there is a refresh token
 */
export async function issueTokens(
  deps: Issuer,
  tx: Transaction,
  session: Session,
  { now, from = now, refresh }: { readonly now: Micros; readonly from?: Micros; readonly refresh: boolean },
): Promise<TokenAnswer> {
  const { bearer } = session;
  const scopes = scopesOfToken(session.scopes, await readableRepositories(deps, tx, bearer));
  const expiresAt = Math.min(secondsOf(from) + ACCESS_SECONDS, secondsOf(session.expiresAt));
  const make = (kind: TokenClaims["kind"], granted: readonly string[], until: number) =>
    newToken(deps, { subject: subjectOf(bearer), scopes: granted, expiresAt: until, kind }, now);
  const access = await make("access", scopes, expiresAt);
  const again = refresh ? await make("refresh", session.scopes, secondsOf(session.expiresAt)) : undefined;
  await insertOAuthToken(tx, {
    sessionId: session.id,
    jti: access.jti,
    scopes,
    expiresAt: micros(expiresAt * 1_000_000),
    refresh: again && { jti: again.jti, hash: hashToken(again.token) },
  });
  return tokenAnswer(access.token, expiresAt - secondsOf(now), scopes, again?.token);
}

/**
 * A token that is written down nowhere, for a database that takes no writes. The API knows it not, servers of files
 * believe it.
 * @param scopes of repositories alone
 */
export async function issueUnstored(
  deps: Issuer,
  bearer: Bearer,
  scopes: readonly string[],
  now: Micros,
): Promise<TokenAnswer> {
  // Clients take a token for used up five minutes before it is.
  const seconds = ACCESS_SECONDS / 2;
  const expiresAt = secondsOf(now) + seconds;
  const claims = { subject: subjectOf(bearer), scopes, expiresAt, kind: "access" } as const;
  const { token } = await newToken(deps, claims, now);
  return tokenAnswer(token, seconds, scopes, undefined);
}

async function newToken(
  { tokenKeys, random }: Issuer,
  claims: Omit<TokenClaims, "id">,
  now: Micros,
): Promise<{ readonly jti: string; readonly token: string }> {
  const jti = Buffer.from(random(ID_BYTES)).toString("base64url");
  return { jti, token: await signToken(tokenKeys, { ...claims, id: jti }, secondsOf(now)) };
}

function tokenAnswer(
  access: string,
  seconds: number,
  scopes: readonly string[],
  refresh: string | undefined,
): TokenAnswer {
  return {
    access_token: access,
    token_type: "bearer",
    expires_in: Math.max(0, seconds),
    scope: scopes.join(" "),
    ...(refresh === undefined ? {} : { refresh_token: refresh }),
  };
}

function secondsOf(at: Micros): number {
  return Math.floor(at / 1_000_000);
}
