/** Puts the API together. */
import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import { createApi } from "../../api/app.ts";
import { followShortUrl } from "../../api/handlers/short-urls.ts";
import { openBlockList } from "../../api/limits/block-list.ts";
import { PostgresCounters } from "../../api/limits/counters.ts";
import { openReadOnlySwitch } from "../../api/read-only.ts";
import type { ApiDependencies, ApiSettings } from "../../api/settings.ts";
import type { TokenKeys } from "../../schemas/access-token/keys.ts";
import type { ApiConfig, CommonConfig } from "../../schemas/config/config.ts";
import { micros, microsOf } from "../../schemas/time.ts";
import { collectBlobs } from "../../store/blobs.ts";
import { openChangeWaiter } from "../../store/change-waiter.ts";
import type { ObjectStore } from "../../store/objects/store.ts";
import { forgetHits } from "../../store/queries/counters.ts";
import { deleteEndedOAuth } from "../../store/queries/oauth-sessions.ts";
import { deleteEndedWebSessions } from "../../store/queries/web-sessions.ts";
import { createWeb } from "../../web/app.ts";
import type { Database } from "../database.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { startMail } from "./mail.ts";

const CONNECTIONS = 16;
const UPLOAD_PIECE_MILLISECONDS = 30_000;
const COLLECT_MILLISECONDS = 3_600_000;
const SWEEP_MILLISECONDS = 60_000;
const DAY_MICROS = 86_400_000_000;
const SIGN_IN_FAILURES = 10;

export interface RunningApi {
  readonly app: ReturnType<typeof createApi>;
  readonly web: ReturnType<typeof createWeb>;
  /** Answers `/l/CODE`. */
  readonly shortUrls: (code: string) => Promise<Response | undefined>;
  stop(): Promise<void>;
}

export interface ApiParts {
  readonly config: Pick<ApiConfig, "http" | "publishing" | "mail" | "verifyEmails" | "operation"> &
    Pick<CommonConfig, "repository">;
  readonly database: Database;
  readonly privateStore: ObjectStore;
  readonly keySecret: string;
  readonly tokenKeys: TokenKeys;
  readonly log: Logger;
  readonly metrics?: Metrics | undefined;
}

export async function startApi(parts: ApiParts): Promise<RunningApi> {
  const { config, database, keySecret, tokenKeys, log, metrics } = parts;
  const privateStore = metrics?.store("private", parts.privateStore) ?? parts.privateStore;
  const sql = await database.rolePool("skep_api", CONNECTIONS);
  const waiter = await openChangeWaiter(sql);
  const settings = apiSettings(config);
  const clock = () => new Date();
  const blockList = await openBlockList(sql, log);
  const readOnly = await openReadOnlySwitch(sql, settings, log);
  const deps: ApiDependencies = {
    sql,
    counters: new PostgresCounters(sql, clock),
    blockList,
    readOnly,
    blobs: privateStore,
    waiter,
    settings,
    keySecret,
    tokenKeys,
    clock,
    random: randomBytes,
    log,
    onRequest: metrics?.onRequest,
  };
  const app = createApi(deps);
  const collect = async () => {
    try {
      const deleted = await collectBlobs(sql, privateStore, new Date());
      if (deleted > 0) log.info({ deleted }, "uploads that nothing refers to were deleted");
    } catch (error) {
      log.warn({ err: error }, "uploads that nothing refers to stay for another hour");
    }
  };
  const timer = setInterval(collect, COLLECT_MILLISECONDS);
  timer.unref();
  const sweep = () => {
    const now = microsOf(clock());
    void Promise.all([
      forgetHits(sql),
      deleteEndedWebSessions(sql, now),
      deleteEndedOAuth(sql, micros(now - DAY_MICROS)),
    ]).catch(() => undefined);
  };
  const sweeper = setInterval(sweep, SWEEP_MILLISECONDS);
  sweeper.unref();
  const mail = startMail(config.mail, sql, log);
  return {
    app,
    web: createWeb(deps),
    shortUrls: (code) => followShortUrl({ sql }, code),
    async stop() {
      clearInterval(timer);
      clearInterval(sweeper);
      blockList.close();
      readOnly.close();
      await mail?.stop();
      await waiter.close();
    },
  };
}

function apiSettings({
  http,
  publishing,
  repository,
  mail,
  verifyEmails,
  operation,
}: ApiParts["config"]): ApiSettings {
  return {
    publicUrl: http.url,
    repositoryUrl: repository.url,
    docsUrl: publishing.docsUrl,
    privateDocsUrl: publishing.privateDocsUrl,
    repositoryName: repository.name,
    publishingRules: publishing.rules,
    externalRepositories: publishing.externalRepositories,
    allowReplace: publishing.allowReplace,
    basicAuth: publishing.basicAuth,
    requireUserAgent: publishing.requireUserAgent,
    trustedProxies: http.trustedProxies,
    publishWaitMilliseconds: publishing.waitMilliseconds,
    trustEmails: !verifyEmails,
    mail: mail.kind !== "none",
    limits: {
      account: operation.accountLimit,
      address: operation.addressLimit,
      signInFailures: SIGN_IN_FAILURES,
    },
    trustedNetworks: operation.trustedNetworks,
    readOnly: operation.readOnly,
    uploadPieceMilliseconds: UPLOAD_PIECE_MILLISECONDS,
  };
}
