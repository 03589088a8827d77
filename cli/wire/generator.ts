/** Puts the generator together. */
import { hostname } from "node:os";
import {
  type Cdn,
  DEFAULT_GENERATOR_SETTINGS,
  type GeneratorContext,
  type Log,
  newCounters,
} from "../../generator/context.ts";
import { createEdgeReader } from "../../generator/purge/edge-reader.ts";
import { createFastlyPurger } from "../../generator/purge/fastly.ts";
import { createVarnishPurger } from "../../generator/purge/varnish.ts";
import type { Signer } from "../../proto/signer.ts";
import type { CdnConfig } from "../../schemas/config/cdn.ts";
import type { GeneratorConfig } from "../../schemas/config/config.ts";
import type { ObjectStore } from "../../store/objects/store.ts";
import type { Database } from "../database.ts";

const CONNECTIONS = 8;
const READ_BACK_MILLISECONDS = 10_000;

export interface GeneratorParts {
  readonly config: Pick<GeneratorConfig, "cdn" | "deletionGraceSeconds">;
  readonly database: Database;
  readonly publicStore: ObjectStore;
  readonly privateStore: ObjectStore;
  readonly signer: Signer;
  readonly log: Log;
}

export function generatorContext(parts: GeneratorParts): GeneratorContext {
  const { config, database, publicStore, privateStore, signer, log } = parts;
  return {
    sql: database.pool({ role: "skep_generator", max: CONNECTIONS }),
    publicStore,
    privateStore,
    signer,
    cdn: openCdn(config.cdn),
    settings: { ...DEFAULT_GENERATOR_SETTINGS, deletionGraceSeconds: config.deletionGraceSeconds },
    log,
    holder: `${hostname()} (pid ${process.pid})`,
    counters: newCounters(),
    random: Math.random,
  };
}

function openCdn(config: CdnConfig): Cdn | undefined {
  if (config.kind === "none") return undefined;
  const token = () => config.token.reveal();
  const reader = createEdgeReader({ baseUrl: config.readUrl, timeoutMs: READ_BACK_MILLISECONDS });
  const purger =
    config.kind === "fastly"
      ? createFastlyPurger({ serviceId: config.serviceId, token })
      : createVarnishPurger({ url: config.purgeUrl, token });
  return { purger, reader };
}
