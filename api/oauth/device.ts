/** The device flow (RFC 8628): a program without a browser shows a code, and a person lets it in elsewhere. */
import { type Micros, micros, microsOf } from "../../schemas/time.ts";
import type { Transaction } from "../../store/postgres/pool.ts";
import { type DeviceCodeRow, insertDeviceCode, lockDeviceCode } from "../../store/queries/device-codes.ts";
import { liveOAuthSession } from "../../store/queries/oauth-sessions.ts";
import { revokeTokensOf } from "../../store/queries/oauth-tokens.ts";
import { hashToken } from "../auth/token-hash.ts";
import { type Answer, type Call, textParameter } from "../call.ts";
import { findBearer } from "./bearer.ts";
import { authenticateClient, requireClient } from "./client.ts";
import { OAuthError } from "./errors.ts";
import { issueTokens, type TokenAnswer } from "./issue.ts";
import { expandApi, isAllowed, requestedScopes } from "./scopes.ts";
import { newUserCode } from "./user-code.ts";

const CODE_SECONDS = 600;
const POLL_SECONDS = 5;
const DEVICE_CODE_BYTES = 24;

/** `POST /oauth/device_authorization` @throws OAuthError */
export async function beginDevice(call: Call): Promise<Answer> {
  const { deps } = call;
  const client = await requireClient(call, "device_code");
  const scopes = requestedScopes(call.params.scope);
  if (scopes === undefined || !scopes.every((scope) => isAllowed(scope, client.scopes))) {
    throw new OAuthError("invalid_scope", "Invalid scope");
  }
  const deviceCode = Buffer.from(deps.random(DEVICE_CODE_BYTES)).toString("base64url");
  const userCode = await storeCode(call, {
    deviceCodeHash: hashToken(deviceCode),
    clientId: client.clientId,
    name: textParameter(call, "name") ?? null,
    scopes: expandApi(scopes),
    expiresAt: micros((deps.clock().getTime() + CODE_SECONDS * 1000) * 1000),
  });
  const page = `${deps.settings.publicUrl}/oauth/device`;
  return {
    status: 200,
    body: {
      device_code: deviceCode,
      user_code: userCode,
      verification_uri: page,
      verification_uri_complete: `${page}?user_code=${userCode}`,
      expires_in: CODE_SECONDS,
      interval: POLL_SECONDS,
    },
  };
}

type Unnamed = Omit<Parameters<typeof insertDeviceCode>[1], "userCode">;

async function storeCode({ deps }: Call, code: Unnamed): Promise<string> {
  for (;;) {
    const userCode = newUserCode(deps.random);
    if (await insertDeviceCode(deps.sql, { ...code, userCode })) return userCode;
  }
}

/** What a poll gets. @throws OAuthError, `authorization_pending` while nobody has decided */
export async function redeemDevice(call: Call): Promise<TokenAnswer> {
  const { deps } = call;
  const client = await authenticateClient(call, "device_code");
  const given = textParameter(call, "device_code");
  const now = microsOf(deps.clock());
  return deps.sql.begin(async (tx) => {
    const code = given === undefined ? undefined : await lockDeviceCode(tx, hashToken(given));
    if (code === undefined) throw new OAuthError("invalid_grant", "Invalid device code");
    if (code.clientId !== client.clientId) throw new OAuthError("invalid_client", "Invalid client");
    if (code.expiresAt <= now) throw new OAuthError("expired_token", "Device code has expired");
    if (code.state === "denied") throw DENIED();
    if (code.state === "pending") throw new OAuthError("authorization_pending", "Authorization pending");
    return redeemAuthorized(call, tx, code, now);
  }) as Promise<TokenAnswer>;
}

async function redeemAuthorized(
  { deps }: Call,
  tx: Transaction,
  code: DeviceCodeRow,
  now: Micros,
): Promise<TokenAnswer> {
  const row = code.sessionId === null ? undefined : await liveOAuthSession(tx, code.sessionId, now);
  const bearer = row && (await findBearer(tx, row));
  // Whoever let it in has thought better of it since, or was turned away.
  if (row === undefined || bearer === undefined) throw DENIED();
  // An answer may be lost on its way: the device asks again, and only the last tokens are worth anything.
  await revokeTokensOf(tx, row.id, now);
  const from = code.authorizedAt ?? now;
  return issueTokens(deps, tx, { ...row, bearer }, { now, from, refresh: true });
}

const DENIED = () => new OAuthError("access_denied", "Authorization denied by user");
