import { once } from "node:events";
import type { Server } from "node:net";

/** @returns the port on 127.0.0.1 that the server listens on from now on: a free one for 0. */
export async function listenOnLoopback(server: Server, port = 0): Promise<number> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}
