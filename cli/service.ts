/** The frame of every command that runs until it is told to stop. */
import type { Logger } from "pino";
import type { CommonConfig } from "../schemas/config/config.ts";
import { watchAncestors } from "./ancestors.ts";
import type { Context } from "./context.ts";
import { reportEntry } from "./error-reports/log-hook.ts";
import { openReporter } from "./error-reports/open.ts";
import { EXIT, exitCodeOf } from "./exit-codes.ts";
import { type Lifetime, untilSignal } from "./lifetime.ts";
import { openLog } from "./log.ts";
import type { Metrics } from "./metrics/metrics.ts";
import { asSkepError } from "./report-error.ts";
import { Teardown } from "./teardown.ts";

export interface Service {
  readonly log: Logger;
  /** Undefined without a port to tell them at. */
  readonly metrics: Metrics | undefined;
  readonly lifetime: Lifetime;
  /** Add whatever has to be ended. */
  readonly teardown: Teardown;
  /** Done, and not awaited, when somebody does not want to wait for the end. */
  onHurry(work: () => void): void;
}

// After the requests that were accepted: the generator's batch, pools, Postgres.
const REST_MILLISECONDS = 30_000;
const REPORT_MILLISECONDS = 2_000;

export type ServiceRole = "serve" | "api" | "generator" | "edge";

/**
 * Starts, waits for a signal or a part that fails, and ends what was begun.
 * @param role for metrics and error reports
 * @throws what the start, or the part, has thrown.
 */
export async function runService(
  { terminal, underNpm, version, lastWords }: Context,
  role: ServiceRole,
  config: CommonConfig,
  start: (service: Service) => Promise<void>,
): Promise<void> {
  const reporter = openReporter(config, role, version);
  const log = openLog(config.log, process.stderr.isTTY === true, (level, fields, message) => {
    if (reporter !== undefined) reportEntry(reporter, level, fields, message);
  });
  const lastReport = async (error: unknown, message = "the process has crashed") => {
    reporter?.report({ error, message, level: "fatal" });
    await reporter?.flush(REPORT_MILLISECONDS);
  };
  if (reporter !== undefined) lastWords.add(lastReport);
  const metrics = config.health && new (await import("./metrics/metrics.ts")).Metrics(role, version);
  const teardown = new Teardown();
  const hurries: (() => void)[] = [];
  const lifetime = untilSignal(
    (name) => log.info({ signal: name }, "stopping; once more to stop at once"),
    () => {
      terminal.say("skep: stopped at once; the next start repairs what was half done");
      for (const hurry of hurries) hurry();
      process.exit(EXIT.interrupted);
    },
  );
  if (underNpm)
    teardown.add(
      "the watch",
      watchAncestors(() => process.kill(process.pid, "SIGTERM")),
    );
  try {
    await start({ log, metrics, lifetime, teardown, onHurry: (work) => void hurries.push(work) });
    await lifetime.ended;
  } catch (error) {
    // Wrong settings are told to whoever has set them.
    if (exitCodeOf(asSkepError(error)) !== EXIT.usage) await lastReport(error, "the service has failed");
    throw error;
  } finally {
    await teardown.run(log, config.stopSeconds * 1000 + REST_MILLISECONDS);
    lifetime.close();
    await reporter?.flush(REPORT_MILLISECONDS);
    lastWords.delete(lastReport);
  }
  log.info({}, "stopped");
}
