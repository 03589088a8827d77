/**
 * How many bytes of request bodies this process holds at a time, of all requests together: limits of single
 * bodies do not keep many connections from filling the memory.
 */
import { ApiError } from "./errors.ts";

/** What one request has taken. */
export interface ByteLease {
  /** @throws ApiError 503 when all requests together would hold too much. */
  take(bytes: number): void;
  /** Gives everything back. */
  end(): void;
}

export class ByteBudget {
  #free: number;

  constructor(bytes: number) {
    this.#free = bytes;
  }

  lease(): ByteLease {
    let taken = 0;
    return {
      take: (bytes) => {
        if (bytes > this.#free) {
          const headers = { "retry-after": "2", connection: "close" };
          throw new ApiError(503, "too many uploads at once, try again", { headers });
        }
        this.#free -= bytes;
        taken += bytes;
      },
      end: () => {
        this.#free += taken;
        taken = 0;
      },
    };
  }
}
