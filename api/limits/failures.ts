/** Bounds how often something secret may be guessed: wrong guesses count, right ones do not. */
import { ApiError } from "../http/errors.ts";
import type { ApiDependencies } from "../settings.ts";
import type { Counters } from "./counters.ts";

export interface FailureLimit {
  readonly bucket: string;
  readonly limit: number;
  readonly periodMilliseconds: number;
}

export type FailureDependencies = Pick<ApiDependencies, "clock" | "counters">;

/** One check at a time of a bucket: guesses made at once would all be let in before the first is counted. */
const checking = new WeakMap<Counters, Map<string, Promise<unknown>>>();

/**
 * Checks a guess, and counts it when it is wrong. All processes together tell no more than the limit that a guess is
 * wrong; those that check at the same moment may look at a few guesses beyond it, fewer than there are processes.
 * @param limits all of which it must be within
 * @param check gives undefined for a wrong guess
 * @param text what whoever guessed too often is told
 * @throws ApiError 429 after too many wrong ones, for right ones too: the answer would tell which one is
 */
export async function limitFailures<T>(
  deps: FailureDependencies,
  limits: readonly FailureLimit[],
  check: () => Promise<T | undefined>,
  text: string,
): Promise<T | undefined> {
  const [first, ...rest] = limits;
  if (first === undefined) return check();
  const { counters, clock } = deps;
  const { bucket, limit, periodMilliseconds } = first;
  return oneAtATime(counters, bucket, async () => {
    const { allowed, resetAt } = await counters.peek(bucket, limit, periodMilliseconds);
    if (!allowed) throw tooMany(text, resetAt.getTime() - clock().getTime());
    const found = await limitFailures(deps, rest, check, text);
    if (found !== undefined) return found;
    // Other processes may have counted since the look: all of them together tell no more often that one is wrong.
    const counted = await counters.hit(bucket, limit, periodMilliseconds);
    if (!counted.allowed) throw tooMany(text, counted.resetAt.getTime() - clock().getTime());
    return undefined;
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

function tooMany(text: string, milliseconds: number): ApiError {
  const headers = { "retry-after": String(Math.max(1, Math.ceil(milliseconds / 1000))) };
  return new ApiError(429, text, { headers });
}
