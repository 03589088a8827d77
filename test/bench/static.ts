/** Requests a second of the static server, beside a bare node server that sends as many bytes. */

import { mkdtemp, rm } from "node:fs/promises";
import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "../../api/server.ts";
import { createEdge } from "../../edge/app.ts";
import { openFolderStore } from "../../store/objects/folder.ts";
import { REPOSITORY } from "./corpus.ts";
import { median, type Row } from "./report.ts";

const CLIENTS = 16;
const SECONDS = 2;
const RUNS = 3;
const BYTES = 1_500;

export async function benchStatic(): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "skep-bench-"));
  const store = await openFolderStore(folder);
  const body = Buffer.alloc(BYTES, 1);
  await store.put("packages/example", body, { precondition: { kind: "absent" } });
  const edge = await startServer(createEdge({ store, repository: REPOSITORY }).fetch, {
    host: "127.0.0.1",
    port: 0,
  });
  const bare = createServer((_, response) => {
    response.writeHead(200, {
      "content-type": "application/octet-stream",
      "content-length": BYTES,
      etag: '"x"',
    });
    response.end(body);
  });
  await new Promise<void>((resolve) => bare.listen(0, "127.0.0.1", resolve));
  try {
    const ours: number[] = [];
    const limit: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      ours.push(await requestsPerSecond(edge.port));
      limit.push(await requestsPerSecond((bare.address() as AddressInfo).port));
    }
    return [
      {
        what: `static GET of packages/NAME, ${CLIENTS} connections`,
        ours: `${median(ours).toFixed(0)}/s`,
        limit: `${median(limit).toFixed(0)}/s`,
        beside: "a bare node server",
        ratio: median(ours) / median(limit),
        goal: "",
      },
    ];
  } finally {
    await edge.stop(100);
    bare.closeAllConnections();
    bare.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function requestsPerSecond(port: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const end = performance.now() + SECONDS * 1000;
  let count = 0;
  const client = async () => {
    while (performance.now() < end) {
      await get(agent, port);
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  agent.destroy();
  return count / SECONDS;
}

function get(agent: Agent, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent, host: "127.0.0.1", port, path: "/packages/example" }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`answered ${response.statusCode}`));
      response.resume();
      response.once("end", resolve);
    });
    sent.once("error", reject);
    sent.end();
  });
}
