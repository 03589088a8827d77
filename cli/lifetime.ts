/** How long a service runs: until a signal, or until a part of it fails. */

export interface Lifetime {
  /** Aborted when it is time to stop. */
  readonly signal: AbortSignal;
  /** Resolves then; rejects with the reason when a part failed. */
  readonly ended: Promise<void>;
  /** Ends it because a part failed. */
  fail(error: unknown): void;
  /** Lets go of the signals. */
  close(): void;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
// A ^C reaches a whole group of processes, and those above pass it on: that is still the first one.
const ECHO_MILLISECONDS = 700;

/**
 * @param onFirst told of the signal that ends it
 * @param onSecond for somebody who does not want to wait any longer; has to exit
 */
export function untilSignal(onFirst: (name: string) => void, onSecond: () => void): Lifetime {
  const controller = new AbortController();
  let firstAt: number | undefined;
  let fail: (error: unknown) => void = () => undefined;
  const ended = new Promise<void>((resolve, reject) => {
    fail = reject;
    controller.signal.addEventListener("abort", () => resolve());
  });
  // Whoever awaits it later still gets it.
  ended.catch(() => undefined);
  const onSignal = (name: string) => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      onFirst(name);
      controller.abort();
    } else if (performance.now() - firstAt > ECHO_MILLISECONDS) onSecond();
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    signal: controller.signal,
    ended,
    fail(error) {
      fail(error);
      controller.abort();
    },
    close() {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}
