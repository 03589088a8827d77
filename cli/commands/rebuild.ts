import { Command } from "commander";
import { adopt } from "../../generator/adopt.ts";
import { checkBucket, type Finding } from "../../generator/check.ts";
import type { GeneratorContext } from "../../generator/context.ts";
import { Generator } from "../../generator/generator.ts";
import { rebuild } from "../../generator/rebuild.ts";
import { readRebuildConfig } from "../../schemas/config/config.ts";
import { SkepError } from "../../schemas/errors.ts";
import type { Context } from "../context.ts";
import { signingKey } from "../data-folder.ts";
import { withDatabase } from "../database.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { untilSignal } from "../lifetime.ts";
import { openLog } from "../log.ts";
import { openProgress } from "../progress.ts";
import { visible } from "../visible.ts";
import { generatorContext } from "../wire/generator.ts";
import { openStores } from "../wire/stores.ts";
import { NO_KEY } from "./generator.ts";

interface RebuildFlags {
  readonly adopt?: boolean;
  readonly acceptLoss?: boolean;
  readonly check?: boolean;
  readonly deleteStrays?: boolean;
  readonly json?: boolean;
}

export function rebuildCommand(context: Context): Command {
  return new Command("rebuild")
    .description("look at every object of the public store, and mend what is not as the database says")
    .option("--check", "change nothing, name each object that differs")
    .option("--delete-strays", "delete objects that belong to nothing, however many they are")
    .option(
      "--adopt",
      "after a restored backup: raise the database's counters above what the public store has seen, first",
    )
    .option("--accept-loss", "with --adopt: go on without releases that only the public store has")
    .option("--json", "print one JSON object a line")
    .addHelpText(
      "after",
      `
A public store that was lost comes back whole: the database and the private store hold everything. Works
beside running generators, which then do a part of it or all of it.

After a database was restored from a backup the public store is ahead of it, and generators stop with
\`database_restored\`. With --adopt they can go on: what was published since the backup is named, and stays
where it is until you decide (deploy/runbooks/database-restored.md).

Examples:
  skep rebuild --check
  skep rebuild
  skep rebuild --adopt
${EXIT_HELP}`,
    )
    .action((flags: RebuildFlags) => runRebuild(context, flags));
}

async function runRebuild(context: Context, flags: RebuildFlags): Promise<void> {
  refuseContradictions(flags);
  const config = readRebuildConfig(context.source);
  const log = openLog(
    { ...config.log, level: config.log.level === "info" ? "warn" : config.log.level },
    true,
  );
  await withDatabase(config, "skep rebuild", async (database) => {
    const signer = await signingKey(config.signingKeyFile, NO_KEY);
    const stores = await openStores(config, (message) => log.warn({}, message));
    try {
      const generator = await generatorContext({ config, database, signer, log, ...stores });
      await (flags.check ? check(context, generator, flags) : mend(context, generator, flags));
    } finally {
      await stores.close();
    }
  });
}

function refuseContradictions({ check, adopt, acceptLoss, deleteStrays }: RebuildFlags): void {
  if (check && (adopt || deleteStrays)) {
    throw new SkepError("usage", "--check changes nothing: it goes with neither --adopt nor --delete-strays");
  }
  if (adopt && deleteStrays) {
    throw new SkepError("usage", "--adopt deletes nothing: run `skep rebuild --delete-strays` after it");
  }
  if (acceptLoss && !adopt) throw new SkepError("usage", "--accept-loss belongs to --adopt");
}

async function check({ terminal }: Context, generator: GeneratorContext, flags: RebuildFlags): Promise<void> {
  const progress = openProgress(terminal, "checking", "packages");
  const findings = await checkBucket(generator, progress.update).finally(progress.end);
  for (const finding of findings) terminal.out(flags.json ? JSON.stringify(finding) : describe(finding));
  if (findings.length > 0) {
    const objects = findings.length === 1 ? "1 object is" : `${findings.length} objects are`;
    throw new SkepError(
      "verification_failed",
      `${objects} not as the database says; \`skep rebuild\` mends what differs`,
    );
  }
  terminal.say("every object is as the database says");
}

function describe({ key, difference }: Finding): string {
  return visible(`${key}: ${difference}`);
}

const REASONS = {
  blob_missing: "as the private store has lost its bytes",
  blob_corrupt: "as the private store holds other bytes",
} as const;

async function mend({ terminal }: Context, context: GeneratorContext, flags: RebuildFlags): Promise<void> {
  const lifetime = untilSignal(
    () => terminal.say("\nskep: stopping; what was looked at stays mended"),
    () => process.exit(1),
  );
  const generator = new Generator(context);
  const progress = openProgress(terminal, "rebuilding", "packages");
  try {
    if (flags.adopt) await raiseCounters(terminal, context, flags, lifetime.signal);
    const report = await rebuild(context, generator, {
      strays: flags.adopt ? "keep" : flags.deleteStrays ? "delete" : "few",
      onProgress: progress.update,
      signal: lifetime.signal,
    });
    progress.end();
    for (const key of report.foreign) terminal.say(visible(`left alone, as it is none of ours: ${key}`));
    for (const { package: name, version, object, reason } of report.held) {
      terminal.say(visible(`not published, ${REASONS[reason]}: the ${object} of ${name} ${version}`));
    }
    const { puts, deletes } = context.counters;
    const { packages, strays, held } = report;
    const summary = { packages, strays, written: puts, deleted: deletes, held };
    if (flags.json) terminal.out(JSON.stringify(summary));
    else terminal.say(`looked at ${packages} packages: ${puts} objects written, ${deletes} deleted`);
  } finally {
    progress.end();
    await generator.releaseClaims();
    lifetime.close();
  }
}

async function raiseCounters(
  terminal: Context["terminal"],
  context: GeneratorContext,
  flags: RebuildFlags,
  signal: AbortSignal,
): Promise<void> {
  const progress = openProgress(terminal, "reading the public store:", "objects");
  const reports = await adopt(context, {
    acceptLoss: flags.acceptLoss ?? false,
    onProgress: progress.update,
    signal,
  }).finally(progress.end);
  for (const { repository, objects, packages, unknown, unknownCount } of reports) {
    terminal.say(
      visible(`${repository}: ${objects} objects, of which ${packages} packages are ahead of the database`),
    );
    for (const key of unknown) terminal.say(visible(`  not in the database, left where it is: ${key}`));
    if (unknownCount > unknown.length) terminal.say(`  and ${unknownCount - unknown.length} more`);
  }
}
