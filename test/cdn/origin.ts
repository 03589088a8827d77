/** What stands behind the cache in these tests: objects with the headers that the generator gives them. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { objectHeaders, objectKey, type RepositoryObject, type RepositoryRef } from "../../hex/keys.ts";
import { listenOnLoopback } from "../support/loopback.ts";

export interface OriginRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Origin {
  readonly port: number;
  readonly requests: OriginRequest[];
  /** Stores an object; `headers` are set over the usual ones, undefined leaves one out. @returns its ETag. */
  put(object: RepositoryObject, body: string, headers?: Record<string, string | undefined>): string;
  remove(object: RepositoryObject): void;
  /**
   * Holds answers back. What is answered is decided when the request arrives, so an object that changes
   * meanwhile is answered as it was.
   */
  hold(): Hold;
  /** Answers every request instead of the objects, until set to undefined. */
  instead: ((response: ServerResponse, url: string) => void) | undefined;
  /** Forgets every object and request. */
  reset(): void;
  /** Refuses connections. */
  down(): Promise<void>;
  /** Comes back on the same port. */
  up(): Promise<void>;
}

export interface Hold {
  /** Until the first request has arrived. */
  readonly arrived: Promise<void>;
  release(): void;
}

interface Stored {
  readonly body: string;
  readonly headers: Record<string, string | undefined>;
}

export async function startOrigin(repository: RepositoryRef): Promise<Origin> {
  const objects = new Map<string, Stored>();
  let held: { readonly arrived: () => void; readonly released: Promise<void> } | undefined;
  const server = createServer(async (request, response) => {
    const { method = "", url = "", headers } = request;
    origin.requests.push({ method, url, headers });
    if (origin.instead) return origin.instead(response, url);
    const stored = objects.get(url);
    held?.arrived();
    await held?.released;
    send(response, stored, method);
  });
  const port = await listenOnLoopback(server);
  const origin: Origin = {
    port,
    requests: [],
    put(object, body, headers) {
      const usual = objectHeaders(repository, object);
      const etag = createHash("md5").update(body).digest("hex");
      objects.set(`/${objectKey(repository, object)}`, {
        body,
        headers: {
          "content-type": usual.contentType,
          "cache-control": usual.cacheControl,
          "surrogate-control": usual.surrogateControl,
          "surrogate-key": usual.surrogateKey,
          etag: `"${etag}"`,
          ...headers,
        },
      });
      return etag;
    },
    remove: (object) => void objects.delete(`/${objectKey(repository, object)}`),
    hold() {
      const arrival = deferred();
      const end = deferred();
      held = { arrived: arrival.resolve, released: end.promise };
      return {
        arrived: arrival.promise,
        release() {
          held = undefined;
          end.resolve();
        },
      };
    },
    instead: undefined,
    reset() {
      origin.instead = undefined;
      origin.requests.length = 0;
      objects.clear();
    },
    async down() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
    async up() {
      await listenOnLoopback(server, port);
    },
  };
  return origin;
}

function send(response: ServerResponse, stored: Stored | undefined, method: string): void {
  if (stored === undefined) {
    response.writeHead(404, { "content-type": "text/plain" }).end("not here");
    return;
  }
  for (const [name, value] of Object.entries(stored.headers)) {
    if (value !== undefined) response.setHeader(name, value);
  }
  response.setHeader("content-length", Buffer.byteLength(stored.body));
  response.end(method === "HEAD" ? undefined : stored.body);
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
