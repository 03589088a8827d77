/**
 * Who may read a private repository. An access token is judged by its signature and scope alone, so that installs go
 * on without the database; an API key is looked up each time, so that a revoked one is worth nothing at once.
 */
import type { RepositoryName } from "../hex/ids.ts";
import { GENERATOR_ALGORITHM, isGeneratorToken } from "../schemas/access-token/generator-token.ts";
import { opensRepository, readToken, tokenHeader } from "../schemas/access-token/token.ts";
import { type Micros, microsOf } from "../schemas/time.ts";
import { hashKeySecret, sameSecret } from "../store/key-secret.ts";
import type { Sql } from "../store/postgres/pool.ts";
import { isTouchDue, type KeyPermission, touchKey } from "../store/queries/keys.ts";
import { type KeyReader, keyReader } from "../store/queries/readers.ts";
import type { KeySource } from "./renewed-keys.ts";

/** Why somebody may not. Of a repository that is not there and one of others, both are told the same. */
export interface Refusal {
  /** 401: the credential is none; 403: it is not enough. */
  readonly status: 401 | 403;
  readonly reason: string;
}

export interface PrivateReaders {
  /**
   * @param authorization the header as it was sent
   * @returns undefined for somebody who may.
   * @throws what the database or a source of keys throws.
   */
  refusal(repository: RepositoryName, authorization: string | undefined): Promise<Refusal | undefined>;
}

export interface ReadersSettings {
  /** Where API keys are looked up, and the secret that they are hashed with. Absent: tokens open alone. */
  readonly apiKeys?: { readonly sql: Sql; readonly secret: string } | undefined;
  /** Of access tokens. */
  readonly tokenKeys: KeySource;
  /** The registry's own, with which the generator signs its tokens. */
  readonly registryKeys: KeySource;
  readonly clock: () => Date;
}

const MISSING: Refusal = { status: 401, reason: "missing authentication information" };
const INVALID: Refusal = { status: 401, reason: "invalid API key" };
const TOKENS_ONLY: Refusal = { status: 401, reason: "API keys are not looked up here, use an access token" };
const REVOKED: Refusal = { status: 401, reason: "API key revoked" };
const UNFIT: Refusal = { status: 401, reason: "key not authorized for this action" };
const UNVERIFIED: Refusal = { status: 403, reason: "email not verified" };
const FOREIGN: Refusal = { status: 403, reason: "account not authorized for this action" };
const UNPAID: Refusal = { status: 403, reason: "organization has no active billing subscription" };

export function createPrivateReaders(settings: ReadersSettings): PrivateReaders {
  const { apiKeys, tokenKeys, registryKeys, clock } = settings;

  async function refusalOfBearer(token: string, repository: RepositoryName): Promise<Refusal | undefined> {
    const { algorithm, keyId } = tokenHeader(token);
    if (algorithm === GENERATOR_ALGORITHM) {
      const { publicKeys } = await registryKeys.keysFor(keyId);
      return (await isGeneratorToken(publicKeys, token, clock())) ? undefined : INVALID;
    }
    // Whatever it says of itself: nothing but ES256 is verified.
    const claims = await readToken(await tokenKeys.keysFor(keyId), token, clock());
    if (claims === undefined || claims.kind !== "access") return INVALID;
    return opensRepository(claims, repository) ? undefined : FOREIGN;
  }

  async function refusalOfKey(secret: string, repository: RepositoryName): Promise<Refusal | undefined> {
    if (apiKeys === undefined) return TOKENS_ONLY;
    const { sql } = apiKeys;
    const { first, second } = hashKeySecret(apiKeys.secret, secret);
    const reader = await keyReader(sql, first, repository);
    if (reader === undefined || !sameSecret(reader.secretSecond, second)) return INVALID;
    const now = microsOf(clock());
    const refusal = refusalOfReader(reader, repository, now);
    if (refusal === undefined && isTouchDue(reader, now)) {
      // For people to know which keys are in use. An install must not fail for it.
      await touchKey(sql, reader.keyId, { at: now, ip: "", agent: "" }).catch(() => undefined);
    }
    return refusal;
  }

  return {
    async refusal(repository, authorization) {
      if (authorization === undefined || authorization === "") return MISSING;
      // A password would be sent along with every file of an install.
      if (/^basic /i.test(authorization)) return INVALID;
      const token = /^bearer +(.*)$/i.exec(authorization)?.[1];
      return token === undefined
        ? refusalOfKey(authorization, repository)
        : refusalOfBearer(token, repository);
    },
  };
}

/** In the order in which the API asks the same. */
function refusalOfReader(reader: KeyReader, repository: string, now: Micros): Refusal | undefined {
  const { user, permissions, revokeAt } = reader;
  if (user?.account) return INVALID;
  if (revokeAt !== null && revokeAt < now) return REVOKED;
  if (user?.deactivated) return INVALID;
  if (user?.service) return undefined;
  if (user?.verified === false) return UNVERIFIED;
  if (!permissions.some((permission) => covers(permission, repository))) return UNFIT;
  if (!reader.belongs) return FOREIGN;
  return reader.billingActive === false ? UNPAID : undefined;
}

function covers({ domain, resource }: KeyPermission, repository: string): boolean {
  return domain === "repositories" || (domain === "repository" && resource === repository);
}
