import { SkepError } from "../../schemas/errors.ts";
import type { Purger } from "./purger.ts";
import { type Refusal, refusalOfError, refusalOfStatus } from "./refusal.ts";
import { DEFAULT_RETRY_POLICY, type RetryPolicy, untilAccepted } from "./retry.ts";
import { inBatches, purgeableKeys } from "./surrogate-keys.ts";
import { sendableToken } from "./token.ts";

export interface VarnishOptions {
  /** Where varnishd listens; `http` or `https`, without user name and password. */
  readonly url: string;
  /** As in `deploy/varnish`'s settings; asked for at each purge, so that it can be replaced. */
  readonly token: () => string;
  /** For one request, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number;
  readonly retry?: Partial<RetryPolicy>;
  readonly fetch?: typeof fetch;
}

// Varnish takes a header of at most 8 KiB unless told otherwise.
const BATCH = { keys: 256, bytes: 4_096 };

/**
 * Purges by surrogate key through `deploy/varnish/skep.vcl`: a PURGE request with the keys in its
 * Surrogate-Key header, answered 200 with the number of purged objects in Skep-Purged. Refusals with
 * 429, 5xx and missing answers are tried again.
 * @throws SkepError `config_invalid` for a URL or token that cannot be used.
 */
export function createVarnishPurger(options: VarnishOptions): Purger {
  const { token, timeoutMs = 5_000, fetch: send = fetch } = options;
  const url = varnishUrl(options.url);
  const description = `Varnish at ${url.origin}`;
  const policy: RetryPolicy = { ...DEFAULT_RETRY_POLICY, ...options.retry };
  sendableToken(token(), description);

  async function attempt(keys: readonly string[]): Promise<Refusal | undefined> {
    const headers = {
      "surrogate-key": keys.join(" "),
      "skep-purge-token": sendableToken(token(), description),
    };
    try {
      const response = await send(url, {
        method: "PURGE",
        headers,
        redirect: "manual",
        signal: AbortSignal.timeout(timeoutMs),
      });
      await response.body?.cancel();
      if (response.status !== 200) {
        return refusalOfStatus(response.status, response.headers.get("retry-after"), new Date());
      }
      // A server that knows nothing of PURGE may well answer 200.
      if (/^\d+$/.test(response.headers.get("skep-purged") ?? "")) return undefined;
      return { reason: "HTTP 200 without Skep-Purged; is it deploy/varnish/skep.vcl?", again: false };
    } catch (error) {
      return refusalOfError(error);
    }
  }

  return {
    description,
    async purge(surrogateKeys) {
      const beganAt = policy.now();
      for (const keys of inBatches(purgeableKeys(surrogateKeys), BATCH)) {
        const refusal = await untilAccepted(policy, beganAt, () => attempt(keys));
        if (refusal === undefined) continue;
        const what = keys.length === 1 ? String(keys[0]) : `${keys.length} keys`;
        throw new SkepError("purge_refused", `${description} refused to purge ${what}: ${refusal.reason}`);
      }
    },
  };
}

function varnishUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") {
    throw new SkepError("config_invalid", "Varnish's URL is http(s), without user name and password");
  }
  return url;
}
