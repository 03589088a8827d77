import { randomBytes } from "node:crypto";
import { Command } from "commander";
import { readImportConfig } from "../../schemas/config/config.ts";
import { SkepError } from "../../schemas/errors.ts";
import { repositoryByName } from "../../store/queries/registry.ts";
import type { Context } from "../context.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { importRepository } from "../import/repository.ts";
import { operate, requireUser } from "../operator.ts";
import { openProgress } from "../progress.ts";
import { openSource, readPublicKeyFile } from "../repository-source.ts";
import { visible } from "../visible.ts";
import { openPrivateStore } from "../wire/stores.ts";
import { positive } from "./verify.ts";

interface ImportFlags {
  readonly owner?: string;
  readonly repository?: string;
  readonly publicKey?: string;
  readonly docs?: boolean;
  readonly dryRun?: boolean;
  readonly concurrency?: number;
}

export function importCommand(context: Context): Command {
  return new Command("import")
    .description("take another repository into the database, with times of publication and retirements")
    .argument("<url-or-folder>", "a repository's URL, as clients have it, or a folder that holds its files")
    .option("--owner <user>", "who owns the packages; needed for the public repository")
    .option("--repository <name>", "where they go (default: the public repository)")
    .option("--public-key <file>", "the key to trust, PEM (default: the repository's own public_key)")
    .option("--docs", "documentation as well; over HTTP that is one more request a release")
    .option("--dry-run", "change nothing, say what is new")
    .option("--concurrency <n>", "packages at a time (default: 4)", positive)
    .addHelpText(
      "after",
      `
Every file is verified as a client would. What is here already with the same bytes is left as it is, so it can be cut
off and called again; with other bytes it is refused by name. A running generator writes the files. The private store
and the database are used as \`skep api\` uses them.

Examples:
  skep import /srv/registry --owner ann --dry-run
  skep import https://repo.acme.example --owner ann --public-key acme.pem --docs
  skep import /srv/secret --repository acme
${EXIT_HELP}`,
    )
    .action((place: string, flags: ImportFlags) => run(context, place, flags));
}

async function run(context: Context, place: string, flags: ImportFlags): Promise<void> {
  const { terminal } = context;
  const config = readImportConfig(context.source);
  const source = await openSource(place);
  const publicKeyPem = flags.publicKey === undefined ? undefined : await readPublicKeyFile(flags.publicKey);
  const privateStore = await openPrivateStore(config.privateStore);
  const work = operate(context, config, "import", async ({ sql, audit }) => {
    const name = flags.repository ?? config.repository.name;
    const repository = await repositoryByName(sql, name);
    if (repository === undefined) {
      throw new SkepError(
        "not_found",
        `there is no repository ${name} yet; start it once, or make the organization`,
      );
    }
    if (repository.public && flags.owner === undefined) {
      throw new SkepError(
        "usage",
        `--owner is missing: who owns the packages in ${name}, as the files do not say it`,
      );
    }
    if (!repository.public && flags.owner !== undefined) {
      throw new SkepError("usage", `--owner is not for ${name}: the organization owns its packages`);
    }
    const owner = flags.owner === undefined ? undefined : await requireUser(sql, flags.owner);
    const uploadId = () => randomBytes(16).toString("hex");
    const dryRun = flags.dryRun === true;
    const target = {
      sql,
      privateStore,
      repository,
      owner,
      docs: flags.docs === true,
      dryRun,
      uploadId,
      audit,
    };
    const progress = openProgress(terminal, "importing", "packages");
    const options = {
      publicKeyPem,
      concurrency: flags.concurrency ?? 4,
      clock: () => new Date(),
      onProgress: progress.update,
    };
    const report = await importRepository(target, source, options).finally(progress.end);
    for (const problem of report.problems) terminal.out(visible(`left out, ${problem}`));
    const { packages, imported, present, problems } = report;
    terminal.say(
      `${packages} packages: ${imported} releases ${dryRun ? "would be imported" : "imported"}, ${present} were here` +
        (imported > 0 && !dryRun ? "; a running generator writes their files" : ""),
    );
    if (problems.length > 0) throw new SkepError("verification_failed", `${problems.length} were left out`);
  });
  await work.finally(() => privateStore.close());
}
