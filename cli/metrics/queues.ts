/** What waits in Postgres, asked for at each scrape. */
import { Gauge, type Registry } from "prom-client";
import type { Sql } from "../../store/postgres/pool.ts";
import { changeQueue, heldCount, mailQueue, purgeQueue } from "../../store/queries/queues.ts";

export type QueueKind = "changes" | "purges" | "mails";

type Values = Readonly<Record<string, number>>;

interface Source {
  /** Of each gauge. */
  readonly help: Readonly<Record<string, string>>;
  readonly read: (sql: Sql) => Promise<Values>;
}

const SOURCES: Readonly<Record<QueueKind, Source>> = {
  changes: {
    help: {
      skep_changes_pending: "Changes that installs do not see yet.",
      skep_changes_put_off: "Of those, the ones that wait for bytes that the private store has lost.",
      skep_change_oldest_seconds: "Age of the oldest change that is neither visible nor put off.",
    },
    async read(sql) {
      const { pending, putOff, oldestSeconds } = await changeQueue(sql);
      return {
        skep_changes_pending: pending,
        skep_changes_put_off: putOff,
        skep_change_oldest_seconds: oldestSeconds,
      };
    },
  },
  purges: {
    help: {
      skep_purges_pending: "Purges that are not seen through.",
      skep_purges_failing: "Of those, the ones that failed at their last try.",
      skep_purge_oldest_seconds: "Age of the oldest purge that is not seen through.",
      skep_releases_held: "Tarballs and docs that no file names, as the private store has lost their bytes.",
    },
    async read(sql) {
      const { pending, failing, oldestSeconds } = await purgeQueue(sql);
      return {
        skep_purges_pending: pending,
        skep_purges_failing: failing,
        skep_purge_oldest_seconds: oldestSeconds,
        skep_releases_held: await heldCount(sql),
      };
    },
  },
  mails: {
    help: {
      skep_mails_pending: "Mails that are not delivered yet.",
      skep_mails_failed: "Mails that were given up lately.",
      skep_mail_oldest_seconds: "Age of the oldest mail that is neither delivered nor given up.",
    },
    async read(sql) {
      const { pending, failed, oldestSeconds } = await mailQueue(sql);
      return {
        skep_mails_pending: pending,
        skep_mails_failed: failed,
        skep_mail_oldest_seconds: oldestSeconds,
      };
    },
  },
};

// Shorter than the time that Prometheus waits for a scrape, or a slow Postgres would hide all other metrics.
const PATIENCE_MILLISECONDS = 3_000;

/**
 * Without an answer the gauges are NaN, which no alert takes for "nothing waits", and `skep_database_up` is 0.
 * @returns what asks anew, to be awaited before the gauges are read. Never rejects.
 */
export function watchQueues(registry: Registry, sql: Sql, kinds: readonly QueueKind[]): () => Promise<void> {
  const registers = [registry];
  const sources = kinds.map((kind) => SOURCES[kind]);
  const gauges = sources
    .flatMap(({ help }) => Object.entries(help))
    .map(([name, help]) => ({ name, gauge: new Gauge({ name, help, registers }) }));
  const isUp = new Gauge({
    name: "skep_database_up",
    help: "Whether Postgres has answered at this scrape.",
    registers,
  });
  const ask = singly(async () => {
    const answers = await Promise.all(sources.map(({ read }) => read(sql)));
    return Object.assign({}, ...answers) as Values;
  });
  return async () => {
    const values = await inTime(ask());
    isUp.set(values === undefined ? 0 : 1);
    for (const { name, gauge } of gauges) gauge.set(values?.[name] ?? Number.NaN);
  };
}

/** One that hangs is not asked again until it has ended: scrapes must not fill the pool. */
function singly<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    running ??= work().finally(() => {
      running = undefined;
    });
    return running;
  };
}

async function inTime<T>(work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), PATIENCE_MILLISECONDS);
  });
  try {
    return await Promise.race([work.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}
