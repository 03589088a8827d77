/** Against a service that speaks Sentry's protocol, or does not. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, expect, it } from "vitest";
import { Secret } from "../../schemas/config/secret.ts";
import { SkepError } from "../../schemas/errors.ts";
import { reportEntry } from "./log-hook.ts";
import { type ReporterOptions, SentryReporter } from "./reporter.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

/** @returns the DSN of a project at a service that answers so. */
async function service(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Secret> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return new Secret(`http://public_key@127.0.0.1:${(server.address() as AddressInfo).port}/base/42`);
}

function reporterFor(dsn: Secret, more: Partial<ReporterOptions> = {}): SentryReporter {
  const clock = () => new Date("2026-03-04T05:06:07.089Z");
  const hide = (shown: string) => shown.replaceAll("hunter2", "[hidden]");
  return new SentryReporter({ dsn, release: "skep@1.2.3", role: "api", hide, clock, ...more });
}

const seen = (error: unknown) => ({ error, message: "request failed", level: "error" as const });

it("posts an envelope: where, what failed, why, and nothing that is secret", async () => {
  const got: { url: string | undefined; headers: IncomingMessage["headers"]; body: string }[] = [];
  const dsn = await service(async (request, response) => {
    got.push({ url: request.url, headers: request.headers, body: await text(request) });
    response.end("{}");
  });
  const reporter = reporterFor(dsn);
  const cause = new TypeError("no route for hunter2");
  const error = Object.assign(new SkepError("internal", "cannot build", { cause }), { headers: "hunter3" });
  reporter.report({ ...seen(error), requestId: "request-1" });
  await reporter.flush(5_000);
  expect(reporter.lost).toBe(0);
  expect(got).toHaveLength(1);
  const [{ url, headers, body } = { url: "", headers: {}, body: "" }] = got;
  expect(url).toBe("/base/api/42/envelope/");
  expect(headers["content-type"]).toBe("application/x-sentry-envelope");
  expect(headers["x-sentry-auth"]).toBe(
    "Sentry sentry_version=7, sentry_client=skep/1, sentry_key=public_key",
  );
  expect(body).not.toMatch(/hunter|public_key/);

  const [head = "", item = "", payload = "", rest] = body.split("\n");
  const event = JSON.parse(payload);
  expect(JSON.parse(head)).toEqual({ event_id: event.event_id, sent_at: "2026-03-04T05:06:07.089Z" });
  expect(JSON.parse(item)).toEqual({
    type: "event",
    content_type: "application/json",
    length: Buffer.byteLength(payload),
  });
  expect(rest).toBe("");
  expect(event).toMatchObject({
    event_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    timestamp: 1_772_600_767.089,
    platform: "node",
    level: "error",
    release: "skep@1.2.3",
    tags: { role: "api", code: "internal", request_id: "request-1" },
    extra: { what: "request failed" },
  });
  // The outermost comes last, and in it the frame that threw.
  const [inner, outer] = event.exception.values;
  expect([inner.type, inner.value]).toEqual(["TypeError", "no route for [hidden]"]);
  expect([outer.type, outer.value]).toEqual(["SkepError", "cannot build"]);
  expect(outer.stacktrace.frames.at(-1)).toMatchObject({
    filename: expect.stringContaining("reporter.test.ts"),
    lineno: expect.any(Number),
    in_app: true,
  });
});

it("a service that hangs: the queue is bounded, and so is the end", async () => {
  let requests = 0;
  const dsn = await service(() => {
    requests += 1;
  });
  const reporter = reporterFor(dsn);
  for (let count = 0; count < 100; count++) reporter.report(seen(new Error(String(count))));
  // One is under way, thirty wait.
  expect(reporter.lost).toBe(69);
  await reporter.flush(1);
  expect(requests).toBeLessThanOrEqual(1);
});

it("a service that is not there, or refuses: nobody is disturbed", async () => {
  const refusing = await service((_, response) => response.writeHead(403).end());
  for (const dsn of [refusing, new Secret("http://key@127.0.0.1:1/1")]) {
    const reporter = reporterFor(dsn);
    reporter.report(seen("not even an error"));
    reporter.report(seen(undefined));
    reporter.report(seen(Object.create(null)));
    await reporter.flush(5_000);
    expect(reporter.lost).toBe(3);
  }
});

it("a service that asks to be left alone is, for that long", async () => {
  let requests = 0;
  const dsn = await service((_, response) => {
    requests += 1;
    response.writeHead(requests === 1 ? 429 : 200, { "retry-after": "30" }).end();
  });
  let now = 1_000_000;
  const reporter = reporterFor(dsn, { clock: () => new Date(now) });
  for (const wait of [0, 29_000, 1_000]) {
    now += wait;
    reporter.report(seen(new Error("again")));
    await reporter.flush(5_000);
  }
  expect(requests).toBe(2);
  expect(reporter.lost).toBe(2);
});

it("of the log only what failed and has an error is reported, and no outage that a client is told of", () => {
  const reported: unknown[] = [];
  const reporter = {
    report: (one: unknown) => void reported.push(one),
    flush: async () => undefined,
    lost: 0,
  };
  const defect = new Error("defect");
  const away = new SkepError("store_unavailable", "away");
  for (const [level, fields] of [
    [30, { err: defect }],
    [40, { err: defect }],
    [50, { key: "names" }],
    [50, "text"],
    [50, { requestId: "r", err: away }],
    [50, { requestId: "r", err: Object.assign(new Error("read-only"), { status: 503 }) }],
    [50, { err: new SkepError("lease_lost", "overtaken") }],
  ] as const) {
    reportEntry(reporter, level, fields, "message");
  }
  expect(reported).toEqual([]);
  reportEntry(reporter, 50, { requestId: "r", err: defect }, "request failed");
  reportEntry(reporter, 50, { err: away }, "build failed");
  reportEntry(reporter, 60, { err: defect }, "ended");
  expect(reported).toEqual([
    { error: defect, message: "request failed", level: "error", requestId: "r" },
    { error: away, message: "build failed", level: "error", requestId: undefined },
    { error: defect, message: "ended", level: "fatal", requestId: undefined },
  ]);
});
