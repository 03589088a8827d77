import { Command } from "commander";
import { Hono } from "hono";
import { startServer } from "../../api/server.ts";
import type { Generator } from "../../generator/generator.ts";
import { readGeneratorConfig } from "../../schemas/config/config.ts";
import type { Context } from "../context.ts";
import { signingKey } from "../data-folder.ts";
import { openDatabase } from "../database.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { runService } from "../service.ts";
import { generatorContext } from "../wire/generator.ts";
import { startGenerator } from "../wire/running-generator.ts";
import { openStores } from "../wire/stores.ts";

const PATIENCE_SECONDS = 30;
const HEALTH_STOP_MILLISECONDS = 1_000;
// Longer than its longest pause after a failure.
const UNREADY_MILLISECONDS = 60_000;

export const NO_KEY = "`skep serve` makes one; a generator of its own is given the key that there is";

export function generatorCommand(context: Context): Command {
  return new Command("generator")
    .description(
      "run the generator alone: it signs what was published, writes it to the public store, purges the CDN",
    )
    .addHelpText(
      "after",
      `
Needs DATABASE_URL (a member of the role skep_generator), SKEP_SIGNING_KEY_FILE and both stores. Several
may run; one works on a repository at a time. With SKEP_HEALTH_PORT it answers /live and /ready there.

Example:
  DATABASE_URL=postgres://skep_generator_login@db/skep SKEP_SIGNING_KEY_FILE=/etc/skep/key.pem \\
    SKEP_PUBLIC_STORE=s3://acme-hex SKEP_PRIVATE_STORE=s3://acme-hex-private \\
    SKEP_REPOSITORY_URL=https://repo.acme.example skep generator
${EXIT_HELP}`,
    )
    .action(() => runGenerator(context));
}

async function runGenerator(context: Context): Promise<void> {
  const config = readGeneratorConfig(context.source);
  await runService(context, config, async (service) => {
    const { log, teardown } = service;
    const name = `skep generator (pid ${process.pid})`;
    const database = await openDatabase(config, { name, patienceSeconds: PATIENCE_SECONDS });
    teardown.add("the database", () => database.close());
    const signer = await signingKey(config.signingKeyFile, NO_KEY);
    const stores = await openStores(config, (message) => log.warn({}, message));
    teardown.add("the stores", () => stores.close());
    const generator = startGenerator(
      await generatorContext({ config, database, signer, log, ...stores }),
      service,
    );
    if (config.health !== undefined) {
      const server = await startServer(health(generator).fetch, config.health);
      teardown.add("the health server", () => server.stop(HEALTH_STOP_MILLISECONDS));
    }
    log.info({ key: signer.fingerprint }, "the generator is ready");
  });
}

/** Live: the process turns. Ready: it has lately found Postgres and the stores working. */
export function health(generator: Pick<Generator, "idleMilliseconds">): Hono {
  const app = new Hono();
  app.get("/live", (c) => c.json({ status: "ok" }));
  app.get("/ready", (c) => {
    const idleSeconds = Math.round(generator.idleMilliseconds / 1000);
    const ready = generator.idleMilliseconds < UNREADY_MILLISECONDS;
    return c.json({ status: ready ? "ok" : "stuck", idleSeconds }, ready ? 200 : 503);
  });
  return app;
}
