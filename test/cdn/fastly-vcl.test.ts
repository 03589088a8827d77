/**
 * `deploy/fastly/skep.vcl`: linted by falco, and the common table run over its syntax tree, in one cache and in one
 * that is shielded by another. What only Fastly itself can show stays open: what its macros insert, and how its caches
 * count time.
 */
import { readFileSync } from "node:fs";
import { S3Client } from "@aws-sdk/client-s3";
import { lintText } from "falco-js";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Asked, FastlyCache, type Message } from "../support/fastly-cache.ts";
import { FastlyVcl, type Findings } from "../support/fastly-vcl.ts";
import { expectVector, type Observed, VECTORS, type Vector } from "./vectors.ts";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const source = read("fastly-prelude.vcl") + read("../../deploy/fastly/skep.vcl");
const NOW = new Date("2026-02-03T04:05:06Z");
const whole = (headers: Readonly<Record<string, string>> = {}): Message => ({
  status: 200,
  headers,
  body: "bytes",
});
const publicHeaders = {
  "surrogate-key": "public:package:plug public:all",
  "surrogate-control": "public, max-age=604800",
};

let findings: Findings;
let vcl: FastlyVcl;
let asked: Asked[];
let answer: Message;
let outer: FastlyCache;
let shield: FastlyCache;
beforeAll(async () => {
  findings = await lintText(source, { diagnosticsOnly: false });
  vcl = new FastlyVcl(findings);
});
beforeEach(() => {
  asked = [];
  answer = whole(publicHeaders);
});

const origin = (request: Asked) => {
  asked.push(request);
  return answer;
};

function setUp(how: "alone" | "behind a shield"): void {
  shield = new FastlyCache({ vcl, backend: "F_bucket", visits: 1, now: () => NOW, ask: origin });
  const ask = (request: Asked) =>
    request.backend === "shield"
      ? shield.request(request.method, request.path, request.headers)
      : origin(request);
  const backend = how === "alone" ? "F_bucket" : "shield";
  outer = new FastlyCache({ vcl, backend, visits: 0, now: () => NOW, ask });
}

it("has nothing that falco complains of", () => {
  expect(findings.ParseErrors).toEqual({});
  const complaints = Object.values(findings.LintErrors)
    .flat()
    .filter(({ Severity }) => Severity !== "Info");
  expect(complaints).toEqual([]);
});

describe.each(["alone", "behind a shield"] as const)("a cache %s", (how) => {
  beforeEach(() => setUp(how));

  function observe({ method = "GET", path, headers }: Vector["request"]): Observed {
    asked = [];
    const { status, headers: answered } = outer.request(method, path, headers);
    const whom = ({ backend }: Asked) => (backend === "F_skep_edge" ? "edge" : "bucket");
    return { status, headers: answered, asked: asked.map((one) => ({ ...one, whom: whom(one) })) };
  }

  it.each(VECTORS)("$rule", (vector) => {
    const { status = 200, headers = {} } = vector.origin ?? {};
    answer = { status, headers, body: "bytes" };
    const first = observe(vector.request);
    expectVector(vector, first, observe(vector.request));
  });

  it("goes on with what has expired while the bucket is in trouble", () => {
    outer.request("GET", "/packages/plug");
    for (const kept of [outer, shield]) kept.expire();
    answer = { status: 503, headers: {}, body: "SlowDown" };
    const { status, headers, body } = outer.request("GET", "/packages/plug");
    expect([status, body]).toEqual([200, "bytes"]);
    expect(headers["x-cache"]).toBe(how === "alone" ? "STALE" : "MISS");
    // What a shield has given so is kept no longer than until it may be there again.
    expect(outer.keptSeconds("/packages/plug")).toBe(how === "alone" ? 604_800 : 60);
    answer = whole({ ...publicHeaders, "content-encoding": "gzip" });
    expect(outer.request("GET", "/packages/plug").status).toBe(200);
    for (const kept of [outer, shield]) kept.purgeAll();
    answer = { status: 503, headers: {}, body: "SlowDown" };
    expect(outer.request("GET", "/packages/plug")).toMatchObject({
      status: 503,
      headers: { "cache-control": "no-store" },
    });
  });

  it("is not purged by URL", () => {
    for (const method of ["PURGE", "FASTLYPURGE"]) expect(outer.request(method, "/names").status).toBe(405);
  });

  it("signs what it asks the bucket for as AWS demands it", async () => {
    const path = "/tarballs/plug-1.0.0+build.tar";
    outer.request("HEAD", path, { authorization: "Bearer secret" });
    const [{ headers, method, path: sent }] = asked as [Asked];
    expect([method, sent]).toEqual(["GET", "/tarballs/plug-1.0.0%2Bbuild.tar"]);
    const s3 = new S3Client({
      region: "eu-central-1",
      credentials: { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "secret/of+tests" },
    });
    const signer = await s3.config.signer();
    const hostname = "acme-hex.s3.eu-central-1.amazonaws.com";
    const sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const signed = await signer.sign(
      {
        method: "GET",
        protocol: "https:",
        hostname,
        path: sent,
        query: {},
        headers: { host: hostname, "x-amz-content-sha256": sha256 },
        // biome-ignore lint/suspicious/noExplicitAny: the SDK's own request class does no more here.
      } as any,
      { signingDate: NOW },
    );
    expect(headers).toMatchObject(signed.headers);
    s3.destroy();
  });
});

it("a shield gives the surrogate keys on to the caches that it shields, and a client who says that he is one gets none", () => {
  setUp("behind a shield");
  expect(shield.request("GET", "/packages/plug").headers["surrogate-key"]).toBe(
    publicHeaders["surrogate-key"],
  );
  expect(outer.request("GET", "/packages/plug", { "fastly-ff": "x" }).headers).not.toHaveProperty(
    "surrogate-key",
  );
});
