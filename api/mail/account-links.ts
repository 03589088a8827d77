/** The links by which a mail shows that somebody reads an address: verification, and a new password. */

import { normalizeUsername } from "../../hex/names.ts";
import { type Micros, micros, microsOf } from "../../schemas/time.ts";
import { isDuplicate, type Transaction } from "../../store/postgres/pool.ts";
import {
  finishVerification,
  insertPasswordReset,
  openVerification,
  setPassword,
  setVerificationKey,
  takePasswordReset,
} from "../../store/queries/account-links.ts";
import { type UserRow, userByLogin } from "../../store/queries/users.ts";
import { sameSecret } from "../auth/key-secret.ts";
import { hashPassword } from "../auth/password.ts";
import { hashToken } from "../auth/token-hash.ts";
import { isStorable } from "../http/body.ts";
import type { ApiDependencies } from "../settings.ts";
import { type MailSettings, senderOf, sendTo, sendToUsers } from "./outbox.ts";
import { passwordChangedMail, passwordResetMail, verificationMail } from "./templates.ts";

const DAY_MICROS = 86_400_000_000;
const KEY_BYTES = 16;

export interface LinkDependencies extends Pick<ApiDependencies, "random" | "clock"> {
  readonly settings: MailSettings;
}

/** Mails a link that verifies the address. Takes the place of the one before. */
export async function requestVerification(
  deps: LinkDependencies,
  tx: Transaction,
  account: { readonly id: number; readonly username: string; readonly email: string },
): Promise<void> {
  const { username, email } = account;
  const key = newKey(deps);
  await setVerificationKey(tx, account.id, email, hashToken(key), tomorrow(deps));
  await sendTo(
    tx,
    deps.settings,
    [email],
    verificationMail(senderOf(deps.settings), { username, email, key }),
  );
}

/**
 * @param link the query of the link, from anybody
 * @returns whether the address is verified by it; the same false for every reason.
 */
export async function verifyEmail(
  deps: Pick<ApiDependencies, "sql" | "clock">,
  link: { readonly username: string; readonly email: string; readonly key: string },
): Promise<boolean> {
  if (![link.username, link.email, link.key].every(isStorable)) return false;
  const username = normalizeUsername(link.username);
  const found = await openVerification(deps.sql, username, link.email.toLowerCase(), microsOf(deps.clock()));
  if (found === undefined || !sameSecret(found.keyHash, hashToken(link.key))) return false;
  try {
    return await finishVerification(deps.sql, found);
  } catch (error) {
    // Another account has verified the address since this one named it.
    if (isDuplicate(error, "emails_verified")) return false;
    throw error;
  }
}

/** Mails a link to choose a new password. Takes the place of the one before. */
export async function requestPasswordReset(
  deps: LinkDependencies,
  tx: Transaction,
  user: Pick<UserRow, "id" | "username">,
): Promise<void> {
  const key = newKey(deps);
  await insertPasswordReset(tx, user.id, hashToken(key), tomorrow(deps));
  const mail = passwordResetMail(senderOf(deps.settings), { username: user.username, key });
  await sendToUsers(tx, deps.settings, [user.id], mail, { optional: false });
}

/**
 * Sets the password that somebody has chosen by a link.
 * @param link from anybody; the password has passed the rules for one
 * @param alongside runs in the same transaction: the audit entry, the end of sessions
 * @returns the user, undefined when the link is not valid; the same for every reason.
 */
export async function resetPassword(
  deps: LinkDependencies & Pick<ApiDependencies, "sql">,
  link: { readonly username: string; readonly key: string; readonly password: string },
  alongside: (tx: Transaction, user: UserRow) => Promise<void>,
): Promise<UserRow | undefined> {
  if (![link.username, link.key].every(isStorable)) return undefined;
  // Before anything is looked up, so that the time tells nothing about the account.
  const passwordHash = await hashPassword(link.password, deps.random);
  const user = await userByLogin(deps.sql, normalizeUsername(link.username));
  if (user === undefined) return undefined;
  const done = await deps.sql.begin(async (tx) => {
    if (!(await takePasswordReset(tx, user.id, hashToken(link.key), microsOf(deps.clock())))) return false;
    await changePassword(deps, tx, user, passwordHash);
    await alongside(tx, user);
    return true;
  });
  return done ? user : undefined;
}

/** Sets a password and tells its owner so. */
export async function changePassword(
  deps: { readonly settings: MailSettings },
  tx: Transaction,
  user: Pick<UserRow, "id" | "username">,
  passwordHash: string,
): Promise<void> {
  await setPassword(tx, user.id, passwordHash);
  const mail = passwordChangedMail(senderOf(deps.settings), user.username);
  await sendToUsers(tx, deps.settings, [user.id], mail, { optional: false });
}

function newKey(deps: Pick<ApiDependencies, "random">): string {
  return Buffer.from(deps.random(KEY_BYTES)).toString("hex");
}

function tomorrow(deps: Pick<ApiDependencies, "clock">): Micros {
  return micros(microsOf(deps.clock()) + DAY_MICROS);
}
