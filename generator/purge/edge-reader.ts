/**
 * Reads through the CDN what a client would get. The request says nothing that a client's would not: no
 * query and no Cache-Control, as the question is what the caches hold, not what they could fetch.
 */
import { parseObjectKey } from "../../hex/keys.ts";
import { SkepError } from "../../schemas/errors.ts";
import { refusalOfError } from "./refusal.ts";
import { sendableToken } from "./token.ts";

export interface EdgeReader {
  /**
   * @param key an object key, without a leading slash
   * @returns the ETag that is served, without `W/` and quotes; undefined when the answer is 404 or 410.
   * @throws SkepError `store_unavailable` when there is no answer in time, any other answer, or one
   *   without an ETag. It says nothing about whether the object is stale.
   */
  etag(key: string): Promise<string | undefined>;
  /**
   * Whether it is let in to the key at all. Absent: to every key. A private path needs a token; without one the
   * answer would be a refusal, whatever the caches hold.
   */
  reads?(key: string): boolean;
}

export interface EdgeReaderOptions {
  /** The repository as clients have it in their configuration, with or without a trailing slash. */
  readonly baseUrl: string;
  /** A short-lived reader's token for private paths, sent as a Bearer token and with those only. */
  readonly token?: () => Promise<string>;
  /** For one request, in milliseconds. */
  readonly timeoutMs: number;
  readonly fetch?: typeof fetch;
}

/** @throws SkepError `config_invalid` for a base URL that is not http(s) or holds a password. */
export function createEdgeReader(options: EdgeReaderOptions): EdgeReader {
  const { token, timeoutMs, fetch: send = fetch } = options;
  const base = repositoryUrl(options.baseUrl);

  async function ask(method: "HEAD" | "GET", url: string, headers: Record<string, string>) {
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      const response = await send(url, { method, headers, redirect: "manual", signal });
      await response.body?.cancel();
      return response;
    } catch (error) {
      // Not kept as the cause: it may quote headers, and with them the token.
      throw new SkepError("store_unavailable", `cannot read ${url}: ${refusalOfError(error).reason}`);
    }
  }

  const isPrivate = (key: string) => parseObjectKey(key)?.privateRepository !== undefined;

  return {
    reads: (key) => token !== undefined || !isPrivate(key),
    async etag(key) {
      const url = `${base}/${key.split("/").map(encodeURIComponent).join("/")}`;
      const headers: Record<string, string> = { "accept-encoding": "identity" };
      if (token !== undefined && isPrivate(key)) {
        headers.authorization = `Bearer ${sendableToken(await token(), "private reads")}`;
      }
      const head = await ask("HEAD", url, headers);
      const response = answersHead(head) ? head : await ask("GET", url, headers);
      if (response.status === 404 || response.status === 410) return undefined;
      const etag = response.status === 200 ? response.headers.get("etag") : null;
      if (etag === null) {
        const why = response.status === 200 ? "no ETag" : `HTTP ${response.status}`;
        throw new SkepError("store_unavailable", `cannot read ${url}: ${why}`);
      }
      return normalEtag(etag);
    },
  };
}

// Some origins refuse HEAD, and some caches answer it from less than they know.
function answersHead(response: Response): boolean {
  return ![405, 501].includes(response.status) && (response.status !== 200 || response.headers.has("etag"));
}

/** A cache may mark an ETag as weak though it changed no byte. @returns the ETag without `W/` and quotes. */
export function normalEtag(etag: string): string {
  return etag
    .trim()
    .replace(/^W\//, "")
    .replace(/^"(.*)"$/, "$1");
}

function repositoryUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") {
    throw new SkepError("config_invalid", "the repository's URL is http(s), without user name and password");
  }
  return url.origin + url.pathname.replace(/\/+$/, "");
}
