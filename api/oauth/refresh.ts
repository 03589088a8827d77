/** New tokens for old ones (RFC 6749, 6), each refresh token once (RFC 9700, 4.14). */

import { readToken } from "../../schemas/access-token/token.ts";
import { microsOf } from "../../schemas/time.ts";
import { lockRefresh, revokeToken } from "../../store/queries/oauth-tokens.ts";
import { hashToken } from "../auth/token-hash.ts";
import { type Call, textParameter } from "../call.ts";
import { findBearer } from "./bearer.ts";
import { authenticateClient } from "./client.ts";
import { OAuthError } from "./errors.ts";
import { issueTokens, type TokenAnswer } from "./issue.ts";

/** @throws OAuthError */
export async function redeemRefresh(call: Call): Promise<TokenAnswer> {
  const { deps } = call;
  const client = await authenticateClient(call, "refresh_token");
  const given = textParameter(call, "refresh_token");
  if (given === undefined) throw new OAuthError("invalid_grant", "Missing refresh token");
  const claims = await readToken(deps.tokenKeys, given, deps.clock());
  const now = microsOf(deps.clock());
  return deps.sql.begin(async (tx) => {
    const row = claims?.kind === "refresh" ? await lockRefresh(tx, hashToken(given)) : undefined;
    if (row === undefined || row.clientId !== client.clientId) throw INVALID();
    if (row.revoked) throw new OAuthError("invalid_grant", "Refresh token has been revoked");
    if (row.sessionExpiresAt <= now) throw new OAuthError("invalid_grant", "Refresh token has expired");
    const bearer = await findBearer(tx, row);
    if (bearer === undefined) throw INVALID();
    await revokeToken(tx, row.tokenId, now);
    const session = { id: row.sessionId, bearer, scopes: row.scopes, expiresAt: row.sessionExpiresAt };
    return issueTokens(deps, tx, session, { now, refresh: true });
  }) as Promise<TokenAnswer>;
}

const INVALID = () => new OAuthError("invalid_grant", "Invalid refresh token");
