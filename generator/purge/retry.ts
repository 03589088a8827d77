/** Tries again what a CDN refused, a bounded number of times, further and further apart. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Refusal } from "./refusal.ts";

export interface RetryPolicy {
  /** In all, the first included. */
  readonly attempts: number;
  /** Before the second attempt, in milliseconds; doubled for each further one. */
  readonly baseMs: number;
  /** The longest pause, in milliseconds. */
  readonly maxMs: number;
  /** No attempt begins later than this after the whole purge began, in milliseconds. */
  readonly deadlineMs: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly wait: (milliseconds: number) => Promise<unknown>;
  /** A number in [0, 1). */
  readonly random: () => number;
}

export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  attempts: 5,
  baseMs: 200,
  maxMs: 10_000,
  deadlineMs: 40_000,
  now: () => performance.now(),
  wait: (milliseconds) => sleep(milliseconds),
  random: Math.random,
};

/**
 * @param beganAt when the whole purge began, by the policy's clock
 * @param attempt one request; undefined means that it was accepted
 * @returns undefined once an attempt was accepted, otherwise the last refusal.
 */
export async function untilAccepted(
  policy: RetryPolicy,
  beganAt: number,
  attempt: () => Promise<Refusal | undefined>,
): Promise<Refusal | undefined> {
  const deadline = beganAt + policy.deadlineMs;
  if (policy.now() > deadline) return { reason: `not begun within ${policy.deadlineMs} ms`, again: true };
  for (let made = 1; ; made++) {
    const refusal = await attempt();
    if (refusal === undefined || !refusal.again || made >= policy.attempts) return refusal;
    // Asked to stay away for longer, we do, and whoever called tries again later.
    if (refusal.afterMs !== undefined && refusal.afterMs > policy.maxMs) return refusal;
    const pause = Math.max(pauseMs(policy, made), refusal.afterMs ?? 0);
    if (policy.now() + pause > deadline) return refusal;
    await policy.wait(pause);
  }
}

// Between half of the pause and all of it, so that generators that were refused together spread out.
function pauseMs(policy: RetryPolicy, made: number): number {
  const whole = Math.min(policy.maxMs, policy.baseMs * 2 ** (made - 1));
  return whole * (0.5 + policy.random() / 2);
}
