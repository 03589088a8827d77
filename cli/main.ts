#!/usr/bin/env node
/** The `skep` command. Only this file exits. */
import { Command, CommanderError } from "commander";
import { manners, processSource } from "../schemas/config/environment.ts";
import type { Source } from "../schemas/config/read.ts";
import type { Context } from "./context.ts";
import { EXIT, EXIT_HELP, exitCodeOf } from "./exit-codes.ts";
import { asSkepError, reportError } from "./report-error.ts";
import { processTerminal, type Terminal } from "./terminal.ts";
import { releaseVersion } from "./version.ts";

type MakeCommand = (context: Context) => Command;

/** Each loaded when it is wanted, as some bring half a second of libraries with them. */
const COMMANDS: Readonly<Record<string, () => Promise<MakeCommand>>> = {
  serve: async () => (await import("./commands/serve.ts")).serveCommand,
  api: async () => (await import("./commands/api.ts")).apiCommand,
  generator: async () => (await import("./commands/generator.ts")).generatorCommand,
  migrate: async () => (await import("./commands/migrate.ts")).migrateCommand,
  user: async () => (await import("./commands/user.ts")).userCommand,
  key: async () => (await import("./commands/key.ts")).keyCommand,
  rebuild: async () => (await import("./commands/rebuild.ts")).rebuildCommand,
  verify: async () => (await import("./commands/verify.ts")).verifyCommand,
  config: async () => (await import("./commands/config.ts")).configCommand,
};

/** @returns the command that is called; all of them for help, and to suggest what was meant. */
function wantedCommands(): Promise<readonly MakeCommand[]> {
  const called = process.argv.slice(2).find((word) => !word.startsWith("-"));
  const load = called !== undefined && Object.hasOwn(COMMANDS, called) ? COMMANDS[called] : undefined;
  return Promise.all((load === undefined ? Object.values(COMMANDS) : [load]).map((one) => one()));
}

function createProgram(context: Context, commands: readonly MakeCommand[]): Command {
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
  for (const make of commands) program.addCommand(make(context));
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
  const context: Context = { terminal, source, version: releaseVersion(), command: howCalled(source) };
  try {
    await createProgram(context, await wantedCommands()).parseAsync(process.argv);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    reportError(terminal, error);
    return exitCodeOf(asSkepError(error));
  }
}

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

// A defect: whatever state this process is in, the next start repairs it.
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (error: unknown) => {
    reportError(terminal, error);
    process.exit(EXIT.failed);
  });
}

process.exitCode = await run(terminal);
