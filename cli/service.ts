/** The frame of every command that runs until it is told to stop. */
import type { Logger } from "pino";
import type { CommonConfig } from "../schemas/config/config.ts";
import { watchAncestors } from "./ancestors.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { type Lifetime, untilSignal } from "./lifetime.ts";
import { openLog } from "./log.ts";
import { Teardown } from "./teardown.ts";

export interface Service {
  readonly log: Logger;
  readonly lifetime: Lifetime;
  /** Add whatever has to be ended. */
  readonly teardown: Teardown;
  /** Done, and not awaited, when somebody does not want to wait for the end. */
  onHurry(work: () => void): void;
}

// After the requests that were accepted: the generator's batch, pools, Postgres.
const REST_MILLISECONDS = 30_000;

/**
 * Starts, waits for a signal or a part that fails, and ends what was begun.
 * @throws what the start, or the part, has thrown.
 */
export async function runService(
  { terminal, underNpm }: Context,
  config: Pick<CommonConfig, "log" | "stopSeconds">,
  start: (service: Service) => Promise<void>,
): Promise<void> {
  const log = openLog(config.log, process.stderr.isTTY === true);
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
    await start({ log, lifetime, teardown, onHurry: (work) => void hurries.push(work) });
    await lifetime.ended;
  } finally {
    await teardown.run(log, config.stopSeconds * 1000 + REST_MILLISECONDS);
    lifetime.close();
  }
  log.info({}, "stopped");
}
