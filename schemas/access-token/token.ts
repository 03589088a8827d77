/**
 * Access and refresh tokens: JSON Web Tokens (RFC 7519) signed with ES256 (RFC 7518, 3.4), with the claims that Hex's
 * clients and content delivery networks know. The API asks its database as well; a server of files trusts the
 * signature, the time and the scopes alone.
 */
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify, SignJWT } from "jose";
import { keyIdOf, type TokenKeys, type TokenVerifiers } from "./keys.ts";

// Not the name of a registry but of the protocol: those who verify compare both.
const ISSUER = "hexpm";
const AUDIENCE = "hexpm:api";
/** For whoever verifies with a clock that is behind. */
const LEEWAY_SECONDS = 30;

export interface TokenClaims {
  /** `user:NAME` or `org:NAME` */
  readonly subject: string;
  /** Unique among all tokens; 16 random bytes in base64url. */
  readonly id: string;
  readonly scopes: readonly string[];
  /** Unix time in seconds. */
  readonly expiresAt: number;
  /** A refresh token opens nothing but the token endpoint. */
  readonly kind: "access" | "refresh";
}

/** @param issuedAt Unix time in seconds */
export function signToken(keys: TokenKeys, claims: TokenClaims, issuedAt: number): Promise<string> {
  return new SignJWT({
    scope: claims.scopes.join(" "),
    ...(claims.kind === "refresh" ? { use: "refresh" } : {}),
  })
    .setProtectedHeader({ alg: "ES256", typ: "JWT", kid: keyIdOf(keys.privateKey) })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(claims.subject)
    .setJti(claims.id)
    .setIssuedAt(issuedAt)
    .setNotBefore(issuedAt - LEEWAY_SECONDS)
    .setExpirationTime(claims.expiresAt)
    .sign(keys.privateKey);
}

/** What a token says of its signature, which nobody has verified yet: to find the key, and nothing else. */
export interface TokenHeader {
  readonly algorithm: string | undefined;
  readonly keyId: string | undefined;
}

export function tokenHeader(token: string): TokenHeader {
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    return { algorithm: alg, keyId: typeof kid === "string" ? kid : undefined };
  } catch {
    return { algorithm: undefined, keyId: undefined };
  }
}

/** @returns what a token says; undefined for one that is not ours, not valid yet or not any more. */
export async function readToken(
  { publicKeys }: TokenVerifiers,
  token: string,
  now: Date,
): Promise<TokenClaims | undefined> {
  for (const key of publicKeys) {
    const payload = await verifyWith(key, token, now);
    if (payload !== undefined) return claimsOf(payload);
  }
  return undefined;
}

type Key = TokenVerifiers["publicKeys"][number];

async function verifyWith(key: Key, token: string, now: Date): Promise<JWTPayload | undefined> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: ["ES256"],
      issuer: ISSUER,
      audience: AUDIENCE,
      currentDate: now,
      requiredClaims: ["sub", "jti", "exp", "nbf"],
    });
    return payload;
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}

function claimsOf({ sub, jti, exp, scope, use }: JWTPayload): TokenClaims | undefined {
  if (sub === undefined || jti === undefined || exp === undefined || typeof scope !== "string")
    return undefined;
  const scopes = scope.split(" ").filter((word) => word !== "");
  return { subject: sub, id: jti, scopes, expiresAt: exp, kind: use === "refresh" ? "refresh" : "access" };
}

/** @returns whether a token opens a private repository to its bearer, as a server of files judges it. */
export function opensRepository(claims: TokenClaims, repository: string): boolean {
  return claims.kind === "access" && claims.scopes.includes(`repository:${repository}`);
}
