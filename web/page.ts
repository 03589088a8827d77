/** What a row of the table of pages says. */
import type { Visit } from "./visit.ts";

export type PageHandler = (visit: Visit) => Promise<Response>;

export interface Page {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** `sudo`: who has shown the password, or the second factor, within the last hour. */
  readonly access: "anyone" | "user" | "sudo";
  readonly handler: PageHandler;
}
