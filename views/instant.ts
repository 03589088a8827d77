/** Instants in answers. */
import { isoMicros, type Micros } from "../schemas/time.ts";

/** JSON shows microseconds, Erlang terms whole seconds. */
export class Instant {
  readonly #at: Micros;

  constructor(at: Micros) {
    this.#at = at;
  }

  toJSON(): string {
    return isoMicros(this.#at);
  }

  toSeconds(): string {
    return `${isoMicros(this.#at).slice(0, 19)}Z`;
  }
}

export function instant(at: Micros): Instant {
  return new Instant(at);
}

export function instantOrNull(at: Micros | null): Instant | null {
  return at === null ? null : new Instant(at);
}
