/**
 * Limits in fixed windows of time, counted in Postgres for all processes together: one statement for however many
 * requests of a bucket come at once. No library does this on our Postgres client: those looked at start a window
 * at its first request, where clients are told of windows on the clock.
 */
import { isReadOnly, type Sql } from "../../store/postgres/pool.ts";
import { addHits, type CounterWindow, countHits } from "../../store/queries/counters.ts";

export interface CounterState {
  readonly allowed: boolean;
  /** How many more are allowed in this window. */
  readonly remaining: number;
  /** When the window ends. */
  readonly resetAt: Date;
}

export interface Counters {
  /** Counts, and tells whether this one was still within the limit. */
  hit(bucket: string, limit: number, periodMilliseconds: number): Promise<CounterState>;
  /** Tells whether the next one would be, and counts nothing. */
  peek(bucket: string, limit: number, periodMilliseconds: number): Promise<CounterState>;
}

interface Waiting {
  count: number;
  /** After this statement, with all of its hits counted. */
  readonly total: Promise<number>;
}

export class PostgresCounters implements Counters {
  readonly #sql: Sql;
  readonly #clock: () => Date;
  /** What is to be counted by each bucket's next statement, while one is under way. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #running = new Map<string, Promise<number>>();
  /** Windows that are used up, with their end: they stay so, and nobody has to be asked. */
  readonly #full = new Map<string, number>();
  /** Counted here alone, while Postgres takes no writes. */
  readonly #local = new Map<string, { hits: number; readonly endsAt: number }>();

  constructor(sql: Sql, clock: () => Date) {
    this.#sql = sql;
    this.#clock = clock;
  }

  async hit(bucket: string, limit: number, periodMilliseconds: number): Promise<CounterState> {
    const window = this.#window(bucket, periodMilliseconds);
    const used = this.#full.has(keyOf(window)) ? limit + 1 : await this.#count(window);
    if (used > limit) this.#remember(window);
    return stateOf(window, used <= limit, limit - used);
  }

  async peek(bucket: string, limit: number, periodMilliseconds: number): Promise<CounterState> {
    const window = this.#window(bucket, periodMilliseconds);
    const used = (await countHits(this.#sql, window)) + (this.#local.get(keyOf(window))?.hits ?? 0);
    return stateOf(window, used < limit, limit - used);
  }

  #window(bucket: string, period: number): CounterWindow {
    const index = Math.floor(this.#clock().getTime() / period);
    return { bucket, index, endsAtMilliseconds: (index + 1) * period };
  }

  /** @returns how many there are with this one. One statement a bucket runs at a time; who comes later shares the next. */
  async #count(window: CounterWindow): Promise<number> {
    const key = keyOf(window);
    const waiting = this.#waiting.get(key) ?? this.#enqueue(key, window);
    const place = waiting.count;
    waiting.count += 1;
    const total = await waiting.total;
    return total - waiting.count + place + 1;
  }

  #enqueue(key: string, window: CounterWindow): Waiting {
    const before = this.#running.get(key) ?? Promise.resolve();
    const total = before
      .catch(() => undefined)
      .then(() => {
        this.#waiting.delete(key);
        const running = this.#add(window, waiting.count);
        this.#running.set(key, running);
        const forget = () => {
          if (this.#running.get(key) === running) this.#running.delete(key);
        };
        running.then(forget, forget);
        return running;
      });
    const waiting: Waiting = { count: 0, total };
    this.#waiting.set(key, waiting);
    return waiting;
  }

  async #add(window: CounterWindow, hits: number): Promise<number> {
    try {
      return await addHits(this.#sql, window, hits);
    } catch (error) {
      if (!isReadOnly(error)) throw error;
      // A limit for each process is better than none, and reads go on.
      this.#forgetLocal();
      const local = this.#local.get(keyOf(window)) ?? { hits: 0, endsAt: window.endsAtMilliseconds };
      local.hits += hits;
      this.#local.set(keyOf(window), local);
      return local.hits;
    }
  }

  #remember(window: CounterWindow): void {
    const now = this.#clock().getTime();
    if (this.#full.size >= MOST_KEPT) {
      for (const [key, end] of this.#full) if (end <= now) this.#full.delete(key);
    }
    if (this.#full.size < MOST_KEPT) this.#full.set(keyOf(window), window.endsAtMilliseconds);
  }

  #forgetLocal(): void {
    if (this.#local.size < MOST_KEPT) return;
    const now = this.#clock().getTime();
    for (const [key, { endsAt }] of this.#local) if (endsAt <= now) this.#local.delete(key);
    if (this.#local.size >= MOST_KEPT) this.#local.clear();
  }
}

const MOST_KEPT = 10_000;

function keyOf({ bucket, index, endsAtMilliseconds }: CounterWindow): string {
  return `${bucket} ${index} ${endsAtMilliseconds}`;
}

function stateOf(window: CounterWindow, allowed: boolean, remaining: number): CounterState {
  return { allowed, remaining: Math.max(0, remaining), resetAt: new Date(window.endsAtMilliseconds) };
}
