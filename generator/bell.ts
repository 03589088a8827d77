/** Wakes the loops that wait; a ring while none waits is remembered for the next that would. */
export class Bell {
  #rung = false;
  readonly #waiting = new Set<() => void>();

  ring(): void {
    this.#rung = this.#waiting.size === 0;
    for (const wake of this.#waiting) wake();
  }

  /** Returns after a ring, after `milliseconds`, or when the signal aborts, whichever is first. */
  async wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer);
          signal.removeEventListener("abort", done);
          this.#waiting.delete(done);
          resolve();
        };
        const timer = setTimeout(done, milliseconds);
        this.#waiting.add(done);
        signal.addEventListener("abort", done, { once: true });
      });
    }
    this.#rung = false;
  }
}
