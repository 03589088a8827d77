/** API keys made by hand. */
import { randomBytes } from "node:crypto";
import { hashKeySecret, newKeySecret } from "../api/auth/key-secret.ts";
import { readKeyRequest } from "../api/rules/key.ts";
import { auditedUser } from "../api/views/audit.ts";
import { auditedOrganization } from "../api/views/organization.ts";
import { micros } from "../schemas/time.ts";
import type { Sql } from "../store/postgres/pool.ts";
import { audit } from "../store/queries/audit.ts";
import { insertKey, type KeyOwner, type KeyRow } from "../store/queries/keys.ts";
import { requireUser } from "./operator.ts";
import { requireOrganization } from "./organizations.ts";
import { asSkepError } from "./report-error.ts";

interface Wishes {
  readonly name: string;
  /** `DOMAIN` or `DOMAIN:RESOURCE` each. */
  readonly permissions: readonly string[];
  /** To which a package's name without one belongs. */
  readonly repository: string;
  readonly keySecret: string;
}

/** No permissions are everything. */
export interface KeyWishes extends Wishes {
  readonly username: string;
}

/** No permissions are to fetch the organization's packages. */
export interface OrganizationKeyWishes extends Wishes {
  readonly organization: string;
}

/** A key, and its secret, which is stored nowhere. */
export interface MadeKey {
  readonly key: KeyRow;
  readonly secret: string;
}

/**
 * Makes a key by the rules of the API.
 * @throws SkepError `not_found` without the user, `usage` for what the rules refuse.
 */
export async function makeKey(sql: Sql, wishes: KeyWishes): Promise<MadeKey> {
  const user = await requireUser(sql, wishes.username);
  const audited = { user: auditedUser(user), organization: null };
  const by = { command: "skep key create", userId: user.id, organizationId: null };
  return insertNewKey(sql, { userId: user.id }, wishes, audited, by);
}

/** @throws SkepError as {@link makeKey} */
export async function makeOrganizationKey(sql: Sql, wishes: OrganizationKeyWishes): Promise<MadeKey> {
  const organization = await requireOrganization(sql, wishes.organization);
  const permissions =
    wishes.permissions.length === 0 ? [`repository:${organization.name}`] : wishes.permissions;
  const audited = { user: null, organization: auditedOrganization(organization) };
  const by = { command: "skep organization key", userId: null, organizationId: organization.id };
  return insertNewKey(sql, { organizationId: organization.id }, { ...wishes, permissions }, audited, by);
}

async function insertNewKey(
  sql: Sql,
  owner: KeyOwner,
  wishes: Wishes,
  audited: object,
  { command, ...by }: { command: string; userId: number | null; organizationId: number | null },
): Promise<MadeKey> {
  const now = micros(Date.now() * 1000);
  const request = readRequest(wishes, now);
  const secret = newKeySecret(randomBytes);
  const { first, second } = hashKeySecret(wishes.keySecret, secret);
  const key = await sql.begin(async (tx) => {
    const made = await insertKey(tx, { ...request, ...owner, secretFirst: first, secretSecond: second }, now);
    const { id, name, permissions } = made;
    await audit(tx, {
      action: "key.generate",
      params: { id, name, permissions, ...audited },
      ...by,
      keyId: null,
      userAgent: command,
      remoteIp: "",
    });
    return made;
  });
  return { key, secret };
}

function readRequest({ name, permissions, repository }: Wishes, now: ReturnType<typeof micros>) {
  const parsed = permissions.map((text) => {
    const [domain = "", resource] = text.split(/:(.*)/s, 2);
    return resource === undefined ? { domain } : { domain, resource };
  });
  try {
    return readKeyRequest({ name, permissions: parsed }, repository, now);
  } catch (error) {
    throw asSkepError(error);
  }
}
