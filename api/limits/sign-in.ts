/** Bounds how many passwords an address may guess. Every way to sign in counts together. */
import { ApiError } from "../http/errors.ts";
import type { ApiDependencies } from "../settings.ts";
import { networkOf } from "./address.ts";
import type { Counters } from "./counters.ts";

const QUARTER_HOUR = 900_000;

export type SignInDependencies = Pick<ApiDependencies, "clock" | "counters" | "settings">;

/** One check at a time of an address: guesses made at once would all be let in before the first is counted. */
const checking = new WeakMap<Counters, Map<string, Promise<unknown>>>();

/**
 * Checks a credential and counts its failure. By address and not by account, or anybody could keep somebody else
 * from signing in.
 * @param check gives undefined for a wrong credential
 * @throws ApiError 429 after too many failures, for right ones too: the answer would tell which one is
 */
export async function limitSignIns<T>(
  deps: SignInDependencies,
  address: string,
  check: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const { counters } = deps;
  const limit = deps.settings.limits.signInFailures;
  if (limit === 0) return check();
  const bucket = `sign-in ${networkOf(address)}`;
  return oneAtATime(counters, bucket, async () => {
    const { allowed, resetAt } = await counters.peek(bucket, limit, QUARTER_HOUR);
    if (!allowed) throw tooMany(resetAt.getTime() - deps.clock().getTime());
    const found = await check();
    if (found === undefined) await counters.hit(bucket, limit, QUARTER_HOUR);
    return found;
  });
}

async function oneAtATime<T>(counters: Counters, bucket: string, work: () => Promise<T>): Promise<T> {
  const queues = checking.get(counters) ?? new Map<string, Promise<unknown>>();
  checking.set(counters, queues);
  const before = queues.get(bucket) ?? Promise.resolve();
  const own = before.then(work, work);
  queues.set(bucket, own);
  try {
    return await own;
  } finally {
    if (queues.get(bucket) === own) queues.delete(bucket);
  }
}

function tooMany(milliseconds: number): ApiError {
  const headers = { "retry-after": String(Math.max(1, Math.ceil(milliseconds / 1000))) };
  return new ApiError(429, "Too many failed sign-in attempts. Please try again later.", { headers });
}
