import { Command } from "commander";
import { diff, type PlannedBuild, type PlannedStep } from "../../generator/diff/diff.ts";
import { readRebuildConfig } from "../../schemas/config/config.ts";
import type { Context } from "../context.ts";
import { signingKey } from "../data-folder.ts";
import { withDatabase } from "../database.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { openLog } from "../log.ts";
import { visible } from "../visible.ts";
import { generatorContext } from "../wire/generator.ts";
import { openStoresToRead } from "../wire/stores.ts";
import { NO_KEY } from "./generator.ts";
import { wholeNumber } from "./whole-number.ts";

interface DiffFlags {
  readonly limit: number;
  readonly json?: boolean;
}

export function diffCommand(context: Context): Command {
  return new Command("diff")
    .description("tell what the next build would change, in words; changes nothing")
    .option("--limit <n>", "objects to name", wholeNumber, 1_000)
    .option("--json", "print one JSON object a line: repositories, each followed by its objects")
    .addHelpText(
      "after",
      `
What has changed in the database and is not in the public store yet. Says nothing of what was changed in the
store by hand: that is found by \`skep rebuild --check\`.

Examples:
  skep diff
  skep diff --json
${EXIT_HELP}`,
    )
    .action((flags: DiffFlags) => runDiff(context, flags));
}

async function runDiff({ source, terminal }: Context, flags: DiffFlags): Promise<void> {
  const config = readRebuildConfig(source);
  const log = openLog({ ...config.log, level: "warn" }, true);
  await withDatabase(config, "skep diff", async (database) => {
    const signer = await signingKey(config.signingKeyFile, NO_KEY);
    const stores = await openStoresToRead(config);
    let [builds, steps] = [0, 0];
    const print = (value: PlannedBuild | PlannedStep, text: () => readonly string[]) => {
      if (flags.json) terminal.out(JSON.stringify(value));
      else for (const line of text()) terminal.out(visible(line));
    };
    try {
      const generator = await generatorContext({ config, database, signer, log, ...stores });
      await diff(generator, {
        onBuild(build) {
          builds += 1;
          print(build, () => [buildLine(build)]);
        },
        onStep(step) {
          steps += 1;
          if (steps <= flags.limit) print(step, () => stepLines(step));
        },
      });
    } finally {
      await stores.close();
    }
    if (steps > flags.limit) terminal.say(`... and ${steps - flags.limit} more; --limit shows more of them`);
    if (builds === 0) terminal.say("nothing waits to be built");
  });
}

function buildLine({ repository, changes, packages, intents }: PlannedBuild): string {
  const begun = intents === 0 ? "" : `, ${counted(intents, "object")} of an earlier build to look at`;
  return `${repository}: ${counted(changes, "change")}, ${counted(packages, "package")} to build${begun}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

const ACTIONS: Record<PlannedStep["action"], string> = {
  create: "will be written",
  replace: "will be written anew",
  record: "is right, and will be recorded",
  remove: "will be removed",
  retire: "will be deleted after its grace",
  delete: "will be deleted, its grace is over",
};

function stepLines({ key, action, words }: PlannedStep): readonly string[] {
  return words.length === 0 ? [`  ${key} ${ACTIONS[action]}`] : words.map((line) => `  ${key}: ${line}`);
}
