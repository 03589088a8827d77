/** What is done to accounts that exist: the further verbs of `skep user`. */
import { randomBytes } from "node:crypto";
import { Command } from "commander";
import { hashPassword } from "../../api/auth/password.ts";
import { changePassword, requestPasswordReset } from "../../api/mail/account-links.ts";
import { tellTotpChanged } from "../../api/mail/notices.ts";
import { passwordProblem } from "../../api/rules/user.ts";
import { readToolConfig } from "../../schemas/config/config.ts";
import { SkepError } from "../../schemas/errors.ts";
import { hasMailAddress } from "../../store/queries/mails.ts";
import { disableTotp } from "../../store/queries/totp.ts";
import { setDeactivated } from "../../store/queries/users.ts";
import type { Context } from "../context.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { mailSettingsOf, type Operator, operate, requireUser } from "../operator.ts";
import { askPassword, readPasswordLine } from "../prompt.ts";

interface ResetOptions {
  readonly passwordStdin?: boolean;
  readonly mail?: boolean;
}

export function accountCommands(context: Context): readonly Command[] {
  const reset = new Command("reset-password")
    .description("give an account a new password, or mail it a link to choose one")
    .argument("<username>")
    .option("--password-stdin", "read the password from the first line of stdin instead of asking for it")
    .option("--mail", "mail a link instead, which works once and for 24 hours")
    .addHelpText("after", EXIT_HELP)
    .action((username: string, options: ResetOptions) => resetPassword(context, username, options));
  const resetTotp = new Command("reset-totp")
    .description("turn an account's second factor off, for somebody who has lost it and the recovery codes")
    .argument("<username>")
    .option("--reason <text>", "kept in the audit log")
    .addHelpText("after", EXIT_HELP)
    .action((username: string, options: Reason) => resetSecondFactor(context, username, options));
  const deactivate = new Command("deactivate")
    .description("close an account: every request with its credentials is refused")
    .argument("<username>")
    .option("--reason <text>", "kept in the audit log")
    .addHelpText("after", EXIT_HELP)
    .action((username: string, options: Reason) => deactivation(context, username, true, options));
  const activate = new Command("activate")
    .description("open a closed account again")
    .argument("<username>")
    .option("--reason <text>", "kept in the audit log")
    .addHelpText("after", EXIT_HELP)
    .action((username: string, options: Reason) => deactivation(context, username, false, options));
  return [reset, resetTotp, deactivate, activate];
}

async function resetPassword(context: Context, username: string, options: ResetOptions): Promise<void> {
  const config = readToolConfig(context.source);
  if (options.mail) {
    if (options.passwordStdin) throw new SkepError("usage", "--mail and --password-stdin exclude each other");
    return operate(context, config, "user reset-password", (operator) =>
      mailLink(context, operator, username),
    );
  }
  const password = options.passwordStdin
    ? await readPasswordLine(process.stdin)
    : await askPassword("New password: ");
  const problem = passwordProblem(password);
  if (problem !== undefined) throw new SkepError("usage", `password ${problem}`);
  await operate(context, config, "user reset-password", async ({ sql, audit }) => {
    const user = await requireUser(sql, username);
    const passwordHash = await hashPassword(password, randomBytes);
    await sql.begin(async (tx) => {
      await changePassword({ settings: mailSettingsOf(config) }, tx, user, passwordHash);
      await audit(tx, "password.update", { user: { id: user.id, username: user.username } });
    });
    context.terminal.say(`${user.username} has a new password`);
  });
}

async function mailLink(context: Context, { sql, config, audit }: Operator, username: string): Promise<void> {
  const settings = mailSettingsOf(config);
  if (!settings.mail)
    throw new SkepError("config_invalid", "SKEP_SMTP_URL is not set: nobody would send the mail");
  const user = await requireUser(sql, username);
  if (!(await hasMailAddress(sql, user.id))) {
    throw new SkepError("not_found", `${user.username} has no verified address, or is deactivated`);
  }
  await sql.begin(async (tx) => {
    await requestPasswordReset({ clock: () => new Date(), random: randomBytes, settings }, tx, user);
    await audit(tx, "password.reset.init", { user: { id: user.id, username: user.username } });
  });
  context.terminal.say(`${user.username} is mailed a link to choose a new password`);
}

async function resetSecondFactor(context: Context, username: string, { reason }: Reason): Promise<void> {
  const config = readToolConfig(context.source);
  await operate(context, config, "user reset-totp", async ({ sql, audit }) => {
    const user = await requireUser(sql, username);
    await sql.begin(async (tx) => {
      if (!(await disableTotp(tx, user.id))) {
        throw new SkepError("not_found", `${user.username} has no second factor`);
      }
      await tellTotpChanged(tx, mailSettingsOf(config), user, "disabled");
      const params = { user: { id: user.id, username: user.username }, totp: "disabled" };
      await audit(tx, "security.update", { ...params, reason: reason ?? null });
    });
    context.terminal.say(`${user.username} signs in with the password alone now`);
  });
}

interface Reason {
  readonly reason?: string;
}

async function deactivation(
  context: Context,
  username: string,
  deactivated: boolean,
  { reason }: Reason,
): Promise<void> {
  const config = readToolConfig(context.source);
  const verb = deactivated ? "deactivate" : "activate";
  await operate(context, config, `user ${verb}`, async ({ sql, audit }) => {
    const user = await requireUser(sql, username);
    await sql.begin(async (tx) => {
      if (!(await setDeactivated(tx, user.id, deactivated))) {
        throw new SkepError("already_exists", `${user.username} is ${verb}d already`);
      }
      await audit(tx, `user.${verb}`, {
        user: { id: user.id, username: user.username },
        reason: reason ?? null,
      });
    });
    context.terminal.say(`${user.username} is ${verb}d`);
  });
}
