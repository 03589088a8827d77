/** What every command gets. */
import type { Source } from "../schemas/config/read.ts";
import type { Terminal } from "./terminal.ts";

export interface Context {
  readonly terminal: Terminal;
  readonly source: Source;
  readonly version: string;
  /** How a person calls this program here. */
  readonly command: string;
}
