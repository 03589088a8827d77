import { SkepError } from "../../schemas/errors.ts";
import { inParallel } from "../parallel.ts";
import { requestFastlyPurge } from "./fastly-request.ts";
import type { Purger } from "./purger.ts";
import { DEFAULT_RETRY_POLICY, type RetryPolicy, untilAccepted } from "./retry.ts";
import { purgeableKeys } from "./surrogate-keys.ts";
import { sendableToken } from "./token.ts";

export interface FastlyOptions {
  /** The service's id, letters and digits. */
  readonly serviceId: string;
  /** A token with the `purge_select` scope; asked for at each purge, so that it can be replaced. */
  readonly token: () => string;
  /** Mark as expired instead of dropping: readers may get the old object once more. Default false. */
  readonly soft?: boolean;
  /** For one request, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number;
  /** Requests at a time; Fastly takes one key in each. Default 8. */
  readonly concurrency?: number;
  readonly retry?: Partial<RetryPolicy>;
}

/**
 * Purges by surrogate key through Fastly's API (`POST /service/ID/purge/KEY`). Refusals with 429, 5xx
 * and missing answers are tried again, Retry-After honoured; after one key's last refusal no further
 * key is begun.
 * @throws SkepError `config_invalid` for a service id or token that cannot be sent.
 */
export function createFastlyPurger(options: FastlyOptions): Purger {
  const { serviceId, token, soft = false, timeoutMs = 5_000, concurrency = 8 } = options;
  if (!/^[A-Za-z0-9]+$/.test(serviceId)) {
    throw new SkepError("config_invalid", "a Fastly service id consists of letters and digits");
  }
  const description = `Fastly service ${serviceId}`;
  const policy: RetryPolicy = { ...DEFAULT_RETRY_POLICY, ...options.retry };
  sendableToken(token(), description);

  async function purgeKey(surrogateKey: string, beganAt: number): Promise<void> {
    const refusal = await untilAccepted(policy, beganAt, () =>
      requestFastlyPurge({
        token: sendableToken(token(), description),
        serviceId,
        surrogateKey,
        soft,
        timeoutMs,
      }),
    );
    if (refusal !== undefined) {
      throw new SkepError(
        "purge_refused",
        `${description} refused to purge ${surrogateKey}: ${refusal.reason}`,
      );
    }
  }

  return {
    description,
    async purge(surrogateKeys) {
      const beganAt = policy.now();
      await inParallel(concurrency, purgeableKeys(surrogateKeys), (key) => purgeKey(key, beganAt));
    },
  };
}
