/** The commands, and how a call of them ends. */
import { Command, CommanderError } from "commander";
import type { Context } from "./context.ts";
import { EXIT, EXIT_HELP, exitCodeOf } from "./exit-codes.ts";
import { asSkepError, reportError } from "./report-error.ts";
import type { Terminal } from "./terminal.ts";

type MakeCommand = (context: Context) => Command;

/** Each loaded when it is wanted, as some bring half a second of libraries with them. */
const COMMANDS: Readonly<Record<string, () => Promise<MakeCommand>>> = {
  serve: async () => (await import("./commands/serve.ts")).serveCommand,
  api: async () => (await import("./commands/api.ts")).apiCommand,
  generator: async () => (await import("./commands/generator.ts")).generatorCommand,
  edge: async () => (await import("./commands/edge.ts")).edgeCommand,
  migrate: async () => (await import("./commands/migrate.ts")).migrateCommand,
  user: async () => (await import("./commands/user.ts")).userCommand,
  key: async () => (await import("./commands/key.ts")).keyCommand,
  organization: async () => (await import("./commands/organization.ts")).organizationCommand,
  policy: async () => (await import("./commands/policy.ts")).policyCommand,
  "oauth-client": async () => (await import("./commands/oauth-client.ts")).oauthClientCommand,
  owner: async () => (await import("./commands/owner.ts")).ownerCommand,
  package: async () => (await import("./commands/package.ts")).packageCommand,
  release: async () => (await import("./commands/release.ts")).releaseCommand,
  reserve: async () => (await import("./commands/reserve.ts")).reserveCommand,
  unreserve: async () => (await import("./commands/reserve.ts")).unreserveCommand,
  block: async () => (await import("./commands/block.ts")).blockCommand,
  "read-only": async () => (await import("./commands/read-only.ts")).readOnlyCommand,
  advisories: async () => (await import("./commands/advisories.ts")).advisoriesCommand,
  downloads: async () => (await import("./commands/downloads.ts")).downloadsCommand,
  build: async () => (await import("./commands/build.ts")).buildCommand,
  import: async () => (await import("./commands/import.ts")).importCommand,
  export: async () => (await import("./commands/export.ts")).exportCommand,
  rebuild: async () => (await import("./commands/rebuild.ts")).rebuildCommand,
  status: async () => (await import("./commands/status.ts")).statusCommand,
  diff: async () => (await import("./commands/diff.ts")).diffCommand,
  verify: async () => (await import("./commands/verify.ts")).verifyCommand,
  config: async () => (await import("./commands/config.ts")).configCommand,
};

/** @returns the command that is called; all of them for help, and to suggest what was meant. */
function wantedCommands(words: readonly string[]): Promise<readonly MakeCommand[]> {
  const called = words.find((word) => !word.startsWith("-"));
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
  // `--version` after such a command is its own option, and not ours.
  if (program.commands.some(({ options }) => options.some(({ long }) => long === "--version"))) {
    program.enablePositionalOptions();
  }
  configure(program, context.terminal);
  return program;
}

/** Commander does not hand these down to commands that were made elsewhere. */
function configure(command: Command, terminal: Terminal): void {
  command
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.say(text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error: /, "skep: ")),
    });
  for (const inner of command.commands) configure(inner, terminal);
}

/**
 * Runs one command and says on the terminal what became of it.
 * @param words what the person has typed after `skep`
 * @returns the exit code.
 */
export async function runProgram(words: readonly string[], context: Context): Promise<number> {
  try {
    const program = createProgram(context, await wantedCommands(words));
    await program.parseAsync([...words], { from: "user" });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    reportError(context.terminal, error);
    return exitCodeOf(asSkepError(error));
  }
}
