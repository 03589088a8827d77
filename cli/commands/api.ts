import { Command } from "commander";
import { startServer } from "../../api/server.ts";
import { keySetOf } from "../../schemas/access-token/keys.ts";
import { readApiConfig } from "../../schemas/config/config.ts";
import type { Context } from "../context.ts";
import { readTokenKeys } from "../data-folder.ts";
import { openDatabase } from "../database.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { runService } from "../service.ts";
import { startApi } from "../wire/api.ts";
import { databaseReady, startHealth, WATCH_CONNECTIONS } from "../wire/health.ts";
import { requireRepository } from "../wire/repository.ts";
import { createRoot } from "../wire/root.ts";
import { openPrivateStore } from "../wire/stores.ts";

const PATIENCE_SECONDS = 30;

export function apiCommand(context: Context): Command {
  return new Command("api")
    .description("run the API alone: it can neither sign nor write what clients fetch")
    .addHelpText(
      "after",
      `
Needs DATABASE_URL (a member of the role skep_api), SKEP_KEY_SECRET, SKEP_TOKEN_KEY_FILE and the private
store, and refuses to run with the signing key, a CDN's token or the public store's credentials. Several
may run. With SKEP_HEALTH_PORT it answers /live, /ready, /started and /metrics there.

Example:
  DATABASE_URL=postgres://skep_api_login@db/skep SKEP_KEY_SECRET=... \\
    SKEP_TOKEN_KEY_FILE=token-key.pem SKEP_URL=https://hex.acme.example \\
    SKEP_PRIVATE_STORE=s3://acme-hex-private SKEP_HOST=0.0.0.0 skep api
${EXIT_HELP}`,
    )
    .action(() => runApi(context));
}

async function runApi(context: Context): Promise<void> {
  const config = readApiConfig(context.source);
  await runService(context, "api", config, async (service) => {
    const { log, metrics, teardown } = service;
    const name = `skep api (pid ${process.pid})`;
    const database = await openDatabase(config, { name, patienceSeconds: PATIENCE_SECONDS });
    teardown.add("the database", () => database.close());
    await requireRepository(await database.rolePool("skep_api", 1), config.repository.name);
    const privateStore = await openPrivateStore(config.privateStore);
    teardown.add("the private store", () => privateStore.close());
    const tokenKeys = await readTokenKeys(config.tokenKeyFile);
    const keySecret = config.keySecret.reveal();
    const api = await startApi({ config, database, privateStore, keySecret, tokenKeys, log, metrics });
    teardown.add("the API", () => api.stop());
    const page = `skep, the API of the repository ${config.repository.name} at ${config.repository.url}`;
    const root = createRoot({
      api: api.app,
      web: api.web,
      shortUrls: api.shortUrls,
      keySet: keySetOf(tokenKeys),
      version: context.version,
      page,
    });
    const server = await startServer(root.fetch, config.http);
    teardown.add("the server", () => server.stop(config.stopSeconds * 1000));
    if (config.health !== undefined) {
      const sql = await database.rolePool("skep_api", WATCH_CONNECTIONS);
      metrics?.watchQueues(sql, ["changes", "mails"]);
      await startHealth(service, config.health, databaseReady(sql));
    }
    log.info({ host: config.http.host, port: server.port, url: config.http.url }, "the API is ready");
  });
}
