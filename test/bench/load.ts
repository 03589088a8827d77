/** Sends requests over as many connections as it is told, until the time is over: a process of its own. */
import { Agent, request } from "node:http";

export interface Load {
  readonly port: number;
  /** Asked for in turn. */
  readonly requests: readonly { readonly path: string; readonly headers: Readonly<Record<string, string>> }[];
  readonly status: number;
  readonly connections: number;
  readonly seconds: number;
}

function get(
  agent: Agent,
  port: number,
  { path, headers }: Load["requests"][number],
  status: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent, host: "127.0.0.1", port, path, headers }, (response) => {
      if (response.statusCode !== status) reject(new Error(`${path} answered ${response.statusCode}`));
      response.resume();
      response.once("end", resolve);
    });
    sent.once("error", reject);
    sent.end();
  });
}

async function run({ port, requests, status, connections, seconds }: Load): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const end = performance.now() + seconds * 1000;
  let count = 0;
  const client = async () => {
    while (performance.now() < end) {
      const next = requests[count % requests.length];
      count += 1;
      if (next !== undefined) await get(agent, port, next, status);
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
  agent.destroy();
  return count / seconds;
}

process.once("message", (load: Load) => {
  run(load).then(
    (rate) => process.send?.({ rate }),
    (error: Error) => process.send?.({ error: error.message }),
  );
});
