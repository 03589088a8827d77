/** A repository over HTTP. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Source, SourceError, type SourceObject } from "./source.ts";

export interface HttpSourceOptions {
  /** Sent as it is, for a private repository; not to another host that the server redirects to. */
  readonly authorization?: string;
  /** For one file, from the request to its last byte; 30,000 unless given. */
  readonly timeoutMilliseconds?: number;
  /** How often a file is asked for again when the connection or the server fails; 2 unless given, as mix does. */
  readonly retries?: number;
  readonly fetch?: typeof fetch;
}

const FIRST_PAUSE_MILLISECONDS = 200;

/** @param baseUrl of the repository, with or without a trailing slash */
export function httpSource(baseUrl: string, options: HttpSourceOptions = {}): Source {
  const base = baseUrl.replace(/\/+$/, "");
  return {
    description: base,
    async read(key, maxBytes) {
      const url = `${base}/${key.split("/").map(encodeURIComponent).join("/")}`;
      for (let left = options.retries ?? 2, pause = FIRST_PAUSE_MILLISECONDS; ; left--, pause *= 2) {
        try {
          return await readOnce(url, maxBytes, options);
        } catch (error) {
          if (left <= 0 || !(error instanceof SourceError) || error.code !== "unreachable") throw error;
          await sleep(pause);
        }
      }
    },
  };
}

async function readOnce(
  url: string,
  maxBytes: number,
  options: HttpSourceOptions,
): Promise<SourceObject | undefined> {
  const response = await request(url, options);
  const { status } = response;
  if (status === 200) {
    return { body: await boundedBody(response, url, maxBytes), headers: new Map(response.headers) };
  }
  await response.body?.cancel();
  if (status === 404 || status === 403) return undefined;
  const passing = status === 429 || status >= 500;
  throw new SourceError(passing ? "unreachable" : "status", `${url} answered ${status}`);
}

async function request(url: string, options: HttpSourceOptions): Promise<Response> {
  try {
    return await (options.fetch ?? fetch)(url, {
      // What a Hex client sends: no wish for any encoding, which fetch would add by itself.
      headers: {
        "accept-encoding": "identity",
        ...(options.authorization === undefined ? {} : { authorization: options.authorization }),
      },
      signal: AbortSignal.timeout(options.timeoutMilliseconds ?? 30_000),
    });
  } catch (cause) {
    throw new SourceError("unreachable", `${url} cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

async function boundedBody(response: Response, url: string, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body ?? []) {
      size += chunk.length;
      if (size > maxBytes) throw new SourceError("too_large", `${url} has more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof SourceError) throw cause;
    throw new SourceError("unreachable", `${url} broke off: ${reasonOf(cause)}`, { cause });
  }
  return Buffer.concat(chunks);
}

/** fetch says "fetch failed", and why in the cause. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? cause.message : message;
}
