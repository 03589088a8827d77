/**
 * Sends unexpected errors to a service that speaks Sentry's protocol (develop.sentry.dev, "Envelopes"). Whoever meets
 * an error never waits for that and never learns whether it went well: reports are few, best effort, and sent one after
 * the other; what does not fit into the queue is counted and left out.
 */
import { randomUUID } from "node:crypto";
import { dsnParts } from "../../schemas/config/dsn.ts";
import type { Secret } from "../../schemas/config/secret.ts";
import { type ErrorSeen, type EventContext, eventOf } from "./event.ts";

export interface ErrorReporter {
  /** Returns at once, and never throws. */
  report(seen: ErrorSeen): void;
  /** Resolves when all is sent or given up, at the latest after that time. */
  flush(milliseconds: number): Promise<void>;
  /** Reports that did not fit, or that the service did not take. */
  readonly lost: number;
}

export interface ReporterOptions extends EventContext {
  /** One that {@link dsnParts} can read. */
  readonly dsn: Secret;
  readonly clock: () => Date;
  readonly fetch?: typeof fetch;
}

const MOST_WAITING = 30;
const SEND_MILLISECONDS = 5_000;
const CLIENT = "skep/1";
const PAUSE_SECONDS = 60;

export class SentryReporter implements ErrorReporter {
  readonly #options: ReporterOptions;
  readonly #endpoint: string;
  readonly #publicKey: string;
  readonly #waiting: object[] = [];
  #sending: Promise<void> | undefined;
  #pausedUntil = 0;
  #lost = 0;

  constructor(options: ReporterOptions) {
    const parts = dsnParts(options.dsn.reveal());
    if (parts === undefined) throw new TypeError("the DSN was not checked");
    this.#options = options;
    this.#endpoint = parts.endpoint;
    this.#publicKey = parts.publicKey;
  }

  get lost(): number {
    return this.#lost;
  }

  report(seen: ErrorSeen): void {
    const now = this.#options.clock().getTime();
    if (this.#waiting.length >= MOST_WAITING || now < this.#pausedUntil) {
      this.#lost += 1;
      return;
    }
    try {
      this.#waiting.push(eventOf(seen, this.#options, randomUUID().replaceAll("-", ""), now / 1000));
    } catch {
      // Anything may be thrown, also what cannot be looked at.
      this.#lost += 1;
      return;
    }
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
  }

  async flush(milliseconds: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds);
    });
    await Promise.race([this.#sending, late]);
    clearTimeout(timer);
  }

  async #sendAll(): Promise<void> {
    for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) {
      if (!(await this.#send(event))) this.#lost += 1;
    }
  }

  /** Never rejects: there is nobody to be told. */
  async #send(event: object): Promise<boolean> {
    const { fetch: send = fetch, clock } = this.#options;
    try {
      const response = await send(this.#endpoint, {
        method: "POST",
        redirect: "error",
        headers: {
          "content-type": "application/x-sentry-envelope",
          // A header, as URLs are logged on the way.
          "x-sentry-auth": `Sentry sentry_version=7, sentry_client=${CLIENT}, sentry_key=${this.#publicKey}`,
        },
        body: envelope(event, clock()),
        signal: AbortSignal.timeout(SEND_MILLISECONDS),
      });
      await response.body?.cancel();
      if (response.status === 429) this.#pause(response.headers.get("retry-after"));
      return response.ok;
    } catch {
      return false;
    }
  }

  #pause(retryAfter: string | null): void {
    const seconds = /^\d{1,5}$/.test(retryAfter ?? "") ? Number(retryAfter) : PAUSE_SECONDS;
    this.#pausedUntil = this.#options.clock().getTime() + seconds * 1000;
  }
}

/** @returns one event as an envelope: a line of headers, a line about the item, the item. */
function envelope(event: object, now: Date): string {
  const id = (event as { readonly event_id: string }).event_id;
  const payload = JSON.stringify(event);
  const headers = { event_id: id, sent_at: now.toISOString() };
  const item = { type: "event", content_type: "application/json", length: Buffer.byteLength(payload) };
  return `${JSON.stringify(headers)}\n${JSON.stringify(item)}\n${payload}\n`;
}
