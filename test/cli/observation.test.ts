/** What a service shows of itself: metrics, probes, request ids in the log, error reports; and what is made for them. */
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parser } from "@prometheus-io/lezer-promql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { createTestDatabase } from "../support/database.ts";
import type { TestDatabase } from "../support/open-database.ts";
import { runHere } from "../support/program.ts";
import { newPrivateKeyPem } from "../support/signing.ts";
import { headersOf, tarballOf } from "./package.ts";
import { freePort, type RunningSkep, type SkepFolder, skepFolder } from "./skep.ts";

const deploy = join(import.meta.dirname, "../../deploy");
const PATIENT = { timeout: 20_000 };
const REQUEST_ID = "Root=1-67891233-abcdef012345678912345678";

let skep: SkepFolder;
let database: TestDatabase;
let running: RunningSkep;
let key: string;
let health: string;
let dsn: string;
const envelopes: string[] = [];
const sentry = createServer(async (request, response) => {
  envelopes.push(await text(request));
  response.end("{}");
});

beforeAll(async () => {
  skep = await skepFolder();
  database = await createTestDatabase();
  sentry.listen(0, "127.0.0.1");
  await once(sentry, "listening");
  dsn = `http://public_key@127.0.0.1:${(sentry.address() as AddressInfo).port}/42`;
  const port = await freePort();
  health = `http://127.0.0.1:${port}`;
  const crash = join(skep.folder, "crash.cjs");
  await writeFile(crash, 'process.on("SIGUSR2", () => { throw new Error("crashed on purpose"); });');
  running = await skep.serve({
    NODE_OPTIONS: `--require ${crash}`,
    DATABASE_URL: database.url,
    SKEP_HEALTH_PORT: String(port),
    SKEP_ERROR_DSN: dsn,
    SKEP_LOG_FORMAT: "json",
  });
  key = (await skep.run(["key", "create", "--user", "admin"], { DATABASE_URL: database.url })).stdout.trim();
  expect((await publish("foo")).status).toBe(201);
});
afterAll(async () => {
  await skep.remove();
  sentry.close();
  await database.drop();
});

function publish(name: string, headers: Record<string, string> = {}): Promise<Response> {
  const body = new Uint8Array(tarballOf(name, "1.0.0"));
  return fetch(`${skep.url}/api/publish`, {
    method: "POST",
    headers: { ...headersOf(key), ...headers },
    body,
  });
}

const logged = () =>
  running
    .stderr()
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

