/**
 * A node server for any fetch handler, with limits that keep slow and oversized clients from holding it, and
 * a stop that finishes what was accepted.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { SkepError } from "../schemas/errors.ts";

export type FetchHandler = Parameters<typeof getRequestListener>[0];

export interface ServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Connections at a time. */
  readonly maxConnections?: number;
  /** Which setting gives the port, for whoever finds it taken; `SKEP_PORT` unless given. */
  readonly setting?: string;
}

export interface RunningServer {
  readonly port: number;
  /** Takes no more connections, finishes what was accepted, and gives up on it after that time. */
  stop(milliseconds: number): Promise<void>;
}

const HEADER_MILLISECONDS = 15_000;
// An upload of 20 MiB over a slow line; each of its pieces has a shorter limit of its own.
const REQUEST_MILLISECONDS = 300_000;
const KEEP_ALIVE_MILLISECONDS = 65_000;
const HEADER_BYTES = 16_384;

/** @throws SkepError `config_invalid` when the address is taken. */
export async function startServer(fetch: FetchHandler, options: ServerOptions): Promise<RunningServer> {
  const listener = getRequestListener(fetch, { overrideGlobalObjects: false });
  const server = createServer({
    headersTimeout: HEADER_MILLISECONDS,
    requestTimeout: REQUEST_MILLISECONDS,
    keepAliveTimeout: KEEP_ALIVE_MILLISECONDS,
    connectionsCheckingInterval: 5_000,
    maxHeaderSize: HEADER_BYTES,
  });
  server.maxConnections = options.maxConnections ?? 1_000;
  server.on("request", listener);
  // Under this event node sends no `100 Continue` of its own: a route does, once the request is authorised.
  server.on("checkContinue", listener);
  await listen(server, options);
  return { port: (server.address() as AddressInfo).port, stop: (milliseconds) => stop(server, milliseconds) };
}

function listen(server: Server, { host, port, setting = "SKEP_PORT" }: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const what =
        cause.code === "EADDRINUSE"
          ? `is in use; choose another with ${setting}`
          : `cannot be used: ${cause.message}`;
      reject(new SkepError("config_invalid", `port ${port} on ${host} ${what}`, { cause }));
    });
    server.listen(port, host, resolve);
  });
}

async function stop(server: Server, milliseconds: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection that was busy just now becomes idle when it has its answer, and would be kept alive.
  const idle = setInterval(() => server.closeIdleConnections(), 20);
  const timer = setTimeout(() => server.closeAllConnections(), milliseconds);
  await closed;
  clearInterval(idle);
  clearTimeout(timer);
}
