/**
 * A short token for an API key (the grant `client_credentials` of RFC 6749, 4.4, with the key as the secret): clients
 * then send the token with each file of an install, and not the key.
 */
import { microsOf } from "../../schemas/time.ts";
import { isReadOnly } from "../../store/postgres/pool.ts";
import type { KeyRow } from "../../store/queries/keys.ts";
import { keyBySecret } from "../auth/authentication.ts";
import { type Call, textParameter } from "../call.ts";
import { readOnlyError } from "../read-only.ts";
import { type Bearer, findBearer, readableRepositories } from "./bearer.ts";
import { requireClient } from "./client.ts";
import { OAuthError } from "./errors.ts";
import { beginSession, issueTokens, issueUnstored, type TokenAnswer } from "./issue.ts";
import { isForFilesAlone, requestedScopes, scopesOfKey } from "./scopes.ts";

/** @throws OAuthError; ApiError 503 for more than files while nothing can be written */
export async function exchangeKey(call: Call): Promise<TokenAnswer> {
  const { deps } = call;
  const client = await requireClient(call, "client_credentials");
  const { key, bearer } = await requireKey(call);
  const requested = requestedScopes(call.params.scope);
  if (requested === undefined) throw new OAuthError("invalid_scope", "Invalid scope");
  const repositories = await readableRepositories(deps, deps.sql, bearer);
  const scopes = scopesOfKey(key.permissions, requested, repositories);
  if (scopes === undefined) {
    throw new OAuthError("invalid_scope", "Requested scopes exceed API key permissions");
  }
  const readOnly = deps.readOnly.current();
  const now = microsOf(deps.clock());
  const unstored = (refusal: () => unknown) => {
    if (!isForFilesAlone(scopes)) throw refusal();
    return issueUnstored(deps, bearer, scopes, now);
  };
  if (readOnly !== undefined) return unstored(() => readOnlyError(readOnly));
  const { ip, userAgent } = call;
  const name = textParameter(call, "name");
  const session = { bearer, client, grant: "client_credentials", name, scopes, ip, userAgent, now } as const;
  try {
    return (await deps.sql.begin(async (tx) => {
      const begun = await beginSession(tx, session);
      return issueTokens(deps, tx, begun, { now, refresh: false });
    })) as TokenAnswer;
  } catch (error) {
    // Postgres itself takes no writes, perhaps after a failover. Installs go on.
    if (!isReadOnly(error)) throw error;
    return unstored(() => error);
  }
}

async function requireKey(call: Call): Promise<{ readonly key: KeyRow; readonly bearer: Bearer }> {
  const { deps } = call;
  const secret = textParameter(call, "client_secret");
  if (secret === undefined) throw new OAuthError("invalid_request", "Missing or invalid client_secret");
  const key = await keyBySecret(deps, secret);
  const now = microsOf(deps.clock());
  const isLive = key !== undefined && (key.revokeAt === null || key.revokeAt >= now);
  const bearer = isLive ? await findBearer(deps.sql, key) : undefined;
  if (key === undefined || bearer === undefined) throw new OAuthError("invalid_client", "Invalid API key");
  return { key, bearer };
}
