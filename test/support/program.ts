/** A command in this process, as the command line runs it: for what needs no process of its own. */
import { runProgram } from "../../cli/program.ts";
import type { Terminal } from "../../cli/terminal.ts";

export interface EndedHere {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param file what every file of settings holds */
export async function runHere(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  file = "",
): Promise<EndedHere> {
  let [stdout, stderr] = ["", ""];
  const terminal: Terminal = {
    out(text) {
      stdout += `${text}\n`;
    },
    say(text) {
      stderr += `${text}\n`;
    },
    redraw: undefined,
    bold: (text) => text,
    dim: (text) => text,
    debug: false,
  };
  const code = await runProgram(words, {
    terminal,
    source: { environment, readFile: () => file },
    version: "1.2.3",
    underNpm: false,
    command: "skep",
    lastWords: new Set(),
  });
  return { code, stdout, stderr };
}
