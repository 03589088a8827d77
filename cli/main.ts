#!/usr/bin/env node
/** The `skep` command. Only this file exits. */
import { Command, CommanderError } from "commander";
import { manners, processSource } from "../schemas/config/environment.ts";
import { apiCommand } from "./commands/api.ts";
import { configCommand } from "./commands/config.ts";
import { generatorCommand } from "./commands/generator.ts";
import { keyCommand } from "./commands/key.ts";
import { migrateCommand } from "./commands/migrate.ts";
import { rebuildCommand } from "./commands/rebuild.ts";
import { serveCommand } from "./commands/serve.ts";
import { userCommand } from "./commands/user.ts";
import { verifyCommand } from "./commands/verify.ts";
import type { Context } from "./context.ts";
import { EXIT, EXIT_HELP, exitCodeOf } from "./exit-codes.ts";
import { asSkepError, reportError } from "./report-error.ts";
import { processTerminal, type Terminal } from "./terminal.ts";
import { releaseVersion } from "./version.ts";

const COMMANDS = [
  serveCommand,
  apiCommand,
  generatorCommand,
  migrateCommand,
  userCommand,
  keyCommand,
  rebuildCommand,
  verifyCommand,
  configCommand,
];

function createProgram(context: Context): Command {
  const program = new Command("skep")
    .description(
      "a registry of Hex packages: publish with mix, rebar3 or gleam, fetch from static signed files",
    )
    .version(context.version)
    .option("--debug", "errors come with their stack")
    .addHelpText(
      "after",
      `
Start with \`skep serve\`; \`skep COMMAND --help\` shows examples, \`skep config --list\` every setting.
${EXIT_HELP}`,
    );
  for (const make of COMMANDS) program.addCommand(make(context));
  configure(program);
  return program;
}

/** Commander does not hand these down to commands that were made elsewhere. */
function configure(command: Command): void {
  command
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "skep: ")) });
  for (const inner of command.commands) configure(inner);
}

async function run(terminal: Terminal): Promise<number> {
  const source = processSource();
  const context: Context = { terminal, source, version: releaseVersion(), command: howCalled() };
  try {
    await createProgram(context).parseAsync(process.argv);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    reportError(terminal, error);
    return exitCodeOf(asSkepError(error));
  }
}

/** From a checkout there is no `skep` on the path. */
function howCalled(): string {
  return process.argv[1]?.endsWith("main.ts") ? "npm run -s skep --" : "skep";
}

const wishes = manners();
const terminal = processTerminal({ ...wishes, debug: wishes.debug || process.argv.includes("--debug") });

// Whoever reads our results has seen enough: `skep config | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT.ok);
  throw error;
});

// A defect: whatever state this process is in, the next start repairs it.
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (error: unknown) => {
    reportError(terminal, error);
    process.exit(EXIT.failed);
  });
}

process.exitCode = await run(terminal);
