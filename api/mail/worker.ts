/**
 * Sends what is in the outbox. Each API process may run one: a mail is taken for a while before it is sent, and
 * whoever dies with it leaves it to the others when that time is over.
 */
import type { Sql } from "../../store/postgres/pool.ts";
import {
  deleteMail,
  failMail,
  forgetFailedMails,
  MAIL_CHANNEL,
  nextMailIn,
  type QueuedMail,
  retryMail,
  takeMails,
} from "../../store/queries/mails.ts";
import type { ApiLog } from "../settings.ts";
import { MailRefused, type MailTransport } from "./transport.ts";

export interface MailWorkerSettings {
  /** How long a mail is one worker's. Longer than sending may take, or it goes out twice. */
  readonly leaseSeconds: number;
  readonly sendMilliseconds: number;
  readonly firstRetrySeconds: number;
  readonly longestRetrySeconds: number;
  /** Some seventeen hours with the times below; the links in mails are valid for a day. */
  readonly mostAttempts: number;
  readonly pollMilliseconds: number;
}

export const DEFAULT_MAIL_SETTINGS: MailWorkerSettings = {
  leaseSeconds: 180,
  sendMilliseconds: 90_000,
  firstRetrySeconds: 5,
  longestRetrySeconds: 3_600,
  mostAttempts: 25,
  pollMilliseconds: 10_000,
};

export interface MailWorkerOptions {
  readonly sql: Sql;
  readonly transport: MailTransport;
  readonly log: ApiLog;
  readonly settings?: Partial<MailWorkerSettings>;
}

const AT_ONCE = 4;

export class MailWorker {
  readonly #sql: Sql;
  readonly #transport: MailTransport;
  readonly #log: ApiLog;
  readonly #settings: MailWorkerSettings;
  #wake: () => void = () => undefined;
  #stopped = false;

  constructor({ sql, transport, log, settings }: MailWorkerOptions) {
    this.#sql = sql;
    this.#transport = transport;
    this.#log = log;
    this.#settings = { ...DEFAULT_MAIL_SETTINGS, ...settings };
  }

  /** Sends what is due now. @returns how many mails were taken. */
  async sendDue(): Promise<number> {
    let taken = 0;
    while (!this.#stopped) {
      const mails = await takeMails(this.#sql, AT_ONCE, this.#settings.leaseSeconds);
      if (mails.length === 0) break;
      taken += mails.length;
      await Promise.all(mails.map((mail) => this.#send(mail)));
    }
    return taken;
  }

  /** Sends until it is stopped. Resolves then, when what was begun is done. */
  async run(): Promise<void> {
    const listener = await this.#sql.listen(MAIL_CHANNEL, () => this.#wake());
    while (!this.#stopped) {
      const woken = this.#sleep();
      let rest = this.#settings.pollMilliseconds;
      try {
        await this.sendDue();
        await forgetFailedMails(this.#sql);
        rest = Math.min(rest, (await nextMailIn(this.#sql)) ?? rest);
      } catch (error) {
        this.#log.warn({ err: error }, "mails wait, as the database cannot be asked");
      }
      await woken(rest);
    }
    await listener.unlisten();
    this.#transport.close();
  }

  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  /** Begins to listen at once: what comes while mails are being sent shortens the sleep to nothing. */
  #sleep(): (milliseconds: number) => Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    return async (milliseconds) => {
      if (this.#stopped) return;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, milliseconds);
        timer.unref();
      });
      await Promise.race([woken, late]);
      clearTimeout(timer);
    };
  }

  async #send(mail: QueuedMail): Promise<void> {
    const about = { mail: mail.id, kind: mail.kind, attempt: mail.attempts };
    try {
      const place = await withDeadline(this.#transport.send(mail), this.#settings.sendMilliseconds);
      // Crash point: died here, the mail goes out once more, under the same Message-ID.
      await deleteMail(this.#sql, mail.id);
      this.#log.info(place === undefined ? about : { ...about, file: place }, "a mail was sent");
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const { mostAttempts, firstRetrySeconds, longestRetrySeconds } = this.#settings;
      if (error instanceof MailRefused || mail.attempts >= mostAttempts) {
        await failMail(this.#sql, mail, reason);
        this.#log.error({ ...about, reason }, "a mail was given up");
      } else {
        const seconds = Math.min(firstRetrySeconds * 2 ** (mail.attempts - 1), longestRetrySeconds);
        await retryMail(this.#sql, mail, seconds, reason);
        this.#log.warn({ ...about, seconds, reason }, "a mail could not be sent and is tried again");
      }
    }
  }
}

async function withDeadline<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("sending took too long")), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
