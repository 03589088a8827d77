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
import type { Purger } from "../../generator/purge/purger.ts";
import { createReaderToken } from "../../generator/purge/reader-token.ts";
import { createVarnishPurger } from "../../generator/purge/varnish.ts";
import type { Signer } from "../../proto/signer.ts";
import type { CdnConfig } from "../../schemas/config/cdn.ts";
import type { GeneratorConfig } from "../../schemas/config/config.ts";
import type { ObjectStore } from "../../store/objects/store.ts";
import { urlsOf } from "../../views/urls.ts";
import type { Database } from "../database.ts";
import type { Metrics } from "../metrics/metrics.ts";

const CONNECTIONS = 8;
const READ_BACK_MILLISECONDS = 10_000;

export interface GeneratorParts {
  readonly config: Pick<GeneratorConfig, "cdn" | "deletionGraceSeconds" | "repository" | "twins">;
  readonly database: Database;
  readonly publicStore: ObjectStore;
  readonly privateStore: ObjectStore;
  readonly signer: Signer;
  readonly log: Log;
  readonly metrics?: Metrics | undefined;
}

/** @throws SkepError as `Database.rolePool`; `config_invalid` for a CDN's settings that cannot be used. */
export async function generatorContext(parts: GeneratorParts): Promise<GeneratorContext> {
  const { config, database, publicStore, privateStore, signer, log, metrics } = parts;
  return {
    sql: await database.rolePool("skep_generator", CONNECTIONS),
    publicStore: metrics?.store("public", publicStore) ?? publicStore,
    privateStore: metrics?.store("private", privateStore) ?? privateStore,
    signer: metrics?.signer(signer) ?? signer,
    cdn: await openCdn(config.cdn, signer),
    settings: { ...DEFAULT_GENERATOR_SETTINGS, deletionGraceSeconds: config.deletionGraceSeconds },
    twins:
      config.twins &&
      urlsOf({
        ...config.twins,
        repositoryUrl: config.repository.url,
        repositoryName: config.repository.name,
      }),
    log,
    holder: `${hostname()} (pid ${process.pid})`,
    counters: newCounters(),
    random: Math.random,
    onStep: metrics?.onStep,
    onVisible: metrics?.onVisible,
  };
}

async function openCdn(config: CdnConfig, signer: Signer): Promise<Cdn | undefined> {
  if (config.kind === "none") return undefined;
  const reader = createEdgeReader({
    baseUrl: config.readUrl,
    timeoutMs: READ_BACK_MILLISECONDS,
    ...(config.servesPrivate ? { token: createReaderToken(signer, () => new Date()) } : {}),
  });
  return { purger: await openPurger(config), reader };
}

/** Loads the client of the CDN that there is, and no other. */
async function openPurger(config: Exclude<CdnConfig, { readonly kind: "none" }>): Promise<Purger> {
  const token = () => config.token.reveal();
  if (config.kind === "fastly") {
    const { createFastlyPurger } = await import("../../generator/purge/fastly.ts");
    return createFastlyPurger({ serviceId: config.serviceId, token });
  }
  return createVarnishPurger({ url: config.purgeUrl, token });
}
