/** Wakes a loop that waits; a ring while nobody waits is remembered. */
export class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Returns after a ring, after `milliseconds`, or when the signal aborts, whichever is first. */
  async wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer);
          signal.removeEventListener("abort", done);
          resolve();
        };
        const timer = setTimeout(done, milliseconds);
        this.#wake = done;
        signal.addEventListener("abort", done, { once: true });
      });
    }
    this.#wake = undefined;
    this.#rung = false;
  }
}
