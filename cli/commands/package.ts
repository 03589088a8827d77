import { Command } from "commander";
import { readToolConfig } from "../../schemas/config/config.ts";
import type { Context } from "../context.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { operate, requirePackage } from "../operator.ts";
import { removePackage } from "../removal.ts";

interface RemoveOptions {
  readonly reason: string;
  readonly force?: boolean;
}

export function packageCommand(context: Context): Command {
  const remove = new Command("remove")
    .description("remove a package with all of its releases; the generator takes the files away")
    .argument("<package>", "NAME, or REPOSITORY/NAME")
    .requiredOption("--reason <text>", "kept in the audit log")
    .option("--force", "also when other packages depend on it")
    .addHelpText(
      "after",
      `
The name is free for anybody then, unless it is reserved: see \`skep reserve\`.

Example:
  skep package remove typo_squat --reason "imitates another" && skep reserve typo_squat
${EXIT_HELP}`,
    )
    .action((name: string, options: RemoveOptions) => removeNamed(context, name, options));
  return new Command("package").description("packages").addCommand(remove);
}

async function removeNamed(context: Context, name: string, { reason, force }: RemoveOptions): Promise<void> {
  await operate(context, readToolConfig(context.source), "package remove", async (operator) => {
    const found = await requirePackage(operator, name);
    const count = await removePackage(operator, found, { reason, force: force === true });
    context.terminal.say(
      `${found.package.name} is removed with ${count} release(s); a running generator takes the files away`,
    );
  });
}
