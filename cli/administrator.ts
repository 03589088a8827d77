/** The first account of a new installation. */
import { randomBytes } from "node:crypto";
import { createAccount } from "../api/handlers/users.ts";
import { readNewAccount } from "../api/rules/user.ts";
import type { Sql } from "../store/postgres/pool.ts";
import { audit } from "../store/queries/audit.ts";
import { hasUsers } from "../store/queries/beginnings.ts";
import type { UserRow } from "../store/queries/users.ts";
import { asSkepError } from "./report-error.ts";

export const ADMINISTRATOR = "admin";
// `invalid` is a domain that nobody can have (RFC 2606).
const ADDRESS = "admin@skep.invalid";
const PASSWORD_BYTES = 12;

export interface AccountWishes {
  readonly username: string;
  readonly email: string;
  readonly fullName?: string | undefined;
  readonly password: string | null;
}

/**
 * Makes an account by the rules of the API, with a verified address.
 * @throws SkepError `usage` for what the rules refuse, `already_exists` for a name or address that is taken.
 */
export async function makeAccount(sql: Sql, wishes: AccountWishes): Promise<UserRow> {
  try {
    const account = readNewAccount({
      username: wishes.username,
      email: wishes.email,
      full_name: wishes.fullName,
      password: wishes.password,
    });
    const deps = { sql, random: randomBytes, settings: { trustEmails: true } };
    return await createAccount(deps, account, (tx, id) =>
      audit(tx, {
        action: "user.create",
        params: { id, username: account.username },
        userId: null,
        keyId: null,
        userAgent: "skep user create",
        remoteIp: "",
      }),
    );
  } catch (error) {
    throw asSkepError(error);
  }
}

/** @returns the password of the account that was made, undefined when there are accounts already. */
export async function ensureAdministrator(sql: Sql): Promise<string | undefined> {
  if (await hasUsers(sql)) return undefined;
  const password = randomBytes(PASSWORD_BYTES).toString("base64url");
  await makeAccount(sql, { username: ADMINISTRATOR, email: ADDRESS, password });
  return password;
}
