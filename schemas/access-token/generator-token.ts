/**
 * The token with which the generator reads private files back through the CDN: a JSON Web Token (RFC 7519) that the
 * registry's own key signs (RS512; RFC 7518, 3.3), and that a server of files verifies with the public key that lies in
 * the store. Nobody has to keep a further secret for it.
 */
import type { KeyObject } from "node:crypto";
import { errors, jwtVerify } from "jose";

// Neither is an access token's, so that none is ever taken for the other.
const ISSUER = "skep-generator";
const AUDIENCE = "skep-edge";
const LEEWAY_SECONDS = 30;

export const GENERATOR_ALGORITHM = "RS512";
/** Enough for a round of purges, and too short to be worth stealing. */
export const GENERATOR_TOKEN_SECONDS = 600;

/** @param keyId thumbprint of the registry's key @param now Unix time in seconds @returns what is signed. */
export function generatorTokenInput(keyId: string, now: number): string {
  const header = { alg: GENERATOR_ALGORITHM, typ: "JWT", kid: keyId };
  const claims = {
    iss: ISSUER,
    aud: AUDIENCE,
    nbf: now - LEEWAY_SECONDS,
    exp: now + GENERATOR_TOKEN_SECONDS,
  };
  return [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
}

/** @returns whether the registry's generator has signed the token, and it is valid now. */
export async function isGeneratorToken(
  publicKeys: readonly KeyObject[],
  token: string,
  now: Date,
): Promise<boolean> {
  for (const key of publicKeys) {
    try {
      await jwtVerify(token, key, {
        algorithms: [GENERATOR_ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        currentDate: now,
        requiredClaims: ["exp", "nbf"],
      });
      return true;
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
    }
  }
  return false;
}
