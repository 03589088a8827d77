import { Command } from "commander";
import { packageName } from "../../hex/ids.ts";
import { readToolConfig } from "../../schemas/config/config.ts";
import { SkepError } from "../../schemas/errors.ts";
import { reserveName, unreserveName } from "../../store/queries/operations.ts";
import type { Context } from "../context.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { operate, splitName } from "../operator.ts";

interface Options {
  readonly version?: string;
  readonly reason?: string;
}

export function reserveCommand(context: Context): Command {
  return new Command("reserve")
    .description("keep a package's name, or one version of it, from being published")
    .argument("<package>", "NAME, or REPOSITORY/NAME")
    .option("--version <version>", "that version alone")
    .option("--reason <text>", "kept with it and in the audit log")
    .addHelpText("after", EXIT_HELP)
    .action((name: string, options: Options) => reserve(context, name, options, true));
}

export function unreserveCommand(context: Context): Command {
  return new Command("unreserve")
    .description("let a reserved name or version be published again")
    .argument("<package>", "NAME, or REPOSITORY/NAME")
    .option("--version <version>", "that version alone")
    .addHelpText("after", EXIT_HELP)
    .action((name: string, options: Options) => reserve(context, name, options, false));
}

async function reserve(context: Context, text: string, options: Options, reserved: boolean): Promise<void> {
  const config = readToolConfig(context.source);
  const { repository, name } = splitName(config, text);
  if (packageName(name) === undefined) throw new SkepError("usage", `${name} is no package name`);
  const version = options.version ?? null;
  const what = version === null ? name : `${name} ${version}`;
  await operate(context, config, reserved ? "reserve" : "unreserve", async ({ sql, audit }) => {
    const row = { repository, name, version, reason: options.reason ?? null };
    await sql.begin(async (tx) => {
      const done = reserved ? await reserveName(tx, row) : await unreserveName(tx, row);
      if (!done && reserved) throw new SkepError("already_exists", `${what} is reserved already`);
      if (!done) throw new SkepError("not_found", `${what} is not reserved`);
      await audit(tx, reserved ? "package.reserve" : "package.unreserve", { package: { name }, ...row });
    });
    context.terminal.say(`${what} is ${reserved ? "reserved" : "no longer reserved"}`);
  });
}
