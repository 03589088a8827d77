/** How a command ends, for scripts. */
import { type ErrorCode, SkepError } from "../schemas/errors.ts";

export const EXIT = {
  ok: 0,
  /** The command did its work and found problems, or could not do its work. */
  failed: 1,
  /** Arguments or configuration are wrong: the same call will fail again. */
  usage: 2,
  /** Postgres, a store or a server cannot be reached: the same call may succeed later. */
  unreachable: 3,
  /** Stopped by a second ^C, before it had ended what it had begun. */
  interrupted: 130,
} as const;

export const EXIT_HELP = `
Exit codes: 0 done, 1 problems found or failed, 2 wrong arguments or configuration,
3 Postgres, store or server not reachable.`;

const BY_CODE: Partial<Record<ErrorCode, number>> = {
  config_invalid: EXIT.usage,
  usage: EXIT.usage,
  signing_key_invalid: EXIT.usage,
  database_unavailable: EXIT.unreachable,
  database_outdated: EXIT.unreachable,
  database_newer: EXIT.unreachable,
  store_unavailable: EXIT.unreachable,
  store_unconditional: EXIT.unreachable,
};

export function exitCodeOf(error: unknown): number {
  return error instanceof SkepError ? (BY_CODE[error.code] ?? EXIT.failed) : EXIT.failed;
}
