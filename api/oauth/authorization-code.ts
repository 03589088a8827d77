/** Tokens for the code that a browser has carried (RFC 6749, 4.1), with PKCE (RFC 7636) for every client. */
import { type Micros, microsOf } from "../../schemas/time.ts";
import type { Transaction } from "../../store/postgres/pool.ts";
import {
  type AuthorizationCodeRow,
  lockAuthorizationCode,
  useAuthorizationCode,
} from "../../store/queries/authorization-codes.ts";
import type { OAuthClientRow } from "../../store/queries/oauth-clients.ts";
import { revokeOAuthSession } from "../../store/queries/oauth-sessions.ts";
import { hashToken } from "../auth/token-hash.ts";
import { type Call, textParameter } from "../call.ts";
import { findBearer } from "./bearer.ts";
import { authenticateClient } from "./client.ts";
import { OAuthError } from "./errors.ts";
import { beginInteractiveSession } from "./interactive.ts";
import { issueTokens, type TokenAnswer } from "./issue.ts";
import { answersChallenge } from "./pkce.ts";

/** @throws OAuthError */
export async function redeemCode(call: Call): Promise<TokenAnswer> {
  const { deps } = call;
  const client = await authenticateClient(call, "authorization_code");
  const given = textParameter(call, "code");
  if (given === undefined) throw new OAuthError("invalid_grant", "Missing authorization code");
  const now = microsOf(deps.clock());
  const answer = await deps.sql.begin(async (tx) => {
    const code = await lockAuthorizationCode(tx, hashToken(given));
    if (code === undefined || code.clientId !== client.clientId) {
      throw new OAuthError("invalid_grant", "Invalid authorization code");
    }
    if (code.usedAt !== null || code.expiresAt <= now) {
      // Somebody has read it on its way: what it was given for is taken back (RFC 6749, 4.1.2).
      if (code.sessionId !== null) await revokeOAuthSession(tx, code.sessionId, now);
      return undefined;
    }
    checkProof(call, code);
    return redeem(call, tx, client, code, now);
  });
  if (answer === undefined) {
    throw new OAuthError("invalid_grant", "Authorization code expired or already used");
  }
  return answer as TokenAnswer;
}

function checkProof(call: Call, code: AuthorizationCodeRow): void {
  if (textParameter(call, "redirect_uri") !== code.redirectUri) {
    throw new OAuthError("invalid_grant", "Redirect URI mismatch");
  }
  const verifier = textParameter(call, "code_verifier");
  if (verifier === undefined) {
    throw new OAuthError("invalid_grant", "Missing required parameter: code_verifier");
  }
  if (!answersChallenge(verifier, code.codeChallenge)) {
    throw new OAuthError("invalid_grant", "Invalid code verifier");
  }
}

async function redeem(
  call: Call,
  tx: Transaction,
  client: OAuthClientRow,
  code: AuthorizationCodeRow,
  now: Micros,
): Promise<TokenAnswer> {
  const { deps, ip, userAgent } = call;
  const bearer = await findBearer(tx, { userId: code.userId, organizationId: null });
  if (bearer?.kind !== "user") throw new OAuthError("invalid_grant", "Invalid authorization code");
  const name = textParameter(call, "name");
  const { scopes } = code;
  const agreed = {
    user: bearer.user,
    client,
    grant: "authorization_code",
    name,
    scopes,
    ip,
    userAgent,
    now,
  } as const;
  const session = await beginInteractiveSession(tx, agreed);
  await useAuthorizationCode(tx, code.id, session.id, now);
  return issueTokens(deps, tx, session, { now, refresh: true });
}
