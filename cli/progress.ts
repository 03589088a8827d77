/** Shows how far long work has come: a bar on a terminal, elsewhere a line now and then. */
import type { Terminal } from "./terminal.ts";

export interface Progress {
  /** @param total where it is known before the end */
  update(done: number, total?: number): void;
  /** Takes the bar away. */
  end(): void;
}

const WIDTH = 30;
const BAR_MILLISECONDS = 100;
const LINE_MILLISECONDS = 5_000;

/** @param unit what is counted, in the plural */
export function openProgress(
  terminal: Terminal,
  what: string,
  unit: string,
  clock = () => performance.now(),
): Progress {
  const { redraw } = terminal;
  const pause = redraw ? BAR_MILLISECONDS : LINE_MILLISECONDS;
  // The first line comes late: quick work needs none.
  let shownAt = redraw ? Number.NEGATIVE_INFINITY : clock();
  return {
    update(done, total) {
      if (clock() - shownAt < pause && (redraw === undefined || done !== total)) return;
      shownAt = clock();
      const count = total === undefined ? `${done} ${unit}` : `${done} of ${total} ${unit}`;
      if (redraw) redraw(total === undefined ? `${what} ${count}` : `${what} ${bar(done, total)} ${count}`);
      else terminal.say(`${what}: ${count}`);
    },
    end() {
      redraw?.("");
    },
  };
}

export function bar(done: number, total: number): string {
  const full = total > 0 ? Math.floor((Math.min(done, total) / total) * WIDTH) : 0;
  return `[${"#".repeat(full)}${".".repeat(WIDTH - full)}]`;
}
