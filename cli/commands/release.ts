import { Command } from "commander";
import { releaseParams } from "../../api/handlers/releases.ts";
import { readToolConfig } from "../../schemas/config/config.ts";
import { SkepError } from "../../schemas/errors.ts";
import { permitRepublish } from "../../store/queries/operations.ts";
import type { Context } from "../context.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { operate, requirePackage, requireRelease } from "../operator.ts";
import { removeRelease } from "../removal.ts";

const PACKAGE = "NAME, or REPOSITORY/NAME";
const LONGEST_HOURS = 720;

interface RemoveOptions {
  readonly reason: string;
  readonly force?: boolean;
}

export function releaseCommand(context: Context): Command {
  const remove = new Command("remove")
    .description("remove a release of any age, with its tarball and docs; the generator takes the files away")
    .argument("<package>", PACKAGE)
    .argument("<version>")
    .requiredOption("--reason <text>", "kept in the audit log")
    .option("--force", "also the last release of a package that others depend on")
    .addHelpText(
      "after",
      `
Whoever depends on the release can no longer install it: retire it instead if that is enough.

Example:
  skep release remove my_app 1.2.3 --reason "contains a password"
${EXIT_HELP}`,
    )
    .action((name: string, version: string, options: RemoveOptions) =>
      removeNamed(context, name, version, options),
    );
  const allow = new Command("allow-republish")
    .description("let the owners publish a release once more although it is older than an hour")
    .argument("<package>", PACKAGE)
    .argument("<version>")
    .option("--hours <number>", "for how long", "24")
    .addHelpText(
      "after",
      `
Without effect where SKEP_ALLOW_REPLACE is off.
${EXIT_HELP}`,
    )
    .action((name: string, version: string, options: { hours: string }) =>
      allowRepublish(context, name, version, options.hours),
    );
  return new Command("release").description("releases of packages").addCommand(remove).addCommand(allow);
}

async function removeNamed(
  context: Context,
  name: string,
  version: string,
  options: RemoveOptions,
): Promise<void> {
  await operate(context, readToolConfig(context.source), "release remove", async (operator) => {
    const found = await requirePackage(operator, name);
    const release = await requireRelease(operator, found, version);
    await removeRelease(operator, found, release, { reason: options.reason, force: options.force === true });
    context.terminal.say(
      `${found.package.name} ${version} is removed; a running generator takes its files away`,
    );
  });
}

async function allowRepublish(context: Context, name: string, version: string, text: string): Promise<void> {
  const hours = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (hours < 1 || hours > LONGEST_HOURS) {
    throw new SkepError("usage", `--hours must be a whole number from 1 to ${LONGEST_HOURS}`);
  }
  await operate(context, readToolConfig(context.source), "release allow-republish", async (operator) => {
    const found = await requirePackage(operator, name);
    const release = await requireRelease(operator, found, version);
    await operator.sql.begin(async (tx) => {
      await permitRepublish(tx, release.id, hours);
      await operator.audit(tx, "release.allow_republish", { ...releaseParams({ ...found, release }), hours });
    });
    context.terminal.say(`${found.package.name} ${version} may be published once more within ${hours} hours`);
  });
}
