/** The common table, on a real varnishd with `deploy/varnish/skep.vcl`. */
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, describe, it } from "vitest";
import { listenOnLoopback } from "../support/loopback.ts";
import { requireTool } from "../support/tools.ts";
import { type RunningVarnish, startVarnish } from "../support/varnish.ts";
import { purge, request } from "./client.ts";
import { expectVector, type Observed, VECTORS, type Vector } from "./vectors.ts";

describe.runIf(requireTool("varnishd"))("skep.vcl of Varnish", () => {
  let answer: Vector["origin"];
  let asked: Observed["asked"][number][];
  let varnish: RunningVarnish;
  const origin = (whom: "bucket" | "edge") =>
    createServer(({ url = "", headers }, response) => {
      asked.push({ whom, path: url, headers });
      response.writeHead(answer?.status ?? 200, answer?.headers).end("bytes");
    });
  const [bucket, edge]: [Server, Server] = [origin("bucket"), origin("edge")];

  beforeAll(async () => {
    const [originPort, edgePort] = [await listenOnLoopback(bucket), await listenOnLoopback(edge)];
    varnish = await startVarnish({ originPort, edgePort });
  });
  afterAll(async () => {
    await varnish?.stop();
    for (const server of [bucket, edge]) {
      server.close();
      server.closeAllConnections();
    }
  });

  async function observe({ path, ...options }: Vector["request"]): Promise<Observed> {
    asked = [];
    const { status, headers } = await request(varnish, path, options);
    return { status, headers, asked };
  }

  it.each(VECTORS)("$rule", async (vector) => {
    answer = vector.origin;
    const first = await observe(vector.request);
    const second = await observe(vector.request);
    // All that was kept bears one of these.
    await purge(varnish, "public:all", "public:index", "private:acme:all");
    expectVector(vector, first, second);
  });
});
