import { Command } from "commander";
import { readToolConfig } from "../../schemas/config/config.ts";
import { SkepError } from "../../schemas/errors.ts";
import { repositoryByName } from "../../store/queries/registry.ts";
import { importAdvisories } from "../advisories/import.ts";
import { type Feed, readFeed } from "../advisories/records.ts";
import type { Context } from "../context.ts";
import { withDatabase } from "../database.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { visible } from "../visible.ts";

interface ImportFlags {
  readonly prune?: boolean;
}

export function advisoriesCommand(context: Context): Command {
  const load = new Command("import")
    .description("take security advisories from an export of the OSV database")
    .argument("<file-or-folder>", "a zip, a folder of JSON files, or one JSON file, in OSV's format")
    .option("--prune", "remove advisories that are not in it; for a zip or a folder that holds all there are")
    .addHelpText(
      "after",
      `
Reads what is about packages of the ecosystem Hex, for the public repository. Clients see it with the packages, which
are built anew. To import the same again changes nothing. Records that cannot be read are named and left out, and then
nothing is removed.

Examples:
  curl -O https://osv-vulnerabilities.storage.googleapis.com/Hex/all.zip
  skep advisories import all.zip --prune
  skep advisories import EEF-CVE-2026-0001.json
${EXIT_HELP}`,
    )
    .action((place: string, flags: ImportFlags) => run(context, place, flags));
  return new Command("advisories").description("security advisories").addCommand(load);
}

async function run({ source, terminal }: Context, place: string, flags: ImportFlags): Promise<void> {
  const config = readToolConfig(source);
  const feed = await readFeed(place);
  for (const problem of feed.problems) terminal.say(visible(`left out, ${problem}`));
  if (flags.prune) refusePrune(place, feed);
  const prune = flags.prune === true && feed.problems.length === 0;
  await withDatabase(config, "skep advisories import", async (database) => {
    const sql = await database.rolePool("skep_api", 1);
    const repository = await repositoryByName(sql, config.repository.name);
    if (repository === undefined) {
      throw new SkepError("not_found", `there is no repository ${config.repository.name} yet; start it once`);
    }
    const report = await importAdvisories(sql, feed.advisories, { repositoryId: repository.id, prune });
    const { added, changed, removed, unchanged, packages } = report;
    terminal.say(
      `${added} added, ${changed} changed, ${removed} removed, ${unchanged} as before; ` +
        `${packages.length} packages are built anew`,
    );
  });
  if (feed.problems.length > 0) {
    const kept = flags.prune ? ", so nothing was removed" : "";
    throw new SkepError("verification_failed", `${feed.problems.length} records were left out${kept}`);
  }
}

/** @throws SkepError `usage` where it would remove what was never meant. */
function refusePrune(place: string, feed: Feed): void {
  if (!feed.whole)
    throw new SkepError("usage", "--prune takes a zip or a folder: one record is not all there are");
  if (feed.advisories.length === 0 && feed.problems.length === 0) {
    throw new SkepError("usage", `${place} holds no advisory of Hex; with --prune all would be removed`);
  }
}
