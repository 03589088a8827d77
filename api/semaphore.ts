/** Bounds how many of something go on at a time; who waits too long is turned away. */
import { unavailable } from "./http/errors.ts";

export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];
  readonly #longestMilliseconds: number;

  constructor(slots: number, longestMilliseconds: number) {
    this.#free = slots;
    this.#longestMilliseconds = longestMilliseconds;
  }

  /** @throws ApiError 503 when no slot becomes free in time. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.#acquire();
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }

  async #acquire(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(go), 1);
        reject(unavailable("too many uploads at once, try again"));
      }, this.#longestMilliseconds);
      const go = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#waiting.push(go);
    });
  }
}
