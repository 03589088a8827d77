#!/usr/bin/env node
/** The `skep` command. Only this file exits. */
import { manners, processSource } from "../schemas/config/environment.ts";
import type { Source } from "../schemas/config/read.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { runProgram } from "./program.ts";
import { reportError } from "./report-error.ts";
import { processTerminal } from "./terminal.ts";
import { releaseVersion } from "./version.ts";

const LINGER_MILLISECONDS = 2_000;

const PLACES = ["SKEP_CONFIG_FILE", "SKEP_DATA_DIR"];

/** From a checkout there is no `skep` on the path; and another call has to find the same installation. */
function howCalled({ environment }: Source): string {
  const places = PLACES.flatMap((name) => {
    const value = environment[name];
    return value
      ? [`${name}=${/^[\w./-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`}`]
      : [];
  });
  return [...places, process.argv[1]?.endsWith("main.ts") ? "npm run -s skep --" : "skep"].join(" ");
}

const wishes = manners();
const terminal = processTerminal({ ...wishes, debug: wishes.debug || process.argv.includes("--debug") });

// Whoever reads our results has seen enough: `skep config | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT.ok);
  throw error;
});
// Nobody reads what we say any more: that is no reason to leave work half done.
process.stderr.on("error", () => undefined);

const lastWords: Context["lastWords"] = new Set();
let crashing = false;
// A defect: whatever state this process is in, the next start repairs it.
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, async (error: unknown) => {
    reportError(terminal, error);
    const words = crashing ? [] : [...lastWords];
    crashing = true;
    if (words.length > 0) await Promise.all(words.map((say) => say(error)));
    process.exit(EXIT.failed);
  });
}

const source = processSource();
const context: Context = {
  terminal,
  source,
  version: releaseVersion(),
  underNpm: wishes.underNpm,
  command: howCalled(source),
  lastWords,
};
process.exitCode = await runProgram(process.argv.slice(2), context);
// Everything was ended by now; a connection that some library keeps must not keep us.
setTimeout(() => process.exit(), LINGER_MILLISECONDS).unref();
