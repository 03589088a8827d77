/** What a command prints to: results on stdout, everything else on stderr. */
import type { Manners } from "../schemas/config/environment.ts";

export interface Terminal {
  /** A result, which a script may read. Ends the line. */
  out(text: string): void;
  /** For people. Ends the line. */
  say(text: string): void;
  /** Writes to the last line of stderr, over what was there; only on a terminal that can. */
  readonly redraw: ((text: string) => void) | undefined;
  /** Marks text that matters, on a terminal that can. */
  bold(text: string): string;
  dim(text: string): string;
  /** Errors come with their stack. */
  readonly debug: boolean;
}

export function processTerminal(manners: Manners): Terminal {
  const { stdout, stderr } = process;
  const style = (code: number) => (text: string) =>
    stdout.isTTY && stderr.isTTY && !manners.noColor && !manners.dumbTerminal
      ? `\x1b[${code}m${text}\x1b[0m`
      : text;
  const canRedraw = stderr.isTTY && !manners.dumbTerminal;
  return {
    out: (text) => void stdout.write(`${text}\n`),
    say: (text) => void stderr.write(`${text}\n`),
    redraw: canRedraw
      ? (text) => void stderr.write(`\r\x1b[K${text.slice(0, Math.max(20, (stderr.columns ?? 80) - 1))}`)
      : undefined,
    bold: style(1),
    dim: style(2),
    debug: manners.debug,
  };
}
