/** A client that sends exactly what it is told: `fetch` tidies paths and adds headers. */
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import type { RunningVarnish } from "../support/varnish.ts";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export function request(
  varnish: RunningVarnish,
  path: string,
  options: { readonly method?: string; readonly headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = "GET", headers = {} } = options;
    httpRequest(
      { host: "127.0.0.1", port: varnish.port, path, method, headers, agent: false },
      (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          body += chunk;
        });
        response.on("error", reject);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        );
      },
    )
      .on("error", reject)
      .end();
  });
}

/** @returns the number of objects that a purge of these keys dropped. */
export async function purge(varnish: RunningVarnish, ...surrogateKeys: string[]): Promise<number> {
  const headers = { "skep-purge-token": varnish.token, "surrogate-key": surrogateKeys.join(" ") };
  const answer = await request(varnish, "/", { method: "PURGE", headers });
  if (answer.status !== 200) throw new Error(`purge: ${answer.status} ${answer.body}`);
  return Number(answer.headers["skep-purged"]);
}
