import { Command } from "commander";
import { readGeneratorConfig } from "../../schemas/config/config.ts";
import type { Context } from "../context.ts";
import { signingKey } from "../data-folder.ts";
import { openDatabase } from "../database.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { runService } from "../service.ts";
import { generatorContext } from "../wire/generator.ts";
import { generatorReady, startHealth } from "../wire/health.ts";
import { startGenerator } from "../wire/running-generator.ts";
import { openStores } from "../wire/stores.ts";

const PATIENCE_SECONDS = 30;

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
may run; one works on a repository at a time. With SKEP_HEALTH_PORT it answers /live, /ready, /started and
/metrics there.

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
  await runService(context, "generator", config, async (service) => {
    const { log, metrics, teardown } = service;
    const name = `skep generator (pid ${process.pid})`;
    const database = await openDatabase(config, { name, patienceSeconds: PATIENCE_SECONDS });
    teardown.add("the database", () => database.close());
    const signer = await signingKey(config.signingKeyFile, NO_KEY);
    const stores = await openStores(config, (message) => log.warn({}, message));
    teardown.add("the stores", () => stores.close());
    const generator = startGenerator(
      await generatorContext({ config, database, signer, log, metrics, ...stores }),
      service,
    );
    if (config.health !== undefined) {
      metrics?.watchQueues(await database.rolePool("skep_generator", 1), ["changes", "purges"]);
      await startHealth(service, config.health, generatorReady(generator));
    }
    log.info({ key: signer.fingerprint }, "the generator is ready");
  });
}
