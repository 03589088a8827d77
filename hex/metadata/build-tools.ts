/** Packages of the first years do not name their build tools; clients guess them from the file names. */
import type { MetadataValue } from "./value.ts";

const TOOL_OF_FILE = new Map([
  ["mix.exs", "mix"],
  ["rebar.config", "rebar3"],
  ["rebar", "rebar3"],
  ["Makefile", "make"],
  ["Makefile.win", "make"],
]);

/**
 * @param files the paths that the package says it consists of
 * @returns the tools whose files lie at its top, sorted, each once.
 */
export function guessBuildTools(files: readonly MetadataValue[]): string[] {
  const tools = files.flatMap((file) => {
    const tool = typeof file === "string" ? TOOL_OF_FILE.get(file) : undefined;
    return tool === undefined ? [] : [tool];
  });
  return [...new Set(tools)].sort();
}
