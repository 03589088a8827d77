/** Sends what the outbox holds, the way that the settings say. */
import type { Logger } from "pino";
import { folderTransport, type MailTransport, smtpTransport } from "../../api/mail/transport.ts";
import { MailWorker } from "../../api/mail/worker.ts";
import type { MailConfig } from "../../schemas/config/config.ts";
import type { Sql } from "../../store/postgres/pool.ts";

export interface RunningMail {
  /** Resolves when what was being sent is sent or left to others. */
  stop(): Promise<void>;
}

/** @returns undefined in an installation without mail. */
export function startMail(config: MailConfig, sql: Sql, log: Logger): RunningMail | undefined {
  const transport = transportOf(config);
  if (transport === undefined) {
    log.info({}, "nobody is mailed to, as SKEP_SMTP_URL is not set");
    return undefined;
  }
  log.info({ to: transport.description }, "mails go out");
  const worker = new MailWorker({ sql, transport, log });
  const running = worker
    .run()
    .catch((error: unknown) => log.error({ err: error }, "mails are not sent until the next start"));
  return {
    async stop() {
      worker.stop();
      await running;
    },
  };
}

function transportOf(config: MailConfig): MailTransport | undefined {
  switch (config.kind) {
    case "smtp":
      return smtpTransport(config.url.reveal(), config.from);
    case "folder":
      return folderTransport(config.path, config.from);
    case "none":
      return undefined;
  }
}
