import { Command } from "commander";
import { adopt } from "../../generator/adopt/adopt.ts";
import { checkEach } from "../../generator/check.ts";
import type { GeneratorContext } from "../../generator/context.ts";
import { Generator } from "../../generator/generator.ts";
import { type RebuildReport, rebuild } from "../../generator/rebuild.ts";
import { readRebuildConfig } from "../../schemas/config/config.ts";
import { SkepError } from "../../schemas/errors.ts";
import type { Context } from "../context.ts";
import { signingKey } from "../data-folder.ts";
import { withDatabase } from "../database.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { findingPrinter } from "../findings.ts";
import { untilSignal } from "../lifetime.ts";
import { openLog } from "../log.ts";
import { openProgress } from "../progress.ts";
import type { Terminal } from "../terminal.ts";
import { visible } from "../visible.ts";
import { generatorContext } from "../wire/generator.ts";
import { openStores, openStoresToRead } from "../wire/stores.ts";
import { NO_KEY } from "./generator.ts";
import { wholeNumber } from "./whole-number.ts";

interface RebuildFlags {
  readonly check?: boolean;
  readonly adopt?: boolean;
  readonly acceptLoss?: boolean;
  readonly deleteStrays?: boolean;
  readonly limit: number;
  readonly json?: boolean;
}

export function rebuildCommand(context: Context): Command {
  return new Command("rebuild")
    .description("look at every object of the public store, and mend what is not as the database says")
    .option("--check", "change nothing, name each object and field that differs")
    .option(
      "--adopt",
      "after a restored backup: raise the database's counters above what the store has seen, first",
    )
    .option("--accept-loss", "with --adopt: go on without what only the public store has")
    .option("--delete-strays", "delete objects that belong to nothing, however many they are")
    .option("--limit <n>", "objects to name", wholeNumber, 1_000)
    .option("--json", "print one JSON object a line")
    .addHelpText(
      "after",
      `
A public store that was lost comes back whole: the database and the private store hold everything. Works
beside running generators, which then do a part of it or all of it. May be stopped and started again: what is
as it should be is not written again.

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

function refuseContradictions({ check, adopt: isAdoption, acceptLoss, deleteStrays }: RebuildFlags): void {
  if (check && (isAdoption || deleteStrays)) {
    throw new SkepError("usage", "--check changes nothing: it goes with neither --adopt nor --delete-strays");
  }
  if (isAdoption && deleteStrays) {
    throw new SkepError("usage", "--adopt deletes nothing: run `skep rebuild --delete-strays` after it");
  }
  if (acceptLoss && !isAdoption) throw new SkepError("usage", "--accept-loss belongs to --adopt");
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
    const stores = await (flags.check
      ? openStoresToRead(config)
      : openStores(config, (message) => log.warn({}, message)));
    try {
      const generator = await generatorContext({ config, database, signer, log, ...stores });
      await (flags.check ? check(context, generator, flags) : mend(context, generator, flags));
    } finally {
      await stores.close();
    }
  });
}

async function check({ terminal }: Context, generator: GeneratorContext, flags: RebuildFlags): Promise<void> {
  const progress = openProgress(terminal, "checking", "packages");
  const listing = openProgress(terminal, "checking", "objects");
  const printer = findingPrinter(terminal, flags.limit, flags.json ?? false);
  let [differing, pending] = [0, 0];
  await checkEach(generator, {
    onFinding(finding) {
      if (finding.pending) pending += 1;
      else differing += 1;
      printer.print(finding);
    },
    onProgress: progress.update,
    onListed: listing.update,
  }).finally(progress.end);
  printer.end();
  if (pending > 0) terminal.say(`${counted(pending)} about to be built`);
  if (differing > 0) {
    throw new SkepError(
      "verification_failed",
      `${counted(differing)} not as the database says; \`skep rebuild\` mends what differs`,
    );
  }
  terminal.say(`every ${pending > 0 ? "other " : ""}object is as the database says`);
}

function counted(objects: number): string {
  return objects === 1 ? "1 object is" : `${objects} objects are`;
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
    if (flags.adopt) {
      await generator.requireOwnKey();
      await adoptStore(terminal, context, flags, lifetime.signal);
    }
    const report = await rebuild(context, generator, {
      strays: flags.adopt ? "keep" : flags.deleteStrays ? "delete" : "few",
      onProgress: progress.update,
      onListed: openProgress(terminal, "listing", "objects").update,
      signal: lifetime.signal,
    });
    progress.end();
    printReport(terminal, context, report, flags);
  } finally {
    progress.end();
    await generator.releaseClaims();
    lifetime.close();
  }
}

async function adoptStore(
  terminal: Terminal,
  context: GeneratorContext,
  flags: RebuildFlags,
  signal: AbortSignal,
): Promise<void> {
  const progress = openProgress(terminal, "reading the public store:", "objects");
  const printer = findingPrinter(terminal, flags.limit, flags.json ?? false);
  const { raised, kept } = await adopt(context, {
    acceptLoss: flags.acceptLoss ?? false,
    onFinding: printer.print,
    onListed: progress.update,
    signal,
  }).finally(() => {
    progress.end();
    printer.end();
  });
  if (raised === 0)
    return terminal.say("the public store is not ahead of the database: there is nothing to adopt");
  const repositories = raised === 1 ? "1 repository" : `${raised} repositories`;
  terminal.say(
    `adopted what the public store holds of ${repositories}; left where they are: ${kept} objects`,
  );
}

function printReport(
  terminal: Terminal,
  context: GeneratorContext,
  report: RebuildReport,
  flags: RebuildFlags,
): void {
  for (const key of report.foreign.slice(0, flags.limit)) {
    terminal.say(visible(`left alone, as it is none of ours: ${key}`));
  }
  const more = report.foreign.length - flags.limit;
  if (more > 0) terminal.say(`... and ${more} more that are none of ours`);
  for (const { package: name, version, object, reason } of report.held) {
    terminal.say(visible(`not published, ${REASONS[reason]}: the ${object} of ${name} ${version}`));
  }
  const { puts, deletes } = context.counters;
  const { packages, strays, kept, held } = report;
  if (kept > 0) {
    terminal.say(
      `left alone, as the database has lost what they belong to: ${kept} objects; --delete-strays deletes them`,
    );
  }
  const summary = { packages, strays, kept, written: puts, deleted: deletes, held };
  if (flags.json) terminal.out(JSON.stringify(summary));
  else terminal.say(`looked at ${packages} packages: ${puts} objects written, ${deletes} deleted`);
}
