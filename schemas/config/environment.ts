/** The only place of the project that looks at the environment of the process. */
import { readFileSync } from "node:fs";
import type { Source } from "./read.ts";

/** @returns the environment as it is now, and the file system for the file that it may name. */
export function processSource(): Source {
  return { environment: { ...process.env }, readFile: (path) => readFileSync(path, "utf8") };
}

/** Wishes that concern how we talk, needed before any setting is read. */
export interface Manners {
  /** See no-color.org. */
  readonly noColor: boolean;
  readonly dumbTerminal: boolean;
  /** Errors come with their stack. */
  readonly debug: boolean;
  /** Called through a script of package.json. */
  readonly underNpm: boolean;
}

export function manners(): Manners {
  const { NO_COLOR, TERM, SKEP_DEBUG, npm_lifecycle_event } = process.env;
  return {
    noColor: NO_COLOR !== undefined && NO_COLOR !== "",
    dumbTerminal: TERM === "dumb",
    debug: /^(on|true|yes|1)$/i.test(SKEP_DEBUG ?? ""),
    underNpm: npm_lifecycle_event !== undefined,
  };
}
