/** What a service tells the machinery around it, at a port of its own: probes, and metrics. */
import { Hono } from "hono";
import { startServer } from "../../api/server.ts";
import type { CommonConfig } from "../../schemas/config/config.ts";
import type { Sql } from "../../store/postgres/pool.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Service } from "../service.ts";

/** One for probes, that no slow scrape holds up, and one for scrapes. */
export const WATCH_CONNECTIONS = 2;

const STOP_MILLISECONDS = 1_000;
const DATABASE_MILLISECONDS = 2_000;
// Longer than a generator's longest pause after a failure.
const STUCK_MILLISECONDS = 60_000;

export interface Readiness {
  /** `ok`, or in a word what is amiss. */
  readonly status: string;
  readonly idleSeconds?: number;
}

/** Whether a part of the service does its work at this moment. Never rejects. */
export type ReadinessCheck = () => Promise<Readiness>;

/** Starts it. Call it when the service has started: `/started` says so. */
export async function startHealth(
  { metrics, lifetime, teardown }: Service,
  address: NonNullable<CommonConfig["health"]>,
  isReady: ReadinessCheck,
): Promise<void> {
  const whileRunning: ReadinessCheck = async () =>
    lifetime.signal.aborted ? { status: "stopping" } : isReady();
  const app = createHealth(whileRunning, metrics);
  const server = await startServer(app.fetch, { ...address, setting: "SKEP_HEALTH_PORT" });
  teardown.add("the health server", () => server.stop(STOP_MILLISECONDS));
}

/** Live: the process turns. Ready: it finds what it needs working. */
export function createHealth(isReady: ReadinessCheck, metrics: Pick<Metrics, "text"> | undefined): Hono {
  const app = new Hono();
  for (const path of ["/live", "/started"]) app.get(path, (c) => c.json({ status: "ok" }));
  app.get("/ready", async (c) => {
    const readiness = await isReady();
    return c.json(readiness, readiness.status === "ok" ? 200 : 503);
  });
  app.get("/metrics", async (c) => {
    if (metrics === undefined) return c.notFound();
    const { contentType, text } = await metrics.text();
    return c.body(text, 200, { "content-type": contentType });
  });
  return app;
}

/** It has lately found Postgres and the stores working. */
export function generatorReady(generator: { readonly idleMilliseconds: number }): ReadinessCheck {
  return async () => {
    const { idleMilliseconds } = generator;
    const status = idleMilliseconds < STUCK_MILLISECONDS ? "ok" : "stuck";
    return { status, idleSeconds: Math.round(idleMilliseconds / 1000) };
  };
}

/** Postgres answers at once. */
export function databaseReady(sql: Sql): ReadinessCheck {
  return async () => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Readiness>((resolve) => {
      timer = setTimeout(() => resolve({ status: "no database" }), DATABASE_MILLISECONDS);
    });
    const answer = sql`select 1`.then(
      () => ({ status: "ok" }),
      () => ({ status: "no database" }),
    );
    return Promise.race([answer, late]).finally(() => clearTimeout(timer));
  };
}

/** @returns the first that is not ready; what all say when they are. */
export function allReady(...checks: readonly ReadinessCheck[]): ReadinessCheck {
  return async () => {
    const answers = await Promise.all(checks.map((check) => check()));
    return answers.find(({ status }) => status !== "ok") ?? Object.assign({ status: "ok" }, ...answers);
  };
}