async function scrape(): Promise<Map<string, number>> {
  const response = await fetch(`${health}/metrics`);
  expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
  const samples = new Map<string, number>();
  for (const line of (await response.text()).split("\n")) {
    const [, series = "", value = ""] = /^([^#\s][^{\s]*(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
    if (series !== "") samples.set(series, Number(value));
  }
  return samples;
}

describe("metrics", () => {
  it("tell of a publish: builds, objects, bytes, signatures, lag, the request by its route", async () => {
    // The publish may have its answer before it is counted.
    const counted = async () => (await scrape()).get("skep_change_visible_seconds_count");
    await expect.poll(counted, PATIENT).toBeGreaterThanOrEqual(2);
    const samples = await scrape();
    const value = (series: string) => samples.get(series) ?? Number.NaN;
    expect(value("skep_builds_total")).toBeGreaterThanOrEqual(2);
    expect(value("skep_objects_written_total")).toBeGreaterThanOrEqual(7);
    expect(value('skep_store_bytes_total{store="public",operation="put"}')).toBeGreaterThan(5_000);
    expect(value("skep_signatures_total")).toBeGreaterThanOrEqual(5);
    expect(value("skep_change_visible_seconds_sum")).toBeGreaterThan(0);
    expect(value('skep_build_step_seconds_count{step="put-packages"}')).toBeGreaterThanOrEqual(2);
    expect(value('skep_http_requests_total{method="POST",route="/api/publish",status="201"}')).toBe(1);
    expect(value("skep_changes_pending")).toBe(0);
    expect(value("skep_claims_held")).toBe(1);
    expect(value("skep_database_up")).toBe(1);
    expect(value("nodejs_eventloop_lag_p99_seconds")).toBeGreaterThan(0);
  });

  it("have labels of ours alone, whatever is asked for", async () => {
    const before = (await scrape()).size;
    for (const path of ["/api/packages/one", "/api/packages/two", "/api/none/three", "/four", "/repo/five"]) {
      await fetch(skep.url + path, {
        headers: { "user-agent": "test", accept: "text/html,application/json" },
      });
    }
    await fetch(`${skep.url}/api/packages/one`, { method: "SEARCH", headers: { "user-agent": "test" } });
    const samples = await scrape();
    const routes = [...samples.keys()].flatMap((series) => /route="([^"]*)"/.exec(series)?.[1] ?? []);
    expect(new Set(routes)).toEqual(new Set(["/api/publish", "/api/packages/:name", "/repo/*", "unknown"]));
    expect([...samples.keys()].join("\n")).not.toMatch(/one|two|three|four|five|foo|SEARCH/);
    expect(samples.size).toBeGreaterThan(before);
  });

  it("are at the port for operators and at no other; so are the probes", async () => {
    for (const path of ["/metrics", "/live", "/ready", "/api/metrics", "/repo/metrics"]) {
      expect((await fetch(skep.url + path, { headers: { "user-agent": "test" } })).status, path).toBe(404);
    }
    const probe = async (path: string) => {
      const response = await fetch(health + path);
      return [response.status, await response.json()];
    };
    expect(await probe("/live")).toEqual([200, { status: "ok" }]);
    expect(await probe("/started")).toEqual([200, { status: "ok" }]);
    expect(await probe("/ready")).toEqual([200, { status: "ok", idleSeconds: expect.any(Number) }]);
    expect((await fetch(`${health}/api/packages`)).status).toBe(404);
  });
});

describe("the id of a request", () => {
  it("goes with a publish into the generator", async () => {
    const response = await publish("bar", { "x-request-id": REQUEST_ID });
    expect([response.status, response.headers.get("x-request-id")]).toEqual([201, REQUEST_ID]);
    const about = () => logged().filter((line) => JSON.stringify(line).includes(REQUEST_ID));
    // The client may have its answer before either is written.
    await expect
      .poll(
        () =>
          about()
            .map(({ msg }) => msg)
            .sort(),
        PATIENT,
      )
      .toEqual(["built", "request"]);
    expect(about().find(({ msg }) => msg === "built")).toMatchObject({
      requestIds: [REQUEST_ID],
      changes: 1,
    });
  });

  it.each(["short", "x".repeat(129), "0123456789abcdef; drop", "0123456789abcdef\u00e4"])(
    "%j of a client is replaced",
    async (given) => {
      const response = await fetch(`${skep.url}/api/none`, {
        headers: { "user-agent": "test", "x-request-id": given },
      });
      expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    },
  );
});

const events = () =>
  envelopes.map((envelope) => JSON.parse(envelope.split("\n")[2] ?? "") as Record<string, unknown>);

describe("error reports", () => {
  it("tell of a defect, without key, body and header, while the client gets its answer", async () => {
    await database.sql`alter table audit_logs rename to audit_logs_away`;
    const response = await publish("broken", { "x-request-id": "request-of-the-broken-one" });
    await database.sql`alter table audit_logs_away rename to audit_logs`;
    expect(response.status).toBe(500);
    await expect.poll(() => envelopes.length, PATIENT).toBe(1);
    expect(events()[0]).toMatchObject({
      level: "error",
      release: expect.stringMatching(/^skep@\d/),
      tags: { role: "serve", request_id: "request-of-the-broken-one" },
      extra: { what: "request failed" },
    });
    const all = envelopes.join("\n");
    for (const secret of [key, "authorization", "public_key", "broken-1.0.0", database.url]) {
      expect(all).not.toContain(secret);
    }
  });

  it("tell of a service that ends by itself, before it has ended", async () => {
    envelopes.length = 0;
    const file = join(skep.folder, "foreign.pem");
    await writeFile(file, newPrivateKeyPem(), { mode: 0o600 });
    const { code, stderr } = await skep.run(["generator"], {
      DATABASE_URL: database.url,
      SKEP_SIGNING_KEY_FILE: file,
      SKEP_ERROR_DSN: dsn,
    });
    expect(code).toBe(1);
    expect(events()).toMatchObject([
      { level: "fatal", tags: { role: "generator", code: "signing_key_foreign" } },
    ]);
    expect(stderr + running.stderr()).not.toContain("public_key@");
  });
});

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

async function alerts(): Promise<readonly Alert[]> {
  const file = parse(await readFile(join(deploy, "prometheus/alerts.yml"), "utf8"));
  return file.groups.flatMap((group: { rules: Alert[] }) => group.rules);
}

async function dashboardExpressions(): Promise<readonly string[]> {
  const { panels } = JSON.parse(await readFile(join(deploy, "grafana/skep.json"), "utf8"));
  const targets = panels.flatMap((panel: { targets?: { expr: string }[] }) => panel.targets ?? []);
  return targets.map(({ expr }: { expr: string }) =>
    expr.replaceAll("$__rate_interval", "5m").replaceAll("$job", ".*"),
  );
}

/** @returns the names of its metrics. @throws Error where Prometheus' own grammar knows no such expression. */
function metricsOf(expression: string): readonly string[] {
  const names: string[] = [];
  parser.parse(expression).iterate({
    enter(node) {
      if (node.type.isError) throw new Error(`${expression}: error at ${node.from}`);
      if (node.name === "Identifier") names.push(expression.slice(node.from, node.to));
    },
  });
  return names;
}

describe("dashboard and alerts", () => {
  it("ask for metrics that there are", async () => {
    const names = new Set([...(await scrape()).keys()].map((series) => series.split("{")[0] ?? ""));
    // One whose labels had no value yet has a type and no sample.
    const text = await (await fetch(`${health}/metrics`)).text();
    for (const [, name = "", type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
      for (const end of type === "histogram" ? ["_bucket", "_sum", "_count"] : [""]) names.add(name + end);
    }
    const asked = [...(await alerts()).map(({ expr }) => expr), ...(await dashboardExpressions())];
    expect(asked.length).toBeGreaterThan(50);
    for (const expression of asked) {
      const used = metricsOf(expression);
      expect(used.length, expression).toBeGreaterThan(0);
      for (const name of used) expect(names, expression).toContain(name);
    }
  });

  it("each alert says what is so, how bad that is, and which page to open", async () => {
    const runbooks = await readdir(join(deploy, "runbooks"));
    const all = await alerts();
    for (const { alert, labels, annotations } of all) {
      expect(labels.severity, alert).toMatch(/^(critical|warning)$/);
      expect(annotations.summary?.length, alert).toBeGreaterThan(20);
      const [, runbook] = /^deploy\/runbooks\/(.+)$/.exec(annotations.runbook ?? "") ?? [];
      expect(runbooks, alert).toContain(runbook);
    }
    expect(new Set(all.map(({ alert }) => alert)).size).toBe(all.length);
  });
});

it("`skep status` finds what is recorded in the folder, and over HTTP as clients do", async () => {
  const ended = await runHere(["status", "--json", "--samples", "50"], {
    ...skep.environment,
    DATABASE_URL: database.url,
    SKEP_URL: skep.url,
  });
  expect(ended).toMatchObject({ code: 0, stderr: "" });
  const { objects, claims, unchecked } = JSON.parse(ended.stdout);
  // Two packages with a tarball each, names, versions, public_key.
  expect(objects).toEqual({ stored: 7, served: 7, stale: [] });
  expect(claims).toMatchObject([{ repository: "local", holder: expect.stringContaining("pid") }]);
  expect(unchecked).toEqual([]);
});

it("a crash is reported before the process ends", async () => {
  envelopes.length = 0;
  const { code, stderr } = await running.stop("SIGUSR2");
  expect(code).toBe(1);
  expect(stderr).toContain("skep: crashed on purpose\n");
  expect(events()).toMatchObject([
    {
      level: "fatal",
      tags: { role: "serve" },
      exception: { values: [{ type: "Error", value: "crashed on purpose" }] },
    },
  ]);
});
