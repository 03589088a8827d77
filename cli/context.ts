/** What every command gets. */
import type { Source } from "../schemas/config/read.ts";
import type { Terminal } from "./terminal.ts";

export interface Context {
  readonly terminal: Terminal;
  readonly source: Source;
  readonly version: string;
  /** Called through a script of package.json, by processes that may be killed without us. */
  readonly underNpm: boolean;
  /** How a person calls this program here. */
  readonly command: string;
  /** Run when a defect ends the process, which waits for them; each bounds itself and never rejects. */
  readonly lastWords: Set<(error: unknown) => Promise<void>>;
}
