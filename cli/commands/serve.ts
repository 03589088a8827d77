import { createPublicKey } from "node:crypto";
import { Command } from "commander";
import { startServer } from "../../api/server.ts";
import { createEdge } from "../../edge/app.ts";
import { createPrivateReaders } from "../../edge/readers.ts";
import { fixedKeys } from "../../edge/renewed-keys.ts";
import type { Signer } from "../../proto/signer.ts";
import { keySetOf, type TokenKeys } from "../../schemas/access-token/keys.ts";
import { readServeConfig, type ServeConfig } from "../../schemas/config/config.ts";
import { migrate } from "../../store/postgres/migrate.ts";
import type { Sql } from "../../store/postgres/pool.ts";
import { grantOwnRoles, hasKeys, signedWith } from "../../store/queries/beginnings.ts";
import { ADMINISTRATOR, ensureAdministrator } from "../administrator.ts";
import type { Context } from "../context.ts";
import { ensureTokenKeys, isOpenToOthers, keySecret, signingKey } from "../data-folder.ts";
import { type Database, openDatabase } from "../database.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { frontPage, type Installation, readyText } from "../newcomer.ts";
import { runService, type Service } from "../service.ts";
import { startApi } from "../wire/api.ts";
import { generatorContext } from "../wire/generator.ts";
import { allReady, databaseReady, generatorReady, startHealth, WATCH_CONNECTIONS } from "../wire/health.ts";
import { requireRepository } from "../wire/repository.ts";
import { createRoot } from "../wire/root.ts";
import { startGenerator, untilWritten } from "../wire/running-generator.ts";
import { openStores } from "../wire/stores.ts";

const PATIENCE_SECONDS = 30;
/** Of their own, so that a crowd of publishers holds up no install of a private package. */
const READER_CONNECTIONS = 4;

export function serveCommand(context: Context): Command {
  return new Command("serve")
    .description("run everything in one process: API, generator, repository, and Postgres when none is given")
    .addHelpText(
      "after",
      `
The first start makes a signing key, an account and everything else that is missing, and prints what to
do next. ^C stops after what was accepted is done; a second ^C stops at once.

Examples:
  skep serve                              http://localhost:4000, data in ./skep-data
  SKEP_PORT=8080 skep serve
  SKEP_DATA_DIR=/srv/skep SKEP_REPOSITORY=acme SKEP_URL=https://hex.acme.example skep serve
${EXIT_HELP}`,
    )
    .action(() => serve(context));
}

async function serve(context: Context): Promise<void> {
  const begunAt = performance.now();
  const config = readServeConfig(context.source);
  await runService(context, "serve", config, async (service) => {
    const database = await openOwnDatabase(config, service);
    const admin = database.pool({ max: 2 });
    const applied = await migrate(admin);
    if (applied.length > 0) service.log.info({ migrations: applied.length }, "the database was migrated");
    await grantOwnRoles(admin);
    const secrets = await findSecrets(config, admin, service);
    const repository = await requireRepository(admin, config.repository.name);
    const password = await ensureAdministrator(admin);

    const installation = installationOf(config, secrets.signer);
    await startParts(context, config, { database, repository, installation, ...secrets }, service);
    const administrator = password === undefined ? undefined : { username: ADMINISTRATOR, password };
    const seconds = (performance.now() - begunAt) / 1000;
    const start = {
      installation,
      dataFolder: config.dataFolder,
      database: database.description,
      command: context.command,
      administrator,
      seconds,
    };
    context.terminal.out(readyText(start, context.terminal.bold));
  });
}

async function openOwnDatabase(config: ServeConfig, service: Service): Promise<Database> {
  const database = await openDatabase(config, {
    name: `skep serve (pid ${process.pid})`,
    sole: { log: (message) => service.log.warn({}, message) },
    patienceSeconds: PATIENCE_SECONDS,
  });
  service.teardown.add("the database", () => database.close());
  service.onHurry(() => database.abandon());
  return database;
}

interface Secrets {
  readonly signer: Signer;
  readonly keySecret: string;
  readonly tokenKeys: TokenKeys;
}

/** Makes what is missing, but nothing that takes the place of something lost. */
async function findSecrets(config: ServeConfig, sql: Sql, { log }: Service): Promise<Secrets> {
  const fingerprint = await signedWith(sql);
  const lostKey =
    fingerprint && `everything here is signed with ${fingerprint}; restore that key from a backup`;
  const lostSecret = (await hasKeys(sql)) ? "API keys depend on it; restore it from a backup" : undefined;
  const file = config.signingKeyFile;
  const signer = await signingKey(file, lostKey);
  if (await isOpenToOthers(file)) log.warn({ file }, "others may read the signing key; make it 0600");
  return {
    signer,
    tokenKeys: await ensureTokenKeys(config.tokenKeyFile),
    keySecret: config.keySecret?.reveal() ?? (await keySecret(config.dataFolder, lostSecret)),
  };
}

function installationOf(config: ServeConfig, signer: Signer): Installation {
  return {
    repositoryName: config.repository.name,
    repositoryUrl: config.repository.url,
    url: config.http.url,
    fingerprint: signer.fingerprint,
    publicKeyPem: signer.publicKeyPem,
  };
}

interface Found extends Secrets {
  readonly database: Database;
  readonly repository: Parameters<typeof createEdge>[0]["repository"];
  readonly installation: Installation;
}

/** The server comes last and ends first: a publish that it has accepted still needs the generator. */
async function startParts(
  context: Context,
  config: ServeConfig,
  found: Found,
  service: Service,
): Promise<void> {
  const { log, metrics, teardown } = service;
  const stores = await openStores(config, (message) => log.warn({}, message));
  teardown.add("the stores", () => stores.close());
  const api = await startApi({ config, log, metrics, ...found, privateStore: stores.privateStore });
  teardown.add("the API", () => api.stop());
  const generator = startGenerator(
    await generatorContext({ config, log, metrics, ...found, ...stores }),
    service,
  );

  const root = createRoot({
    api: api.app,
    web: api.web,
    shortUrls: api.shortUrls,
    keySet: keySetOf(found.tokenKeys),
    version: context.version,
    page: frontPage(found.installation),
  });
  const { publicStore: store } = stores;
  const { repository, keySecret, tokenKeys } = found;
  const sql = await found.database.rolePool("skep_api", READER_CONNECTIONS);
  const readers = createPrivateReaders({
    apiKeys: { sql, secret: keySecret },
    tokenKeys: fixedKeys(tokenKeys),
    registryKeys: fixedKeys({ publicKeys: [createPublicKey(found.signer.publicKeyPem)] }),
    clock: () => new Date(),
  });
  if (metrics !== undefined) root.use("/repo/*", metrics.middleware("/repo/*"));
  root.route(
    "/repo",
    createEdge({ store, repository, readers, surrogateHeaders: config.surrogateHeaders, logger: log }),
  );
  await untilWritten(store, repository, service);
  const server = await startServer(root.fetch, config.http);
  teardown.add("the server", () => server.stop(config.stopSeconds * 1000));
  if (config.health !== undefined) {
    const sql = found.database.pool({ max: WATCH_CONNECTIONS });
    metrics?.watchQueues(sql, ["changes", "purges", "mails"]);
    await startHealth(service, config.health, allReady(databaseReady(sql), generatorReady(generator)));
  }
}
