import { Command, Option } from "commander";
import {
  readApiConfig,
  readEdgeConfig,
  readGeneratorConfig,
  readServeConfig,
  readToolConfig,
} from "../../schemas/config/config.ts";
import { type Listed, listSettings } from "../../schemas/config/listing.ts";
import type { Context } from "../context.ts";
import { EXIT_HELP } from "../exit-codes.ts";

const ROLES = {
  serve: readServeConfig,
  api: readApiConfig,
  generator: readGeneratorConfig,
  edge: readEdgeConfig,
  tool: readToolConfig,
} as const;

type Role = keyof typeof ROLES;

interface ConfigFlags {
  readonly role: Role;
  readonly check?: boolean;
  readonly list?: boolean;
  readonly json?: boolean;
}

export function configCommand(context: Context): Command {
  return new Command("config")
    .description("show the settings in force and where each comes from, with secrets hidden")
    .addOption(new Option("--role <role>", "for which command").choices(Object.keys(ROLES)).default("serve"))
    .option("--check", "only say whether they are valid")
    .option("--list", "say what each setting is for")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Settings come from the environment, and from a file of NAME=VALUE lines that SKEP_CONFIG_FILE names. An
unknown, malformed or contradicting setting is refused by name.

Examples:
  skep config
  SKEP_CONFIG_FILE=/etc/skep/api.env skep config --role api --check
${EXIT_HELP}`,
    )
    .action((flags: ConfigFlags) => showConfig(context, flags));
}

function showConfig({ terminal, source }: Context, flags: ConfigFlags): void {
  const listed = listSettings(source);
  if (!flags.list) ROLES[flags.role](source);
  if (flags.check) terminal.say(`the configuration of \`skep ${flags.role}\` is valid`);
  else if (flags.json)
    terminal.out(
      JSON.stringify(
        listed.map(({ help: _, ...rest }) => rest),
        null,
        2,
      ),
    );
  else for (const entry of listed) terminal.out(line(entry, flags.list ?? false, terminal.dim));
}

function line(
  { name, value, origin, help }: Listed,
  withHelp: boolean,
  dim: (text: string) => string,
): string {
  const given = `${name}=${value ?? ""}`;
  return withHelp ? `${given}\n    ${dim(help)}` : `${given.padEnd(60)} ${dim(`# ${origin}`)}`;
}
