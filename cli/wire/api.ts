/** Puts the API together. */
import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import { createApi } from "../../api/app.ts";
import type { ApiSettings } from "../../api/settings.ts";
import type { ApiConfig, CommonConfig } from "../../schemas/config/config.ts";
import { collectBlobs } from "../../store/blobs.ts";
import { openChangeWaiter } from "../../store/change-waiter.ts";
import type { ObjectStore } from "../../store/objects/store.ts";
import type { Database } from "../database.ts";

const CONNECTIONS = 16;
const UPLOAD_PIECE_MILLISECONDS = 30_000;
const COLLECT_MILLISECONDS = 3_600_000;

export interface RunningApi {
  readonly app: ReturnType<typeof createApi>;
  stop(): Promise<void>;
}

export interface ApiParts {
  readonly config: Pick<ApiConfig, "http" | "publishing"> & Pick<CommonConfig, "repository">;
  readonly database: Database;
  readonly privateStore: ObjectStore;
  readonly keySecret: string;
  readonly log: Logger;
}

export async function startApi(parts: ApiParts): Promise<RunningApi> {
  const { config, database, privateStore, keySecret, log } = parts;
  const sql = await database.rolePool("skep_api", CONNECTIONS);
  const waiter = await openChangeWaiter(sql);
  const app = createApi({
    sql,
    blobs: privateStore,
    waiter,
    settings: apiSettings(config),
    keySecret,
    clock: () => new Date(),
    random: randomBytes,
    log,
  });
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
  return {
    app,
    async stop() {
      clearInterval(timer);
      await waiter.close();
    },
  };
}

function apiSettings({ http, publishing, repository }: ApiParts["config"]): ApiSettings {
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
    verifyEmails: true,
    uploadPieceMilliseconds: UPLOAD_PIECE_MILLISECONDS,
  };
}
