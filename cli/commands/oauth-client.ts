import { randomBytes, randomUUID } from "node:crypto";
import { Command, InvalidArgumentError, Option } from "commander";
import { hashToken } from "../../api/auth/token-hash.ts";
import { findClient } from "../../api/oauth/client.ts";
import { redirectProblem } from "../../api/oauth/redirect-uri.ts";
import { isAllowed } from "../../api/oauth/scopes.ts";
import { readToolConfig } from "../../schemas/config/config.ts";
import { SkepError } from "../../schemas/errors.ts";
import {
  deleteOAuthClient,
  GRANT_TYPES,
  type GrantType,
  insertOAuthClient,
  type OAuthClientRow,
  oauthClients,
} from "../../store/queries/oauth-clients.ts";
import type { Context } from "../context.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { operate } from "../operator.ts";

const SECRET_BYTES = 32;
/** Of which every resource may be asked for. */
const WITH_RESOURCES = ["package", "repository", "docs"];

interface CreateOptions {
  readonly redirectUri: readonly string[];
  readonly scope: readonly string[];
  readonly grant: readonly string[];
  readonly confidential?: boolean;
}

export function oauthClientCommand(context: Context): Command {
  const create = new Command("create")
    .description("register a program; prints its client id, and its secret when it can keep one")
    .argument("<name>", "what people are shown who let it in")
    .option(
      "--redirect-uri <uri>",
      "where it gets its codes; `*` stands for one label of a host",
      collected,
      [],
    )
    .option("--scope <scope>", "what it may ask for; may be given several times", scopes, [])
    .addOption(
      new Option("--grant <grant>", `${GRANT_TYPES.join(", ")} (default: authorization_code, refresh_token)`)
        .argParser(collected)
        .default([], "none"),
    )
    .option("--confidential", "it runs on a server and has a secret to show")
    .addHelpText(
      "after",
      `
Scopes: api, api:read, api:write, repositories, package, repository, docs, or the last three with a
resource, such as repository:acme.

Example:
  skep oauth-client create "Acme CI" --redirect-uri https://ci.acme.example/callback --scope api:read --confidential
${EXIT_HELP}`,
    )
    .action((name: string, options: CreateOptions) => createClient(context, name, options));
  const list = new Command("list")
    .description("all that there are, a line each: id, name, grants, scopes")
    .addHelpText("after", EXIT_HELP)
    .action(() => listClients(context));
  const remove = new Command("delete")
    .description("delete one, and end all that was granted to it")
    .argument("<client-id>")
    .addHelpText("after", EXIT_HELP)
    .action((clientId: string) => removeClient(context, clientId));
  const command = new Command("oauth-client").description(
    "programs that people may let in, beside mix and gleam",
  );
  for (const verb of [create, list, remove]) command.addCommand(verb);
  return command;
}

function collected(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function scopes(value: string, before: readonly string[]): readonly string[] {
  if (!WITH_RESOURCES.includes(value) && !isAllowed(value, [value])) {
    throw new InvalidArgumentError("is no scope");
  }
  return [...before, value];
}

async function createClient(context: Context, name: string, options: CreateOptions): Promise<void> {
  const config = readToolConfig(context.source);
  const secret = options.confidential ? randomBytes(SECRET_BYTES).toString("base64url") : undefined;
  const client: OAuthClientRow = {
    clientId: randomUUID(),
    name,
    type: secret === undefined ? "public" : "confidential",
    secretHash: secret === undefined ? null : hashToken(secret),
    grants: grantsOf(options),
    redirectUris: options.redirectUri,
    scopes: options.scope,
  };
  refuseContradictions(client);
  await operate(context, config, "oauth-client create", async ({ sql, audit }) => {
    const { secretHash: _, ...params } = client;
    await sql.begin(async (tx) => {
      await insertOAuthClient(tx, client);
      await audit(tx, "oauth_client.create", params);
    });
  });
  context.terminal.out(`client_id ${client.clientId}`);
  if (secret !== undefined) context.terminal.out(`client_secret ${secret}`);
}

function grantsOf({ grant }: CreateOptions): readonly GrantType[] {
  const unknown = grant.filter((text) => !GRANT_TYPES.includes(text as GrantType));
  if (unknown.length > 0) {
    throw new SkepError("usage", `${unknown.join(", ")}: no grant; there are ${GRANT_TYPES.join(", ")}`);
  }
  return grant.length === 0 ? ["authorization_code", "refresh_token"] : (grant as GrantType[]);
}

/** @throws SkepError `usage` */
function refuseContradictions({ grants, redirectUris, scopes: wanted }: OAuthClientRow): void {
  const problems = redirectUris.flatMap((uri) => {
    const problem = redirectProblem(uri);
    return problem === undefined ? [] : [`--redirect-uri ${uri}: ${problem}`];
  });
  if (wanted.length === 0) problems.push("--scope is missing: it could ask for nothing");
  if (grants.includes("authorization_code") && redirectUris.length === 0) {
    problems.push("--redirect-uri is missing, which the grant authorization_code needs");
  }
  if (problems.length > 0) throw new SkepError("usage", problems.join("\n"));
}

async function listClients(context: Context): Promise<void> {
  const config = readToolConfig(context.source);
  await operate(context, config, "oauth-client list", async ({ sql }) => {
    for (const { clientId, name, grants, scopes: own } of await oauthClients(sql)) {
      context.terminal.out([clientId, name, grants.join(","), own.join(",")].join("\t"));
    }
  });
}

async function removeClient(context: Context, clientId: string): Promise<void> {
  const config = readToolConfig(context.source);
  await operate(context, config, "oauth-client delete", async ({ sql, audit }) => {
    const client = await findClient({ sql }, clientId);
    if (client === undefined) throw new SkepError("not_found", `there is no client ${clientId}`);
    await sql.begin(async (tx) => {
      await deleteOAuthClient(tx, client.clientId);
      await audit(tx, "oauth_client.delete", { clientId: client.clientId, name: client.name });
    });
    context.terminal.say(`${client.name} is deleted, and what it was let in to`);
  });
}
