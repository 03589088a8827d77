/** The reporter that the settings ask for. */
import type { CommonConfig } from "../../schemas/config/config.ts";
import { hiding } from "./hidden.ts";
import { type ErrorReporter, SentryReporter } from "./reporter.ts";

/** @param config of the role: its secrets are taken out of every report @returns undefined when none is asked for. */
export function openReporter(config: CommonConfig, role: string, version: string): ErrorReporter | undefined {
  if (config.errorDsn === undefined) return undefined;
  return new SentryReporter({
    dsn: config.errorDsn,
    release: `skep@${version}`,
    role,
    hide: hiding(config),
    clock: () => new Date(),
  });
}
