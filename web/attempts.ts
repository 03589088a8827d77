/** How often somebody may guess, or have mails sent. */

import { type CodeGuess, checkCode } from "../api/auth/second-factor.ts";
import { ApiError } from "../api/http/errors.ts";
import { networkOf } from "../api/limits/address.ts";
import { limitSignIns } from "../api/limits/sign-in.ts";
import type { Visit } from "./visit.ts";

const QUARTER_HOUR = 900_000;
const SUDO_FAILURES = 5;
const HASHES_FROM_ADDRESS = 30;
const MAILS_TO_ACCOUNT = 3;
const MAILS_FROM_ADDRESS = 20;

export type Guess<T> =
  | { readonly kind: "checked"; readonly found: T | undefined }
  | { readonly kind: "too-many" };

/** A password that is asked of somebody unknown: counted by address, together with those that the API gets. */
export async function guessSignIn<T>(visit: Visit, check: () => Promise<T | undefined>): Promise<Guess<T>> {
  try {
    return { kind: "checked", found: await limitSignIns(visit.deps, visit.ip, check) };
  } catch (error) {
    if (error instanceof ApiError && error.status === 429) return { kind: "too-many" };
    throw error;
  }
}

/** A password or code that is asked once more of who is signed in: whoever borrowed the browser may try a few times. */
export async function guessSudo(
  visit: Visit,
  userId: number,
  check: () => Promise<Guess<true>>,
): Promise<Guess<true>> {
  // Counted before the check, so that guesses made at once do not all pass; a right one ends the asking anyway.
  const { allowed } = await visit.deps.counters.hit(`sudo ${userId}`, SUDO_FAILURES, QUARTER_HOUR);
  return allowed ? check() : { kind: "too-many" };
}

const DEVICES_OF_USER = 10;
const DEVICES_FROM_ADDRESS = 30;

/** @returns whether a device's code may be tried. Each is counted, as most of those that are tried are nobody's. */
export async function mayTryDevice({ deps, ip }: Visit, userId: number): Promise<boolean> {
  const buckets = [
    [`device of ${userId}`, DEVICES_OF_USER],
    [`device from ${networkOf(ip)}`, DEVICES_FROM_ADDRESS],
  ] as const;
  for (const [bucket, limit] of buckets) {
    if (!(await deps.counters.hit(bucket, limit, QUARTER_HOUR)).allowed) return false;
  }
  return true;
}

/** A code of a second factor: counted with those that the API gets. */
export async function guessCode(
  visit: Visit,
  userId: number,
  guess: Omit<CodeGuess, "ip">,
): Promise<Guess<true>> {
  try {
    const isRight = await checkCode(visit.deps, userId, { ip: visit.ip, ...guess });
    return { kind: "checked", found: isRight ? true : undefined };
  } catch (error) {
    if (error instanceof ApiError && error.status === 429) return { kind: "too-many" };
    throw error;
  }
}

/**
 * What costs a hash of a password and can be asked by anybody.
 * @returns whether this address has not asked too often
 */
export async function mayHash({ deps, ip }: Visit, kind: "sign-up" | "new-password"): Promise<boolean> {
  return (await deps.counters.hit(`${kind} ${networkOf(ip)}`, HASHES_FROM_ADDRESS, QUARTER_HOUR)).allowed;
}

/** Sends a mail unless too many were sent of late; nobody is told which, as that would tell about accounts. */
export async function limited(
  { deps, ip }: Visit,
  kind: string,
  account: string,
  send: () => Promise<void>,
): Promise<void> {
  const buckets = [
    [`${kind} from ${networkOf(ip)}`, MAILS_FROM_ADDRESS],
    [`${kind} to ${account.slice(0, 255)}`, MAILS_TO_ACCOUNT],
  ] as const;
  for (const [bucket, limit] of buckets) {
    if (!(await deps.counters.hit(bucket, limit, QUARTER_HOUR)).allowed) return;
  }
  await send();
}
