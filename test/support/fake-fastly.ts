/**
 * A stand-in for Fastly's purge API, which cannot run on a developer's machine: it records what it is
 * asked and answers as told. It speaks plain HTTP; {@link FakeFastly.attach} leads this process's
 * requests for api.fastly.com to it, so that the real client runs up to the socket.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { listenOnLoopback } from "./loopback.ts";

/** How a purge is answered. Only `accept` has an effect; `lie` and `hang` pretend or keep silent. */
export type FastlyBehaviour =
  | "accept"
  | "lie" // 200 and the usual body, but nothing is purged
  | "refuse" // 401
  | "fail" // 500
  | "hang" // no answer at all
  | "stall" // 200, and then the body never ends
  | "drop" // the connection is reset
  | "page" // 200 with a page of HTML
  | { readonly retryAfter: string }; // 429

export interface RecordedPurge {
  readonly method: string;
  /** As sent, escapes included. */
  readonly path: string;
  readonly serviceId: string;
  readonly surrogateKey: string;
  readonly soft: boolean;
  readonly token: string | undefined;
  readonly host: string | undefined;
}

export interface FakeFastlyOptions {
  readonly token?: string;
  /** What an accepted purge does, for example to a cache of the test. */
  readonly purge?: (surrogateKey: string) => void | Promise<void>;
}

export interface FakeFastly {
  readonly port: number;
  readonly token: string;
  readonly purges: RecordedPurge[];
  /** The most requests that were open at a time. */
  readonly mostAtOnce: () => number;
  /** For requests that {@link FakeFastly.next} says nothing of. At first `accept`. */
  always: FastlyBehaviour;
  /** For the next requests, one each. */
  next(...behaviours: FastlyBehaviour[]): void;
  /** Leads HTTPS requests of this process to the stand-in, until the function that it returns is called. */
  attach(): () => void;
  close(): Promise<void>;
}

export async function startFakeFastly(options: FakeFastlyOptions = {}): Promise<FakeFastly> {
  const script: FastlyBehaviour[] = [];
  let open = 0;
  let most = 0;
  const server = createServer(async (request, response) => {
    most = Math.max(most, ++open);
    response.once("close", () => open--);
    const recorded = record(request);
    fake.purges.push(recorded);
    request.resume();
    const behaviour = recorded.token === fake.token ? (script.shift() ?? fake.always) : "refuse";
    if (behaviour === "accept") await options.purge?.(recorded.surrogateKey);
    answer(response, behaviour);
  });
  const port = await listenOnLoopback(server);
  const fake: FakeFastly = {
    port,
    token: options.token ?? "fastly-test-token-7c1f",
    purges: [],
    mostAtOnce: () => most,
    always: "accept",
    next: (...behaviours) => void script.push(...behaviours),
    attach: () => leadHttpsTo(port),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return fake;
}

function record(request: IncomingMessage): RecordedPurge {
  const path = request.url ?? "";
  const [, serviceId = "", surrogateKey = ""] = /^\/service\/([^/]+)\/purge\/([^/?]+)$/.exec(path) ?? [];
  const token = request.headers["fastly-key"];
  return {
    method: request.method ?? "",
    path,
    serviceId,
    surrogateKey: decodeURIComponent(surrogateKey),
    soft: request.headers["fastly-soft-purge"] === "1",
    token: typeof token === "string" ? token : undefined,
    host: request.headers.host,
  };
}

function answer(response: ServerResponse, behaviour: FastlyBehaviour): void {
  const json = { "content-type": "application/json" };
  if (typeof behaviour === "object") {
    response.writeHead(429, { ...json, "retry-after": behaviour.retryAfter }).end('{"msg":"Rate limited"}');
    return;
  }
  switch (behaviour) {
    case "accept":
    case "lie":
      response.writeHead(200, json).end('{"status":"ok","id":"1-1-1"}');
      return;
    case "refuse":
      // A careless proxy would send back what it got; nothing of a body may reach a message.
      response.writeHead(401, json).end(JSON.stringify({ got: response.req.headers }));
      return;
    case "fail":
      response.writeHead(500, json).end('{"msg":"Internal error"}');
      return;
    case "stall":
      response.writeHead(200, json).write('{"status":');
      return;
    case "drop":
      response.socket?.resetAndDestroy();
      return;
    case "page":
      response.writeHead(200, { "content-type": "text/html" }).end("<h1>Welcome</h1>");
      return;
    case "hang":
      return;
  }
}

function leadHttpsTo(port: number): () => void {
  class StandInAgent extends https.Agent {
    // TLS is left out: the stand-in has no certificate of api.fastly.com.
    override createConnection(): Duplex {
      return connect(port, "127.0.0.1");
    }
  }
  const { globalAgent } = https;
  const noProxy = process.env.NO_PROXY;
  const agent = new StandInAgent({ keepAlive: true });
  https.globalAgent = agent;
  process.env.NO_PROXY = "*";
  return () => {
    https.globalAgent = globalAgent;
    if (noProxy === undefined) delete process.env.NO_PROXY;
    else process.env.NO_PROXY = noProxy;
    agent.destroy();
  };
}
