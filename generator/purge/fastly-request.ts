/**
 * One purge of one key through npm's `fastly-purge`, which has neither a timeout nor a way to cancel a
 * request, and hides the answer's headers.
 *
 * What it lacks is had without touching it: Node reports each HTTP request that begins on a diagnostics
 * channel, and an async-local store tells which of them belong to which purge.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe } from "node:diagnostics_channel";
import { ClientRequest } from "node:http";
import FastlyPurge from "fastly-purge";
import { type Refusal, refusalOfError, refusalOfStatus } from "./refusal.ts";

export interface FastlyRequest {
  readonly token: string;
  readonly serviceId: string;
  readonly surrogateKey: string;
  readonly soft: boolean;
  readonly timeoutMs: number;
}

/** What is seen of one purge from outside of `fastly-purge`. */
interface Exchange {
  /** More than one behind a proxy, where a CONNECT comes first. */
  readonly requests: Set<ClientRequest>;
  retryAfter: string | undefined;
}

const exchanges = new AsyncLocalStorage<Exchange>();
let watching = false;

function watch(): void {
  if (watching) return;
  watching = true;
  subscribe("http.client.request.start", (message) => {
    const exchange = exchanges.getStore();
    if (exchange === undefined || !isRequestStart(message)) return;
    exchange.requests.add(message.request);
    message.request.once("response", (response) => {
      exchange.retryAfter = response.headers["retry-after"];
    });
  });
}

function isRequestStart(message: unknown): message is { readonly request: ClientRequest } {
  return (
    typeof message === "object" &&
    message !== null &&
    "request" in message &&
    message.request instanceof ClientRequest
  );
}

/** @returns undefined when Fastly has accepted the purge. */
export function requestFastlyPurge(request: FastlyRequest): Promise<Refusal | undefined> {
  watch();
  const exchange: Exchange = { requests: new Set(), retryAfter: undefined };
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve({ reason: `no answer within ${request.timeoutMs} ms`, again: true });
      for (const open of exchange.requests) open.destroy();
    }, request.timeoutMs);
    exchanges.run(exchange, () => {
      // The client puts the key into the path as it is. `:` stands for itself in a path segment (RFC
      // 3986, 3.3); the `%` of a key that was escaped when it was made is escaped once more.
      const segment = request.surrogateKey.replaceAll("%", "%25");
      const client = new FastlyPurge(request.token);
      client.key(request.serviceId, segment, { softPurge: request.soft }, (error, body) => {
        clearTimeout(timer);
        resolve(refusalOf(error, body, exchange.retryAfter));
      });
    });
  });
}

function refusalOf(
  error: (Error & { statusCode?: number }) | null,
  body: unknown,
  retryAfter: string | undefined,
): Refusal | undefined {
  if (error?.statusCode !== undefined) return refusalOfStatus(error.statusCode, retryAfter, new Date());
  if (error !== null) return refusalOfError(error);
  // A proxy's friendly page is a 200 too.
  return isAcceptance(body) ? undefined : { reason: "HTTP 200 without Fastly's confirmation", again: true };
}

function isAcceptance(body: unknown): boolean {
  if (typeof body === "string") {
    try {
      return isAcceptance(JSON.parse(body));
    } catch {
      return false;
    }
  }
  return typeof body === "object" && body !== null && "status" in body && body.status === "ok";
}
