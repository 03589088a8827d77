/** From the Authorization header to a principal. */
import { readToken } from "../../schemas/access-token/token.ts";
import { microsOf } from "../../schemas/time.ts";
import { isReadOnly } from "../../store/postgres/pool.ts";
import { isTouchDue, type KeyRow, keyByHash, touchKey } from "../../store/queries/keys.ts";
import { touchOAuthSession } from "../../store/queries/oauth-sessions.ts";
import { liveToken } from "../../store/queries/oauth-tokens.ts";
import { userByLogin } from "../../store/queries/users.ts";
import { isStorable } from "../http/body.ts";
import { badRequest, unauthorized } from "../http/errors.ts";
import { limitSignIns } from "../limits/sign-in.ts";
import { bearerOf, subjectOf } from "../oauth/bearer.ts";
import type { ApiDependencies } from "../settings.ts";
import { hashKeySecret, sameSecret } from "./key-secret.ts";
import { verifyPassword } from "./password.ts";
import type { Principal } from "./principal.ts";

export interface RequestOrigin {
  readonly ip: string;
  readonly userAgent: string;
}

/**
 * @param header undefined without one, or with several: anonymous
 * @throws ApiError 401 for a credential that is not valid, 400 for a deactivated account.
 */
export async function authenticate(
  deps: ApiDependencies,
  header: string | undefined,
  origin: RequestOrigin,
): Promise<Principal> {
  if (header === undefined) return { kind: "none" };
  const principal = await authenticateHeader(deps, header, origin);
  if (principal.kind === "user" && principal.user.deactivatedAt !== null) throw badRequest();
  return principal;
}

function authenticateHeader(
  deps: ApiDependencies,
  header: string,
  origin: RequestOrigin,
): Promise<Principal> {
  const [, scheme, value = ""] = /^(Basic|Bearer) (.*)$/s.exec(header) ?? [];
  if (scheme === "Basic") return authenticateBasic(deps, value, origin);
  if (scheme === "Bearer") return authenticateToken(deps, value, origin);
  return authenticateKey(deps, header, origin);
}

async function authenticateBasic(
  deps: ApiDependencies,
  encoded: string,
  origin: RequestOrigin,
): Promise<Principal> {
  if (!deps.settings.basicAuth) {
    const text = "Basic authentication is disabled. Update your client to use OAuth or an API key.";
    throw unauthorized(text, 'Bearer realm="hex"');
  }
  const decoded = Buffer.from(encoded, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  if (!/^[A-Za-z0-9+/]+=*$/.test(encoded) || colon < 0 || !isStorable(decoded))
    throw unauthorized("invalid authentication information");
  const login = decoded.slice(0, colon).toLowerCase();
  const user = await limitSignIns(deps, origin.ip, async () => {
    const found = await userByLogin(deps.sql, login);
    const hash = found?.organizationId === null ? found.passwordHash : null;
    const right = await verifyPassword(decoded.slice(colon + 1), hash);
    return right ? found : undefined;
  });
  if (user === undefined) throw unauthorized("invalid username and password combination");
  // Only verified addresses log in; with a username the primary one counts.
  return {
    kind: "user",
    user,
    credential: { kind: "basic", verified: login !== user.username || user.verified },
  };
}

/** @returns the key with that secret, revoked or not. */
export async function keyBySecret(
  { sql, keySecret }: Pick<ApiDependencies, "sql" | "keySecret">,
  secret: string,
): Promise<KeyRow | undefined> {
  const { first, second } = hashKeySecret(keySecret, secret);
  const key = await keyByHash(sql, first);
  return key !== undefined && sameSecret(key.secretSecond, second) ? key : undefined;
}

async function authenticateKey(
  deps: ApiDependencies,
  secret: string,
  origin: RequestOrigin,
): Promise<Principal> {
  const key = await keyBySecret(deps, secret);
  if (key === undefined) throw unauthorized("invalid API key");
  const now = microsOf(deps.clock());
  if (key.revokeAt !== null && key.revokeAt < now) throw unauthorized("API key revoked");
  const bearer = await bearerOf(deps.sql, key);
  if (bearer === undefined) throw unauthorized("invalid API key");
  if (isTouchDue(key, now)) {
    const use = { at: now, ip: origin.ip, agent: origin.userAgent };
    await rememberUse(deps, () => touchKey(deps.sql, key.id, use));
  }
  return { ...bearer, credential: { kind: "key", key } };
}

/** By signature and claims, and by what is stored: a token that was revoked is worth nothing at once. */
async function authenticateToken(
  deps: ApiDependencies,
  token: string,
  { ip }: RequestOrigin,
): Promise<Principal> {
  const { sql } = deps;
  const claims = await readToken(deps.tokenKeys, token, deps.clock());
  const now = microsOf(deps.clock());
  const row = claims?.kind === "access" ? await liveToken(sql, claims.id, now) : undefined;
  const bearer = row && (await bearerOf(sql, row));
  if (row === undefined || bearer === undefined || subjectOf(bearer) !== claims?.subject) {
    throw unauthorized("invalid API key");
  }
  if (isTouchDue(row, now)) await rememberUse(deps, () => touchOAuthSession(sql, row.sessionId, now, ip));
  return { ...bearer, credential: { kind: "oauth", scopes: row.scopes, sessionId: row.sessionId } };
}

/** For people to know what is in use; a request does not fail for it. */
async function rememberUse(deps: ApiDependencies, touch: () => Promise<void>): Promise<void> {
  if (deps.readOnly.current() !== undefined) return;
  await touch().catch((error: unknown) => {
    // Since we looked.
    if (!isReadOnly(error)) throw error;
  });
}
