import { Command } from "commander";
import { repositoryName } from "../../hex/ids.ts";
import { readRebuildConfig } from "../../schemas/config/config.ts";
import { SkepError } from "../../schemas/errors.ts";
import { openStore } from "../../store/open.ts";
import type { Context } from "../context.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { exportRepository } from "../export/repository.ts";
import { openProgress } from "../progress.ts";
import { visible } from "../visible.ts";

interface ExportFlags {
  readonly repository?: string;
  readonly deleteStrays?: boolean;
}

export function exportCommand(context: Context): Command {
  return new Command("export")
    .description("write a repository out of the public store into a folder")
    .argument("<folder>", "made when it is not there; takes only what is new when it was exported to before")
    .option("--repository <name>", "a private repository (default: the public one)")
    .option("--delete-strays", "delete packages, tarballs and docs of the folder that the repository has not")
    .addHelpText(
      "after",
      `
The folder is a registry that any web server can serve, and that \`skep build\` and \`mix hex.registry build\` go on with:
public_key, names, versions, packages, tarballs, docs, policies, and retirements.yaml. Needs neither the database nor the
signing key, only to read the public store. Works while everything runs.

Example:
  skep export /srv/backup && skep verify /srv/backup
${EXIT_HELP}`,
    )
    .action((folder: string, flags: ExportFlags) => run(context, folder, flags));
}

async function run({ terminal, source }: Context, folder: string, flags: ExportFlags): Promise<void> {
  const config = readRebuildConfig(source);
  const name = repositoryName(flags.repository ?? config.repository.name);
  if (name === undefined) {
    throw new SkepError("usage", `${JSON.stringify(flags.repository)} cannot be a repository's name`);
  }
  const store = await openStore(config.publicStore);
  const progress = openProgress(terminal, "exporting", "files");
  const deleteStrays = flags.deleteStrays === true;
  const report = await exportRepository(store, {
    folder,
    repository: { name, public: name === config.repository.name },
    deleteStrays,
    onProgress: progress.update,
  }).finally(async () => {
    progress.end();
    await store.close();
  });
  for (const key of report.strays)
    terminal.out(visible(`${deleteStrays ? "deleted" : "not in the repository"}: ${key}`));
  terminal.say(`${report.files} files, ${report.written} of them written now`);
}
