/** What was begun, ended in the opposite order. */
import { SkepError } from "../schemas/errors.ts";

export interface TeardownLog {
  error(fields: object, message: string): void;
}

export class Teardown {
  readonly #steps: { readonly what: string; readonly end: () => Promise<void> | void }[] = [];

  /** @param what for the log, should it fail */
  add(what: string, end: () => Promise<void> | void): void {
    this.#steps.push({ what, end });
  }

  /**
   * Goes on after a step that fails, so that the later ones are not left out.
   * @throws SkepError `internal` when it takes longer
   */
  async run(log: TeardownLog, milliseconds: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new SkepError("internal", "the stop takes too long")), milliseconds);
    });
    try {
      await Promise.race([this.#all(log), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #all(log: TeardownLog): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.end();
      } catch (error) {
        log.error({ err: error }, `${step.what} did not end well`);
      }
    }
  }
}
