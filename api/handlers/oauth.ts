/** The OAuth endpoints: how programs come by tokens. None of them asks for a credential. */
import type { Call, Handler } from "../call.ts";
import { redeemCode } from "../oauth/authorization-code.ts";
import { beginDevice, redeemDevice } from "../oauth/device.ts";
import { answeringErrors, OAuthError } from "../oauth/errors.ts";
import type { TokenAnswer } from "../oauth/issue.ts";
import { exchangeKey } from "../oauth/key-exchange.ts";
import { redeemRefresh } from "../oauth/refresh.ts";
import { readOnlyError } from "../read-only.ts";

const GRANTS: ReadonlyMap<unknown, (call: Call) => Promise<TokenAnswer>> = new Map([
  ["urn:ietf:params:oauth:grant-type:device_code", redeemDevice],
  ["refresh_token", redeemRefresh],
  ["client_credentials", exchangeKey],
  ["authorization_code", redeemCode],
]);

/** What must not be kept by anybody in between (RFC 6749, 5.1). */
const UNKEPT = { "cache-control": "no-store", pragma: "no-cache" };

export const beginDeviceFlow: Handler = answeringErrors(async (call) => ({
  ...(await beginDevice(call)),
  headers: UNKEPT,
}));

export const issueToken: Handler = answeringErrors(async (call) => {
  const redeem = GRANTS.get(call.params.grant_type);
  if (redeem === undefined) throw new OAuthError("unsupported_grant_type", "Unsupported grant type");
  const readOnly = call.deps.readOnly.current();
  // An exchanged key needs nothing that is written: private installs go on.
  if (readOnly !== undefined && redeem !== exchangeKey) throw readOnlyError(readOnly);
  return { status: 200, body: await redeem(call), headers: UNKEPT };
});
