import { Command } from "commander";
import { readToolConfig } from "../../schemas/config/config.ts";
import { makeAccount } from "../administrator.ts";
import type { Context } from "../context.ts";
import { withDatabase } from "../database.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { askPassword, readPasswordLine } from "../prompt.ts";
import { accountCommands } from "./account.ts";

interface CreateOptions {
  readonly email: string;
  readonly fullName?: string;
  readonly passwordStdin?: boolean;
}

export function userCommand(context: Context): Command {
  const create = new Command("create")
    .description("make an account, with a verified address")
    .argument("<username>", "3 to 128 of a-z, 0-9, `_`, `-`, `.`")
    .requiredOption("--email <address>", "what others see, and what it logs in with")
    .option("--full-name <name>")
    .option("--password-stdin", "read the password from the first line of stdin instead of asking for it")
    .addHelpText(
      "after",
      `
Works while \`skep serve\` runs, and while it does not.

Examples:
  skep user create ann --email ann@acme.example
  openssl rand -base64 18 | tee ci-password | skep user create ci --email ci@acme.example --password-stdin
${EXIT_HELP}`,
    )
    .action((username: string, options: CreateOptions) => createUser(context, username, options));
  const command = new Command("user").description("accounts").addCommand(create);
  for (const verb of accountCommands(context)) command.addCommand(verb);
  return command;
}

async function createUser(context: Context, username: string, options: CreateOptions): Promise<void> {
  const config = readToolConfig(context.source);
  const password = options.passwordStdin
    ? await readPasswordLine(process.stdin)
    : await askPassword("Password: ");
  await withDatabase(config, "skep user create", async (database) => {
    const sql = await database.rolePool("skep_api", 2);
    const user = await makeAccount(sql, {
      username,
      email: options.email,
      fullName: options.fullName,
      password,
    });
    context.terminal.say(`made the account ${user.username}`);
    context.terminal.say(`an API key for it: ${context.command} key create --user ${user.username}`);
  });
}
