import { Command } from "commander";
import { startServer } from "../../api/server.ts";
import { createEdge, type ServedRequest } from "../../edge/app.ts";
import { readEdgeConfig } from "../../schemas/config/config.ts";
import { openReadableStore } from "../../store/open.ts";
import type { Context } from "../context.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { runService } from "../service.ts";
import { openReaders } from "../wire/edge.ts";
import { startHealth } from "../wire/health.ts";

export function edgeCommand(context: Context): Command {
  return new Command("edge")
    .description("serve the files of the public store alone: private ones to those who may read them")
    .addHelpText(
      "after",
      `
For a CDN to pass private paths on to; credentials that only read the public store are enough. Access tokens
are judged by their signature, with the keys at /.well-known/jwks.json below SKEP_URL or those of
SKEP_TOKEN_KEY_SET: that goes on while API and Postgres are down. API keys are looked up when DATABASE_URL (a
member of the role skep_edge) and SKEP_KEY_SECRET are given. Several may run. With SKEP_HEALTH_PORT it answers
/live, /ready, /started and /metrics there.

Example:
  SKEP_PUBLIC_STORE=s3://acme-hex SKEP_URL=https://hex.acme.example SKEP_HOST=0.0.0.0 \\
    DATABASE_URL=postgres://skep_edge_login@db/skep SKEP_KEY_SECRET=... skep edge
${EXIT_HELP}`,
    )
    .action(() => runEdge(context));
}

async function runEdge(context: Context): Promise<void> {
  const config = readEdgeConfig(context.source);
  await runService(context, "edge", config, async (service) => {
    const { log, metrics, teardown } = service;
    const opened = await openReadableStore(config.publicStore);
    teardown.add("the public store", () => opened.close());
    const store = metrics?.store("public", opened) ?? opened;
    const repository = { name: config.repository.name, public: true };
    const readers = await openReaders({ config, store, repository }, service);
    const { surrogateHeaders } = config;
    const onRequest = ({ method, key, status, milliseconds }: ServedRequest) => {
      const route = key?.startsWith("repos/") ? "/repos/*" : "/*";
      metrics?.onRequest({ method, route, status, seconds: milliseconds / 1000 });
    };
    const edge = createEdge({ store, repository, readers, surrogateHeaders, logger: log, onRequest });
    const server = await startServer(edge.fetch, config.http);
    teardown.add("the server", () => server.stop(config.stopSeconds * 1000));
    // Whatever it could not find, it serves what it can.
    if (config.health !== undefined)
      await startHealth(service, config.health, async () => ({ status: "ok" }));
    log.info({ host: config.http.host, port: server.port, store: store.description }, "the edge is ready");
  });
}
