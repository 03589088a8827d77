/** What a page says after a redirect. A closed list: a cookie names one of them, and no text comes from outside. */

export interface Notice {
  readonly kind: "done" | "problem";
  readonly text: string;
}

const NOTICES = {
  "signed-out": done("You are signed out."),
  "key-revoked": done("The key is revoked. It does not work any longer."),
  "keys-revoked": done("All keys are revoked. None of them works any longer."),
  "device-in": done("The program is let in. You can go back to it."),
  "device-denied": done("The program is turned away."),
  "organization-left": done("You are no longer a member of the organization."),
  "organization-made": done("The organization is made, and you are its admin."),
  "member-added": done("The member is added."),
  "member-changed": done("The role is changed."),
  "member-removed": done("The member is removed."),
  "session-ended": done("The session is ended."),
  "sessions-ended": done("All other sessions are ended."),
  "two-factor-disabled": done("Two-factor authentication is off."),
  "name-changed": done("Your full name is changed."),
  "password-changed": done("Your password is changed. All other browsers are signed out."),
  "password-reset": done("Your password is changed. Sign in with it."),
  "address-verified": done("Your e-mail address is verified."),
  "address-not-verified": problem("This link is no longer valid. Ask for a new one when you sign in."),
  "address-added": done("We have sent a link to the new address. It counts once you have opened the link."),
  "address-made": done("The address is added."),
  "address-shown": done("What others see of your addresses is changed."),
  "address-primary": done("Your primary address is changed."),
  "address-removed": done("The address is removed."),
} as const satisfies Readonly<Record<string, Notice>>;

export type NoticeName = keyof typeof NOTICES;

function done(text: string): Notice {
  return { kind: "done", text };
}

function problem(text: string): Notice {
  return { kind: "problem", text };
}

/** @param name from a cookie, so from anybody */
export function noticeOf(name: string | undefined): Notice | undefined {
  return name !== undefined && Object.hasOwn(NOTICES, name) ? NOTICES[name as NoticeName] : undefined;
}
