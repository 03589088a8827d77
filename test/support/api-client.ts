/** Requests to an API under test, and their answers in one piece. */
import type { TestRegistry } from "./registry.ts";

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  /** Of JSON; undefined for an empty body. */
  // biome-ignore lint/suspicious/noExplicitAny: what is in it is what the tests are about
  readonly body: any;
}

export interface Sent {
  /** A credential; anonymous without one. */
  readonly as?: string | undefined;
  /** An upload as it is, anything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Client = (method: string, path: string, sent?: Sent) => Promise<Reply>;

/** @returns what sends requests to the registry's API, without a socket. */
export function apiClient(registry: Pick<TestRegistry, "request">): Client {
  return async (method, path, { as, body, headers } = {}) => {
    const upload = body instanceof Uint8Array;
    const response = await registry.request(path, {
      method,
      headers: {
        ...(as === undefined ? {} : { authorization: as }),
        ...(body === undefined || upload ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: upload ? new Uint8Array(body) : JSON.stringify(body) }),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const json = bytes.length > 0 && response.headers.get("content-type")?.startsWith("application/json");
    return {
      status: response.status,
      headers: response.headers,
      bytes,
      body: json ? JSON.parse(Buffer.from(bytes).toString()) : undefined,
    };
  };
}

export function basic(username: string, password = "password"): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
