/** Puts mails into the outbox, in the transaction of what they tell about. */
import type { Transaction } from "../../store/postgres/pool.ts";
import { enqueueMails, mailAddresses } from "../../store/queries/mails.ts";
import type { ApiSettings } from "../settings.ts";
import { isMailable } from "./address.ts";
import type { MailText, Sender } from "./templates.ts";

/** What a mail needs to know of the installation. */
export type MailSettings = Pick<ApiSettings, "mail" | "publicUrl" | "repositoryName">;

export function senderOf(settings: MailSettings): Sender {
  return { name: settings.repositoryName, url: settings.publicUrl };
}

/** Sends to addresses, each once. Does nothing in an installation without mail. */
export async function sendTo(
  tx: Transaction,
  settings: MailSettings,
  addresses: readonly string[],
  mail: MailText,
): Promise<void> {
  if (!settings.mail) return;
  const recipients = [...new Set(addresses)].filter(isMailable);
  await enqueueMails(
    tx,
    recipients.map((recipient) => ({ ...mail, recipient })),
  );
}

/** @param optional leaves out who does not want mails that nobody has to get */
export async function sendToUsers(
  tx: Transaction,
  settings: MailSettings,
  userIds: readonly number[],
  mail: MailText,
  { optional }: { readonly optional: boolean },
): Promise<void> {
  if (!settings.mail) return;
  await sendTo(tx, settings, await mailAddresses(tx, userIds, optional), mail);
}
