import { hostname } from "node:os";
import { Command, Option } from "commander";
import { readToolConfig } from "../../schemas/config/config.ts";
import { requireMigrated } from "../../store/postgres/migrate.ts";
import { ROLES } from "../../store/queries/memberships.ts";
import { allOrganizations } from "../../store/queries/organizations.ts";
import { makeOrganizationKey } from "../api-keys.ts";
import type { Context } from "../context.ts";
import { withDatabase } from "../database.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { permissionOption, secretOfKeys, showMadeKey } from "../key-command.ts";
import { operate } from "../operator.ts";
import { addMember, makeOrganization, removeMember, renameOrganization } from "../organizations.ts";

export function organizationCommand(context: Context): Command {
  return new Command("organization")
    .description("organizations, each with members and a private repository")
    .addHelpText(
      "after",
      `
Examples:
  skep organization create acme --admin ann
  skep organization member add acme bob --role write
  skep organization key acme --name ci
${EXIT_HELP}`,
    )
    .addCommand(create(context))
    .addCommand(list(context))
    .addCommand(rename(context))
    .addCommand(
      new Command("member")
        .description("who belongs to it")
        .addCommand(memberAdd(context))
        .addCommand(memberRemove(context)),
    )
    .addCommand(key(context));
}

function create(context: Context): Command {
  return new Command("create")
    .description("make an organization with a private repository of the same name")
    .argument("<name>", "3 to 128 of a-z, 0-9, `_`, `-`, `.`")
    .option("--admin <username>", "its first member, who can add others")
    .action((name: string, { admin }: { readonly admin?: string }) =>
      operate(context, readToolConfig(context.source), "organization create", async ({ sql, config }) => {
        const settings = {
          repositoryName: config.repository.name,
          externalRepositories: config.externalRepositories,
        };
        const made = await makeOrganization(sql, settings, { name, admin });
        context.terminal.say(`made the organization ${made.name}`);
        context.terminal.say(`its packages are below ${config.repository.url}/repos/${made.name}`);
        if (admin === undefined) {
          context.terminal.say(
            `it has no member: ${context.command} organization member add ${made.name} USERNAME --role admin`,
          );
        }
      }),
    );
}

function list(context: Context): Command {
  return new Command("list").description("their names, one a line").action(() =>
    operate(context, readToolConfig(context.source), "organization list", async ({ sql }) => {
      for (const { name } of await allOrganizations(sql)) context.terminal.out(name);
    }),
  );
}

function rename(context: Context): Command {
  return new Command("rename")
    .description("give an organization another name, with its repository and its account")
    .argument("<old>")
    .argument("<new>", "3 to 128 of a-z, 0-9, `_`, `-`, `.`")
    .addHelpText(
      "after",
      `
Needs DATABASE_URL of the database's owner, as \`skep migrate\` does. The generator writes the repository
below repos/NEW and deletes what lies below repos/OLD, the tarballs after the usual grace. API keys follow;
access tokens are asked for anew; members' machines must be told the new address. Nobody gets the old name
ever again.
${EXIT_HELP}`,
    )
    .action((from: string, to: string) => renameTo(context, from, to));
}

async function renameTo(context: Context, from: string, to: string): Promise<void> {
  const config = readToolConfig(context.source);
  await withDatabase(config, "skep organization rename", async (database) => {
    const sql = database.pool({ max: 2 });
    await requireMigrated(sql);
    const settings = {
      repositoryName: config.repository.name,
      externalRepositories: config.externalRepositories,
    };
    const name = await renameOrganization(sql, settings, { from, to });
    context.terminal.say(`${from} is ${name} now`);
    context.terminal.say(
      `its packages move to ${config.repository.url}/repos/${name} as soon as a generator runs`,
    );
  });
}

function memberAdd(context: Context): Command {
  return new Command("add")
    .argument("<organization>")
    .argument("<username>")
    .addOption(
      new Option(
        "--role <role>",
        "read: may fetch; write: may also publish; admin: may also change members and owners",
      )
        .choices(ROLES)
        .default("read"),
    )
    .action((organization: string, username: string, { role }: { readonly role: string }) =>
      operate(context, readToolConfig(context.source), "organization member add", async ({ sql }) => {
        await addMember(sql, { organization, username, role });
        context.terminal.say(`${username} is a member of ${organization} with the role ${role}`);
      }),
    );
}

function memberRemove(context: Context): Command {
  return new Command("remove")
    .argument("<organization>")
    .argument("<username>")
    .action((organization: string, username: string) =>
      operate(context, readToolConfig(context.source), "organization member remove", async ({ sql }) => {
        await removeMember(sql, { organization, username });
        context.terminal.say(`${username} is no member of ${organization} any more`);
      }),
    );
}

interface KeyOptions {
  readonly name: string;
  readonly permission: readonly string[];
}

function key(context: Context): Command {
  return new Command("key")
    .description("make an API key of the organization and print its secret, which is shown this once")
    .argument("<organization>")
    .option("--name <name>", "to know it by", `${hostname()}-cli`)
    .addOption(
      permissionOption(
        "repository:NAME, api, api:read, api:write, package:NAME/PACKAGE (default: fetch its packages)",
      ),
    )
    .addHelpText(
      "after",
      `
Prints nothing but the secret on stdout.

Examples:
  mix hex.organization auth acme --key $(skep organization key acme --name ci)
  export HEX_API_KEY=$(skep organization key acme --name release-bot --permission api)
${EXIT_HELP}`,
    )
    .action((organization: string, options: KeyOptions) =>
      operate(context, readToolConfig(context.source), "organization key", async ({ sql, config }) => {
        const made = await makeOrganizationKey(sql, {
          organization,
          name: options.name,
          permissions: options.permission,
          repository: config.repository.name,
          keySecret: await secretOfKeys(config),
        });
        showMadeKey(context, made, organization);
      }),
    );
}
