/**
 * What the mails say. Pure: each function takes what happened and gives subject, plain text and HTML of the same
 * sentences. Names come from others, so they are cut to one line and escaped.
 */
import { oneLine } from "./address.ts";

export interface MailText {
  /** For the log. */
  readonly kind: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Who writes. */
export interface Sender {
  /** The repository's name. */
  readonly name: string;
  /** Where people reach it, without a slash at its end. */
  readonly url: string;
}

interface Link {
  readonly label: string;
  readonly url: string;
}

type Block = string | Link | readonly string[];

export function verificationMail(
  sender: Sender,
  account: { readonly username: string; readonly email: string; readonly key: string },
): MailText {
  const query = new URLSearchParams({ ...account });
  return compose(sender, "verification", "Verify your e-mail address", [
    `The account ${oneLine(account.username)} was made with this address. Open the link within 24 hours to show that it is yours.`,
    { label: "Verify the address", url: `${sender.url}/email/verify?${query}` },
    "If that was not you, do nothing: the address will not be used.",
  ]);
}

export function passwordResetMail(
  sender: Sender,
  account: { readonly username: string; readonly key: string },
): MailText {
  const query = new URLSearchParams({ username: account.username, key: account.key });
  return compose(sender, "password-reset", "Choose a new password", [
    `Somebody asked for a new password for your account ${oneLine(account.username)}. The link works once, within 24 hours.`,
    { label: "Choose a password", url: `${sender.url}/password/new?${query}` },
    "If that was not you, do nothing: your password stays as it is.",
  ]);
}

export function passwordChangedMail(sender: Sender, username: string): MailText {
  return compose(sender, "password-changed", "Your password was changed", [
    `The password of your account ${oneLine(username)} was changed.`,
    WARNING,
  ]);
}

/** @param owner the user or organization that the key is of */
export function keyMadeMail(sender: Sender, owner: string, key: string): MailText {
  return compose(sender, "key-made", `New API key ${oneLine(key)}`, [
    `The API key ${oneLine(key)} of ${oneLine(owner)} was made.`,
    WARNING,
  ]);
}

/** @param keys all that were removed at once */
export function keysRemovedMail(sender: Sender, owner: string, keys: readonly string[]): MailText {
  const [only = ""] = keys;
  if (keys.length === 1) {
    return compose(sender, "key-removed", `API key ${oneLine(only)} removed`, [
      `The API key ${oneLine(only)} of ${oneLine(owner)} was removed. It does not work any longer.`,
      WARNING,
    ]);
  }
  return compose(sender, "key-removed", `${keys.length} API keys removed`, [
    `These API keys of ${oneLine(owner)} were removed. They do not work any longer.`,
    keys.map(oneLine),
    WARNING,
  ]);
}

export type OwnerChange = "added" | "removed" | "transferred";

/** @param change what became of the owner */
export function ownerMail(sender: Sender, change: OwnerChange, packageName: string, owner: string): MailText {
  const [name, user] = [oneLine(packageName), oneLine(owner)];
  const said: Record<OwnerChange, readonly [string, string]> = {
    added: [`${user} owns ${name} now`, `${user} was added to the owners of the package ${name}.`],
    removed: [
      `${user} no longer owns ${name}`,
      `${user} was removed from the owners of the package ${name}.`,
    ],
    transferred: [
      `${name} was transferred to ${user}`,
      `The package ${name} was transferred to ${user}. Everybody else was removed from its owners.`,
    ],
  };
  const [subject, sentence] = said[change];
  return compose(sender, `owner-${change}`, subject, [sentence, WARNING]);
}

/** @param publisher undefined when it is not known */
export function publishedMail(
  sender: Sender,
  packageName: string,
  version: string,
  publisher: string | undefined,
): MailText {
  const what = `${oneLine(packageName)} ${oneLine(version)}`;
  const by = publisher === undefined ? "" : ` by ${oneLine(publisher)}`;
  return compose(sender, "published", `${what} was published`, [
    `${what}, which you or your organization owns, was published${by}.`,
    WARNING,
  ]);
}

export type TotpChange = "enabled" | "disabled" | "recovery-codes" | "recovery-code-used";

export function totpMail(sender: Sender, username: string, change: TotpChange): MailText {
  const said: Record<TotpChange, string> = {
    enabled: "Two-factor authentication was enabled",
    disabled: "Two-factor authentication was disabled",
    "recovery-code-used": "A recovery code was used instead of two-factor authentication",
    "recovery-codes": "New recovery codes for two-factor authentication were made",
  };
  return compose(sender, `totp-${change}`, said[change], [
    `${said[change]} for your account ${oneLine(username)}.`,
    WARNING,
  ]);
}

export function memberAddedMail(sender: Sender, organization: string, role: string): MailText {
  const name = oneLine(organization);
  return compose(sender, "member-added", `You are a member of ${name} now`, [
    `You were added to the organization ${name} with the role ${oneLine(role)}.`,
    { label: "Your account", url: sender.url },
  ]);
}

const WARNING = "If you did not expect this, look at your account and tell whoever runs this registry.";

function compose(sender: Sender, kind: string, subject: string, blocks: readonly Block[]): MailText {
  const signature = `Sent by the package registry ${sender.name}, ${sender.url}`;
  const text = [...blocks.map(plainBlock), `-- \n${signature}`].join("\n\n");
  const html = [
    "<!doctype html>",
    '<html lang="en"><body style="font-family: sans-serif; line-height: 1.5; max-width: 40em">',
    ...blocks.map(htmlBlock),
    `<p style="color: #666"><small>${escapeHtml(signature)}</small></p>`,
    "</body></html>",
  ].join("\n");
  return { kind, subject: `[${sender.name}] ${subject}`, text: `${text}\n`, html: `${html}\n` };
}

function plainBlock(block: Block): string {
  if (typeof block === "string") return block;
  return "url" in block ? block.url : block.map((item) => `- ${item}`).join("\n");
}

function htmlBlock(block: Block): string {
  if (typeof block === "string") return `<p>${escapeHtml(block)}</p>`;
  if ("url" in block) return `<p><a href="${escapeHtml(block.url)}">${escapeHtml(block.label)}</a></p>`;
  return `<ul>${block.map((item) => `<li>${escapeHtml(item)}</li>`).join("")}</ul>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
