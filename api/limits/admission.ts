/** Who is let in, and how often. The order of the rules is that of Hex's API. */
import type { Principal } from "../auth/principal.ts";
import { ApiError, forbidden } from "../http/errors.ts";
import type { ApiDependencies } from "../settings.ts";
import { isLoopback, networkList, networkOf } from "./address.ts";
import type { CounterState } from "./counters.ts";

export type AdmissionDependencies = Pick<ApiDependencies, "settings" | "counters" | "blockList">;

const MINUTE = 60_000;

interface Bucket {
  readonly name: string;
  readonly limit: number;
  /** As the refusal names it. */
  readonly who: string;
}

export class Admission {
  readonly #deps: AdmissionDependencies;
  readonly #trusted: { has(address: string): boolean };

  constructor(deps: AdmissionDependencies) {
    this.#deps = deps;
    this.#trusted = networkList(deps.settings.trustedNetworks);
  }

  /**
   * @param address of the client, in its plain form
   * @returns headers that every answer to this request carries, errors included.
   * @throws ApiError 403 for who is blocked, 429 for who asks too often
   */
  async admit(principal: Principal, address: string): Promise<Readonly<Record<string, string>>> {
    if (this.isTrusted(address)) return {};
    if (this.#deps.blockList.blocks(address)) throw forbidden("Blocked");
    const bucket = bucketOf(principal, address, this.#deps.settings.limits);
    if (bucket === undefined || bucket.limit === 0) return {};
    const state = await this.#deps.counters.hit(bucket.name, bucket.limit, MINUTE);
    const headers = headersOf(state, bucket.limit);
    if (!state.allowed) throw new ApiError(429, `API rate limit exceeded for ${bucket.who}`, { headers });
    return headers;
  }

  /**
   * Neither blocked nor limited. A loopback peer is believed to be local only where it is known how many proxies
   * are in front: else it may be a proxy on this machine, through which everybody comes.
   */
  isTrusted(address: string): boolean {
    return (this.#deps.settings.trustedProxies > 0 && isLoopback(address)) || this.#trusted.has(address);
  }
}

function bucketOf(
  principal: Principal,
  address: string,
  limits: AdmissionDependencies["settings"]["limits"],
): Bucket | undefined {
  switch (principal.kind) {
    case "user": {
      const { id, service } = principal.user;
      return service ? undefined : { name: `user ${id}`, limit: limits.account, who: `user ${id}` };
    }
    case "organization": {
      const { id } = principal.organization;
      return { name: `organization ${id}`, limit: limits.account, who: `organization ${id}` };
    }
    case "none":
      return { name: `address ${networkOf(address)}`, limit: limits.address, who: `IP ${address}` };
  }
}

function headersOf(state: CounterState, limit: number): Readonly<Record<string, string>> {
  return {
    "x-ratelimit-limit": String(limit),
    "x-ratelimit-remaining": String(state.remaining),
    "x-ratelimit-reset": String(Math.floor(state.resetAt.getTime() / 1000)),
  };
}
