/**
 * Which entries of the log are reported: those that say that something failed and bring the error along. What has no
 * error is a finding, and what passes by itself is an outage; metrics tell of both.
 */
import { hasCode } from "../../schemas/errors.ts";
import { isReadOnly, isUnavailable } from "../../store/postgres/pool.ts";
import type { ErrorReporter } from "./reporter.ts";

/** Of pino. */
const ERROR = 50;
const FATAL = 60;

/**
 * @param level of pino
 * @param fields what was logged beside the message
 */
export function reportEntry(reporter: ErrorReporter, level: number, fields: unknown, message: unknown): void {
  if (level < ERROR || typeof fields !== "object" || fields === null) return;
  const { err: error, requestId } = fields as { readonly err?: unknown; readonly requestId?: unknown };
  if (error === undefined || isOutage(error, requestId !== undefined)) return;
  reporter.report({
    error,
    message: String(message),
    level: level >= FATAL ? "fatal" : "error",
    requestId: typeof requestId === "string" ? requestId : undefined,
  });
}

/** @param inRequest then a client was told to come again, as the API does while something is away */
function isOutage(error: unknown, inRequest: boolean): boolean {
  // Another generator was faster, which is what several are for.
  if (hasCode(error, "lease_lost")) return true;
  if (!inRequest) return false;
  const status = error instanceof Error && "status" in error ? error.status : undefined;
  return (
    status === 503 ||
    isUnavailable(error) ||
    isReadOnly(error) ||
    hasCode(error, "database_unavailable", "store_unavailable")
  );
}
