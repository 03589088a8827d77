/** Ends tokens (RFC 7009): whatever is given, the answer is the same. */

import { readToken } from "../../schemas/access-token/token.ts";
import { microsOf } from "../../schemas/time.ts";
import { revokeOAuthSession } from "../../store/queries/oauth-sessions.ts";
import { revokeTokenOfClient, sessionOfRefresh } from "../../store/queries/oauth-tokens.ts";
import { type Answer, type Handler, textParameter } from "../call.ts";
import { findClient } from "./client.ts";

const DONE: Answer = { status: 200 };

/** `POST /oauth/revoke`: one pair of tokens, by either of them. */
export const revoke: Handler = async (call) => {
  const { deps } = call;
  const client = await findClient(deps, textParameter(call, "client_id") ?? "");
  const claims = await readToken(deps.tokenKeys, textParameter(call, "token") ?? "", deps.clock());
  if (client === undefined || claims === undefined) return DONE;
  await revokeTokenOfClient(deps.sql, claims.id, client.clientId, microsOf(deps.clock()));
  return DONE;
};

/**
 * `POST /oauth/revoke_by_hash`: a whole session, by the SHA-256 of any refresh token that it ever had. Clients that
 * keep only the hash of a token that they have replaced end what they lost with it.
 */
export const revokeByHash: Handler = async (call) => {
  const { sql, clock } = call.deps;
  const hash = (textParameter(call, "token_hash") ?? "").toLowerCase();
  const session = /^[0-9a-f]{64}$/.test(hash) ? await sessionOfRefresh(sql, hash) : undefined;
  if (session !== undefined) await revokeOAuthSession(sql, session, microsOf(clock()));
  return DONE;
};
