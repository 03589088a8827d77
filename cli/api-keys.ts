/** API keys made by hand. */
import { randomBytes } from "node:crypto";
import { hashKeySecret, newKeySecret } from "../api/auth/key-secret.ts";
import { readKeyRequest } from "../api/rules/key.ts";
import { auditedUser } from "../api/views/audit.ts";
import { SkepError } from "../schemas/errors.ts";
import { micros } from "../schemas/time.ts";
import type { Sql } from "../store/postgres/pool.ts";
import { audit } from "../store/queries/audit.ts";
import { insertKey, type KeyRow } from "../store/queries/keys.ts";
import { userByLogin } from "../store/queries/users.ts";
import { asSkepError } from "./report-error.ts";

export interface KeyWishes {
  readonly username: string;
  readonly name: string;
  /** `DOMAIN` or `DOMAIN:RESOURCE` each; none is everything. */
  readonly permissions: readonly string[];
  /** To which a package's name without one belongs. */
  readonly repository: string;
  readonly keySecret: string;
}

/**
 * Makes a key by the rules of the API.
 * @returns the key, and its secret, which is stored nowhere.
 * @throws SkepError `not_found` without the user, `usage` for what the rules refuse.
 */
export async function makeKey(
  sql: Sql,
  wishes: KeyWishes,
): Promise<{ readonly key: KeyRow; readonly secret: string }> {
  const user = await userByLogin(sql, wishes.username.toLowerCase());
  if (user === undefined) throw new SkepError("not_found", `there is no account ${wishes.username}`);
  const now = micros(Date.now() * 1000);
  const request = readRequest(wishes, now);
  const secret = newKeySecret(randomBytes);
  const { first, second } = hashKeySecret(wishes.keySecret, secret);
  const key = await sql.begin(async (tx) => {
    const made = await insertKey(
      tx,
      { ...request, userId: user.id, secretFirst: first, secretSecond: second },
      now,
    );
    await audit(tx, {
      action: "key.generate",
      params: {
        id: made.id,
        name: made.name,
        permissions: made.permissions,
        user: auditedUser(user),
        organization: null,
      },
      userId: user.id,
      keyId: null,
      userAgent: "skep key create",
      remoteIp: "",
    });
    return made;
  });
  return { key, secret };
}

function readRequest({ name, permissions, repository }: KeyWishes, now: ReturnType<typeof micros>) {
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
