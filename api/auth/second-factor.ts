/** Whether somebody has the second factor of an account, and how often that may be tried. */
import { micros } from "../../schemas/time.ts";
import type { Transaction } from "../../store/postgres/pool.ts";
import { sealedTotpSecret, useRecoveryCode } from "../../store/queries/totp.ts";
import { forbidden, unauthorized } from "../http/errors.ts";
import { networkOf } from "../limits/address.ts";
import { limitFailures } from "../limits/failures.ts";
import type { ApiDependencies } from "../settings.ts";
import { hashRecoveryCode } from "./recovery-codes.ts";
import { seal, unseal } from "./sealed.ts";
import { isTotpCode } from "./totp.ts";

const MINUTE = 60_000;
const TOO_MANY = "Too many failed two-factor authentication attempts. Please try again later.";

const purposeOf = (userId: number) => `totp of user ${userId}`;

export function sealTotpSecret(
  { keySecret, random }: Pick<ApiDependencies, "keySecret" | "random">,
  userId: number,
  secret: Uint8Array,
): string {
  return seal(keySecret, purposeOf(userId), secret, random);
}

/** @returns undefined, and says so in the log, when it was sealed under another secret or was changed since. */
export function openTotpSecret(
  { keySecret, log }: Pick<ApiDependencies, "keySecret" | "log">,
  userId: number,
  sealed: string,
): Buffer | undefined {
  try {
    return unseal(keySecret, purposeOf(userId), sealed);
  } catch {
    log.error({ userId }, "the secret of a second factor does not open: was SKEP_KEY_SECRET changed?");
    return undefined;
  }
}

/** What is guessed, and from where. */
export interface CodeGuess {
  readonly ip: string;
  readonly code: string;
  /** Goes along with a recovery code being used up; absent: none is taken. */
  readonly recovery?: (tx: Transaction) => Promise<void>;
}

/**
 * @returns whether the code is right.
 * @throws ApiError 429 after too many wrong ones of the account or from the address
 */
export async function checkCode(deps: ApiDependencies, userId: number, guess: CodeGuess): Promise<boolean> {
  // A million codes, of which four are right at a time.
  const limits = [
    { bucket: `totp of ${userId}`, limit: 5, periodMilliseconds: 10 * MINUTE },
    { bucket: `totp from ${networkOf(guess.ip)}`, limit: 20, periodMilliseconds: 15 * MINUTE },
  ];
  const check = async () => ((await isRight(deps, userId, guess)) ? true : undefined);
  return (await limitFailures(deps, limits, check, TOO_MANY)) ?? false;
}

async function isRight(
  deps: ApiDependencies,
  userId: number,
  { code, recovery }: CodeGuess,
): Promise<boolean> {
  const sealed = await sealedTotpSecret(deps.sql, userId);
  if (sealed === undefined) return false;
  const now = deps.clock().getTime();
  const secret = openTotpSecret(deps, userId, sealed);
  if (secret !== undefined && isTotpCode(secret, code, Math.floor(now / 1000))) return true;
  if (recovery === undefined) return false;
  return deps.sql.begin(async (tx) => {
    if (!(await useRecoveryCode(tx, userId, hashRecoveryCode(code), micros(now * 1000)))) return false;
    await recovery(tx);
    return true;
  });
}

/**
 * What writing with an access token needs beside the token: a code of the authenticator, with each request.
 * @param code of the request; undefined when it carries none
 * @throws ApiError 403 for a user without a second factor, 401 without a right code, 429
 */
export async function requireCode(
  deps: ApiDependencies,
  user: { readonly id: number; readonly hasTotp: boolean },
  ip: string,
  code: string | undefined,
): Promise<void> {
  if (!user.hasTotp) throw forbidden("Two-factor authentication must be enabled for API write access");
  if (code === undefined || code === "") {
    throw unauthorized(
      "Two-factor authentication required. Include X-Hex-OTP header with your TOTP code.",
      'Bearer realm="hex", error="totp_required"',
    );
  }
  if (!(await checkCode(deps, user.id, { ip, code }))) {
    throw unauthorized("Invalid two-factor authentication code", 'Bearer realm="hex", error="invalid_totp"');
  }
}
