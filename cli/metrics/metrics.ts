/**
 * The metrics of one process, in Prometheus' text format. Labels have few values: a route is a pattern of ours, and
 * no name of a package, an account or a repository is one.
 */
import type { MiddlewareHandler } from "hono";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { RequestSeen } from "../../api/settings.ts";
import type { GeneratorContext } from "../../generator/context.ts";
import type { Generator } from "../../generator/generator.ts";
import type { StepHook } from "../../generator/steps.ts";
import type { Signer } from "../../proto/signer.ts";
import type { ObjectStore } from "../../store/objects/store.ts";
import type { Sql } from "../../store/postgres/pool.ts";
import type { ShownChange } from "../../store/queries/changes.ts";
import { countCounters } from "./counters.ts";
import { type QueueKind, watchQueues } from "./queues.ts";
import { meteredStore, type StoreName, storeMeters } from "./store.ts";

// From a build in memory to a CDN that is away for an hour.
const LAG_BUCKETS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600];
const STEP_BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.25, 1, 2.5, 10, 60, 300];
const REQUEST_BUCKETS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #stores = storeMeters(this.#registry);
  readonly #requests: Counter;
  readonly #requestSeconds: Histogram;
  readonly #steps: Histogram;
  readonly #lag: Histogram;
  readonly #signatures: Counter;
  #refreshQueues: (() => Promise<void>) | undefined;

  /** @param role which command the process runs */
  constructor(role: string, version: string) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    new Gauge({
      name: "skep_info",
      help: "Always 1; which release runs as what.",
      labelNames: ["role", "version"],
      registers,
    }).set({ role, version }, 1);
    this.#requests = new Counter({
      name: "skep_http_requests_total",
      help: "Requests answered, by the pattern of their route.",
      labelNames: ["method", "route", "status"],
      registers,
    });
    this.#requestSeconds = new Histogram({
      name: "skep_http_request_seconds",
      help: "From the request's head to its answer.",
      labelNames: ["method", "route"],
      buckets: REQUEST_BUCKETS,
      registers,
    });
    this.#steps = new Histogram({
      name: "skep_build_step_seconds",
      help: "Steps of builds, deletions and purges that did not fail.",
      labelNames: ["step"],
      buckets: STEP_BUCKETS,
      registers,
    });
    this.#lag = new Histogram({
      name: "skep_change_visible_seconds",
      help: "From the transaction of a change until installs see it, by the database's clock.",
      buckets: LAG_BUCKETS,
      registers,
    });
    this.#signatures = new Counter({
      name: "skep_signatures_total",
      help: "Payloads signed.",
      registers,
    });
  }

  /** One request of the API or the pages. */
  readonly onRequest = ({ method, route, status, seconds }: RequestSeen): void => {
    const known = METHODS.has(method) ? method : "other";
    this.#requests.inc({ method: known, route, status });
    this.#requestSeconds.observe({ method: known, route }, seconds);
  };

  /** @param route under which to count what passes: of a part that does not tell by itself */
  middleware(route: string): MiddlewareHandler {
    return async (c, next) => {
      const begun = performance.now();
      await next();
      const seconds = (performance.now() - begun) / 1000;
      this.onRequest({ method: c.req.method, route, status: c.res.status, seconds });
    };
  }

  readonly onStep: StepHook = async (step, phase, seconds) => {
    if (phase === "after") this.#steps.observe({ step }, seconds);
  };

  readonly onVisible = (changes: readonly ShownChange[]): void => {
    for (const { look, seconds } of changes) if (!look) this.#lag.observe(seconds);
  };

  /** @returns the store, each of whose requests is counted from now on. */
  store(name: StoreName, store: ObjectStore): ObjectStore {
    return meteredStore(this.#stores, name, store);
  }

  /** @returns the signer, each of whose signatures is counted from now on. */
  signer(signer: Signer): Signer {
    return {
      publicKeyPem: signer.publicKeyPem,
      fingerprint: signer.fingerprint,
      sign: async (payload) => {
        const signature = await signer.sign(payload);
        this.#signatures.inc();
        return signature;
      },
    };
  }

  /** What the generator counts by itself. */
  watchGenerator({ counters }: Pick<GeneratorContext, "counters">, generator: Generator): void {
    countCounters(this.#registry, counters);
    gauge(this.#registry, "skep_claims_held", "Repositories that this generator has claimed.", () => {
      return generator.heldClaims;
    });
    const idle = "Since the generator last found Postgres and the stores working.";
    gauge(this.#registry, "skep_generator_idle_seconds", idle, () => generator.idleMilliseconds / 1000);
  }

  /** Asks Postgres at each scrape for what waits. @param kinds those that the login of the pool may see */
  watchQueues(sql: Sql, kinds: readonly QueueKind[]): void {
    this.#refreshQueues = watchQueues(this.#registry, sql, kinds);
  }

  async text(): Promise<MetricsText> {
    await this.#refreshQueues?.();
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }
}

function gauge(registry: Registry, name: string, help: string, value: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(value());
    },
  });
}
