/** Bounds how many passwords an address may guess. Every way to sign in counts together. */
import type { ApiDependencies } from "../settings.ts";
import { networkOf } from "./address.ts";
import { limitFailures } from "./failures.ts";

const QUARTER_HOUR = 900_000;

export type SignInDependencies = Pick<ApiDependencies, "clock" | "counters" | "settings">;

/**
 * Checks a credential and counts its failure. By address and not by account, or anybody could keep somebody else
 * from signing in.
 * @param check gives undefined for a wrong credential
 * @throws ApiError 429 after too many failures
 */
export async function limitSignIns<T>(
  deps: SignInDependencies,
  address: string,
  check: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const limit = deps.settings.limits.signInFailures;
  if (limit === 0) return check();
  const bucket = { bucket: `sign-in ${networkOf(address)}`, limit, periodMilliseconds: QUARTER_HOUR };
  return limitFailures(deps, [bucket], check, "Too many failed sign-in attempts. Please try again later.");
}
