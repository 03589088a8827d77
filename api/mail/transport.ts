/** How a mail leaves: over SMTP, or as a file where there is none. */
import { randomBytes } from "node:crypto";
import { mkdir, open, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { createTransport, type SendMailOptions } from "nodemailer";
import type { QueuedMail } from "../../store/queries/mails.ts";
import { isMailable } from "./address.ts";

export interface MailTransport {
  /** For the log; without secrets. */
  readonly description: string;
  /**
   * Resolves once somebody else is responsible for the mail.
   * @returns where it can be found, if that can be told
   * @throws MailRefused when trying again cannot help, any other error when it may.
   */
  send(mail: QueuedMail): Promise<string | undefined>;
  close(): void;
}

/** The server takes no such mail, now or later. */
export class MailRefused extends Error {}

const CONNECT_MILLISECONDS = 10_000;
const SILENCE_MILLISECONDS = 20_000;

/** @throws MailRefused for a recipient that is not exactly one address. */
function messageOf(mail: QueuedMail, from: string): SendMailOptions {
  // The composer takes text of others for a list, in header and envelope alike.
  if (!isMailable(mail.recipient)) throw new MailRefused("the recipient is not one address");
  return {
    from,
    to: { name: "", address: mail.recipient },
    envelope: { from: addressOf(from), to: [mail.recipient] },
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    messageId: `<${mail.messageId}@${addressOf(from).split("@").at(-1)}>`,
    // Tells other machines not to answer (RFC 3834).
    headers: { "Auto-Submitted": "auto-generated" },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function addressOf(mailbox: string): string {
  return /<([^<>]+)>$/.exec(mailbox)?.[1] ?? mailbox;
}

/**
 * @param url `smtp://user:password@host:587`, or `smtps://` for TLS from the first byte
 * @param from the mailbox that mails come from
 */
export function smtpTransport(url: string, from: string): MailTransport {
  const { hostname, username, host } = new URL(url);
  const isLocal = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
  const transport = createTransport({
    url,
    // A password is not sent in the clear, whatever a machine in between makes of the server's greeting.
    requireTLS: username !== "" && !isLocal,
    connectionTimeout: CONNECT_MILLISECONDS,
    greetingTimeout: CONNECT_MILLISECONDS,
    socketTimeout: SILENCE_MILLISECONDS,
  });
  return {
    description: `SMTP, ${host}`,
    async send(mail) {
      const message = messageOf(mail, from);
      try {
        await transport.sendMail(message);
      } catch (error) {
        throw isFinal(error) ? new MailRefused((error as Error).message, { cause: error }) : error;
      }
      return undefined;
    },
    close: () => transport.close(),
  };
}

/** What is wrong with sender or login is for the operator to mend; then the mail can be sent after all. */
function isFinal(error: unknown): boolean {
  const { responseCode, command } = (error ?? {}) as { responseCode?: unknown; command?: unknown };
  return (
    typeof responseCode === "number" && responseCode >= 500 && (command === "RCPT TO" || command === "DATA")
  );
}

/** @param folder each mail becomes a file of it, which mail programs can open; readable by the owner alone */
export function folderTransport(folder: string, from: string): MailTransport {
  const composer = createTransport({ streamTransport: true, buffer: true, newline: "unix" });
  return {
    description: `files in ${folder}`,
    async send(mail) {
      const { message } = await composer.sendMail(messageOf(mail, from));
      await mkdir(folder, { recursive: true, mode: 0o700 });
      // By the mail's own id: a second attempt writes the same file.
      const file = join(folder, `${mail.kind}-${mail.messageId}.eml`);
      await writeWhole(file, message as Buffer);
      return file;
    },
    close: () => composer.close(),
  };
}

async function writeWhole(file: string, contents: Buffer): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString("hex")}`;
  const handle = await open(draft, "wx", 0o600);
  try {
    await handle.writeFile(contents);
    await handle.sync();
    await rename(draft, file);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw error;
  } finally {
    await handle.close();
  }
}
