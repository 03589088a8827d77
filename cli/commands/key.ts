import { hostname } from "node:os";
import { Command } from "commander";
import { readToolConfig } from "../../schemas/config/config.ts";
import { makeKey } from "../api-keys.ts";
import type { Context } from "../context.ts";
import { keySecret } from "../data-folder.ts";
import { withDatabase } from "../database.ts";
import { EXIT_HELP } from "../exit-codes.ts";

interface CreateOptions {
  readonly user: string;
  readonly name: string;
  readonly permission: readonly string[];
}

const NO_SECRET = "start `skep serve` once in this folder, or give the secret that the API has";

export function keyCommand(context: Context): Command {
  const create = new Command("create")
    .description("make an API key and print its secret, which is shown this once")
    .requiredOption("--user <username>", "whose key it is")
    .option("--name <name>", "to know it by", `${hostname()}-cli`)
    .option(
      "--permission <domain[:resource]>",
      "what it may do, can be given several times: api, api:read, api:write, package:NAME (default: everything)",
      (value: string, before: readonly string[]) => [...before, value],
      [] as readonly string[],
    )
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
  const ownSecret = config.keySecret?.reveal() ?? (await keySecret(config.dataFolder, NO_SECRET));
  await withDatabase(config, "skep key create", async (database) => {
    const sql = await database.rolePool("skep_api", 2);
    const { key, secret } = await makeKey(sql, {
      username: options.user,
      name: options.name,
      permissions: options.permission,
      repository: config.repository.name,
      keySecret: ownSecret,
    });
    const permissions = key.permissions.map(({ domain, resource }) =>
      resource === null ? domain : `${domain}:${resource}`,
    );
    context.terminal.say(`made the key ${key.name} of ${options.user} for ${permissions.join(", ")}`);
    context.terminal.out(secret);
  });
}
