/** Who is told of what, beside the audit log and in the same transaction. */
import type { Transaction } from "../../store/postgres/pool.ts";
import { ownerMailAddresses } from "../../store/queries/mails.ts";
import { personsBehind } from "../../store/queries/memberships.ts";
import { type MailSettings, senderOf, sendTo, sendToUsers } from "./outbox.ts";
import {
  keyMadeMail,
  keysRemovedMail,
  memberAddedMail,
  type OwnerChange,
  ownerMail,
  publishedMail,
  type TotpChange,
  totpMail,
} from "./templates.ts";

/** Everybody has to get this one. */
const REQUIRED = { optional: false };
const OPTIONAL = { optional: true };

/** Whose keys they are, and who is told: the user, or the organization's members. */
export interface KeyOwner {
  readonly name: string;
  readonly userIds: readonly number[];
}

export function tellKeyMade(
  tx: Transaction,
  settings: MailSettings,
  owner: KeyOwner,
  key: string,
): Promise<void> {
  const mail = keyMadeMail(senderOf(settings), owner.name, key);
  return sendToUsers(tx, settings, owner.userIds, mail, REQUIRED);
}

/** One mail, however many keys were removed at once. */
export async function tellKeysRemoved(
  tx: Transaction,
  settings: MailSettings,
  owner: KeyOwner,
  keys: readonly string[],
): Promise<void> {
  if (keys.length === 0) return;
  const mail = keysRemovedMail(senderOf(settings), owner.name, keys);
  await sendToUsers(tx, settings, owner.userIds, mail, REQUIRED);
}

/**
 * An organization that is an owner is told through its admins, as Hex's API does.
 * @param owners all before and after the change; the one whom it is about is told in any case
 */
export async function tellOwners(
  tx: Transaction,
  settings: MailSettings,
  change: OwnerChange,
  packageName: string,
  about: { readonly id: number; readonly username: string },
  owners: Iterable<number>,
): Promise<void> {
  const mail = ownerMail(senderOf(settings), change, packageName, about.username);
  await sendToUsers(tx, settings, await personsBehind(tx, [...owners, about.id]), mail, OPTIONAL);
}

export async function tellPublished(
  tx: Transaction,
  settings: MailSettings,
  row: { readonly id: number; readonly name: string },
  version: string,
  publisher: string | undefined,
): Promise<void> {
  if (!settings.mail) return;
  const mail = publishedMail(senderOf(settings), row.name, version, publisher);
  await sendTo(tx, settings, await ownerMailAddresses(tx, row.id), mail);
}

export function tellTotpChanged(
  tx: Transaction,
  settings: MailSettings,
  user: { readonly id: number; readonly username: string },
  change: TotpChange,
): Promise<void> {
  return sendToUsers(tx, settings, [user.id], totpMail(senderOf(settings), user.username, change), REQUIRED);
}

export function tellMemberAdded(
  tx: Transaction,
  settings: MailSettings,
  organization: string,
  member: { readonly id: number; readonly role: string },
): Promise<void> {
  const mail = memberAddedMail(senderOf(settings), organization, member.role);
  return sendToUsers(tx, settings, [member.id], mail, OPTIONAL);
}
