import { readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import { Command } from "commander";
import { stringify } from "yaml";
import { type PolicyName, policyName, type RepositoryName } from "../../hex/ids.ts";
import { readToolConfig } from "../../schemas/config/config.ts";
import { SkepError } from "../../schemas/errors.ts";
import type { PolicyFile } from "../../schemas/policy.ts";
import type { Queryable } from "../../store/postgres/pool.ts";
import { recordChange } from "../../store/queries/changes.ts";
import { type OwnedRepositoryRow, ownedRepository } from "../../store/queries/organizations.ts";
import { deletePolicy, type PolicyRow, policyRows, writePolicy } from "../../store/queries/policies.ts";
import type { Context } from "../context.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { type Operator, operate } from "../operator.ts";
import { parsePolicyFile } from "../policy-file.ts";

export function policyCommand(context: Context): Command {
  const apply = new Command("apply")
    .description("make a policy what a file says")
    .argument("<file>", "YAML or JSON; `-` reads it from stdin")
    .addHelpText("after", `\n${EXAMPLE}\n${EXIT_HELP}`)
    .action((file: string) => applyPolicy(context, file));
  const list = new Command("list")
    .description("the policies of an organization")
    .argument("<organization>")
    .addHelpText("after", EXIT_HELP)
    .action((organization: string) => listPolicies(context, organization));
  const show = new Command("show")
    .description("a policy as a file that `apply` takes")
    .argument("<policy>", "ORGANIZATION/NAME")
    .addHelpText("after", EXIT_HELP)
    .action((name: string) => showPolicy(context, name));
  const remove = new Command("delete")
    .description("delete a policy; clients that are set to it then refuse to resolve")
    .argument("<policy>", "ORGANIZATION/NAME")
    .addHelpText("after", EXIT_HELP)
    .action((name: string) => removePolicy(context, name));
  const command = new Command("policy").description(
    "dependency policies: which releases an organization lets its members resolve",
  );
  for (const verb of [apply, list, show, remove]) command.addCommand(verb);
  return command;
}

const EXAMPLE = `A policy, for which mix is set with HEX_POLICY=acme/production or \`hex: [policy: ...]\` in mix.exs:

  organization: acme
  name: production
  description: What may run on our servers
  visibility: private          # or public: then it is read without a key
  repositories:
    - repository: hexpm
      restriction:
        advisory_min_severity: high          # none, low, medium, high, critical: it, and what is worse
        retirement_reasons: [security, invalid]
        cooldown: 7d                         # the least age of a release: d, w, mo
      overrides:
        - { action: allow, package: plug, requirement: "~> 1.16" }
        - { action: deny, package: left_pad }
        # These lift one restriction. A comment may stand with each.
        - { action: advisory, package: cowboy, advisory_id: CVE-2026-1234, comment: not reachable }
        - { action: retirement, package: poison, retirement_reason: security }
        - { action: cooldown, package: acme_client }`;

async function applyPolicy(context: Context, file: string): Promise<void> {
  const config = readToolConfig(context.source);
  const policy = await readPolicy(file);
  const name = policyName(policy.name);
  if (name === undefined) throw new TypeError("a name that was checked is none");
  await operate(context, config, "policy apply", async (operator) => {
    const repository = await requireOrganization(operator.sql, policy.organization);
    const { name: _, organization: __, ...document } = policy;
    const changed = await operator.sql.begin(async (tx) => {
      if (!(await writePolicy(tx, repository.id, name, document))) return false;
      await operator.audit(tx, "policy.save", auditedPolicy(repository, name, document));
      await recordChange(tx, { repositoryId: repository.id, package: undefined });
      return true;
    });
    const what = `the policy ${repository.name}/${name}`;
    context.terminal.say(
      changed ? `${what} is written as soon as a generator runs` : `${what} is so already`,
    );
  });
}

async function listPolicies(context: Context, organization: string): Promise<void> {
  const config = readToolConfig(context.source);
  await operate(context, config, "policy list", async ({ sql }) => {
    const repository = await requireOrganization(sql, organization);
    for (const { name, document } of await policyRows(sql, repository.id)) {
      context.terminal.out(`${name}\t${document.visibility}\t${document.description ?? ""}`);
    }
  });
}

async function showPolicy(context: Context, text: string): Promise<void> {
  const config = readToolConfig(context.source);
  await operate(context, config, "policy show", async (operator) => {
    const { repository, row } = await requirePolicy(operator, text);
    const file: PolicyFile = { organization: repository.name, name: row.name, ...row.document };
    context.terminal.out(stringify(file).trimEnd());
  });
}

async function removePolicy(context: Context, text: string): Promise<void> {
  const config = readToolConfig(context.source);
  await operate(context, config, "policy delete", async (operator) => {
    const { repository, row } = await requirePolicy(operator, text);
    await operator.sql.begin(async (tx) => {
      // Somebody else may have been quicker; then there is nothing to tell.
      if (!(await deletePolicy(tx, repository.id, row.name))) return;
      await operator.audit(tx, "policy.delete", auditedPolicy(repository, row.name, row.document));
      await recordChange(tx, { repositoryId: repository.id, package: undefined });
    });
    context.terminal.say(`the policy ${repository.name}/${row.name} is deleted as soon as a generator runs`);
  });
}

function auditedPolicy(
  repository: { readonly name: RepositoryName },
  name: PolicyName,
  document: PolicyRow["document"],
): object {
  return { organization: { name: repository.name }, policy: { name, ...document } };
}

async function readPolicy(file: string): Promise<PolicyFile> {
  let text: string;
  try {
    text = file === "-" ? await readAll(process.stdin) : await readFile(file, "utf8");
  } catch (cause) {
    throw new SkepError("usage", `${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
  const parsed = parsePolicyFile(text);
  if (!("name" in parsed)) {
    throw new SkepError("usage", [`${file} is no policy:`, ...parsed.map((line) => `  ${line}`)].join("\n"));
  }
  return parsed;
}

/** @throws SkepError `not_found` */
async function requireOrganization(sql: Queryable, name: string): Promise<OwnedRepositoryRow> {
  const repository = await ownedRepository(sql, name);
  if (repository?.organization == null) throw new SkepError("not_found", `there is no organization ${name}`);
  return repository;
}

async function requirePolicy(
  { sql }: Operator,
  text: string,
): Promise<{ readonly repository: OwnedRepositoryRow; readonly row: PolicyRow }> {
  const [organization = "", name = ""] = text.split("/", 2);
  if (name === "") throw new SkepError("usage", `${text} must be ORGANIZATION/NAME`);
  const repository = await requireOrganization(sql, organization);
  const row = (await policyRows(sql, repository.id)).find((policy) => policy.name === name);
  if (row === undefined) throw new SkepError("not_found", `there is no policy ${text}`);
  return { repository, row };
}
