/** A repository over HTTP. */
import { type Source, SourceError } from "./source.ts";

export interface HttpSourceOptions {
  /** Sent as it is, for a private repository. */
  readonly authorization?: string;
  readonly timeoutMilliseconds?: number;
  readonly fetch?: typeof fetch;
}

/** @param baseUrl of the repository, with or without a trailing slash */
export function httpSource(baseUrl: string, options: HttpSourceOptions = {}): Source {
  const base = baseUrl.replace(/\/+$/, "");
  const get = options.fetch ?? fetch;
  return {
    description: base,
    async read(key, maxBytes) {
      const url = `${base}/${key.split("/").map(encodeURIComponent).join("/")}`;
      const response = await request(get, url, options);
      if (response.status === 404 || response.status === 403) {
        await response.body?.cancel();
        return undefined;
      }
      if (response.status !== 200) {
        await response.body?.cancel();
        throw new SourceError("status", `${url} answered ${response.status}`);
      }
      return { body: await boundedBody(response, url, maxBytes), headers: new Map(response.headers) };
    },
  };
}

async function request(get: typeof fetch, url: string, options: HttpSourceOptions): Promise<Response> {
  try {
    return await get(url, {
      // What a Hex client sends: no wish for any encoding, which fetch would add by itself.
      headers: {
        "accept-encoding": "identity",
        ...(options.authorization === undefined ? {} : { authorization: options.authorization }),
      },
      signal: AbortSignal.timeout(options.timeoutMilliseconds ?? 30_000),
    });
  } catch (cause) {
    const { message } = (cause as { cause?: Error }).cause ?? (cause as Error);
    throw new SourceError("unreachable", `${url} cannot be read: ${message}`, { cause });
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
    throw new SourceError("unreachable", `${url} broke off: ${(cause as Error).message}`, { cause });
  }
  return Buffer.concat(chunks);
}
