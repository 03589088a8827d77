import { hostname } from "node:os";
import { Command } from "commander";
import { readToolConfig } from "../../schemas/config/config.ts";
import { makeKey } from "../api-keys.ts";
import type { Context } from "../context.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { permissionOption, secretOfKeys, showMadeKey } from "../key-command.ts";
import { operate } from "../operator.ts";

interface CreateOptions {
  readonly user: string;
  readonly name: string;
  readonly permission: readonly string[];
}

export function keyCommand(context: Context): Command {
  const create = new Command("create")
    .description("make an API key and print its secret, which is shown this once")
    .requiredOption("--user <username>", "whose key it is")
    .option("--name <name>", "to know it by", `${hostname()}-cli`)
    .addOption(permissionOption("api, api:read, api:write, package:NAME (default: everything)"))
    .addHelpText(
      "after",
      `
Prints nothing but the secret on stdout.

Examples:
  export HEX_API_KEY=$(skep key create --user ann)
  skep key create --user ci --name release-bot --permission package:my_app
${EXIT_HELP}`,
    )
    .action((options: CreateOptions) => createKey(context, options));
  return new Command("key").description("API keys").addCommand(create);
}

async function createKey(context: Context, options: CreateOptions): Promise<void> {
  const config = readToolConfig(context.source);
  const keySecret = await secretOfKeys(config);
  await operate(context, config, "key create", async ({ sql }) => {
    const made = await makeKey(sql, {
      username: options.user,
      name: options.name,
      permissions: options.permission,
      repository: config.repository.name,
      keySecret,
    });
    showMadeKey(context, made, options.user);
  });
}
