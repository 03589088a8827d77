/**
 * Why a CDN did not do what it was asked, in words that hold no secret. Errors of HTTP clients carry the
 * request's headers, and with them the token, so nothing of such an error but its code gets any further.
 */

export interface Refusal {
  /** For a message: `HTTP 401`, `ECONNREFUSED`. */
  readonly reason: string;
  /** Whether the same request may succeed later. */
  readonly again: boolean;
  /** The least to wait before that, in milliseconds, when the CDN said so. */
  readonly afterMs?: number;
}

/**
 * @param retryAfter the Retry-After header, if any
 * @param now for a Retry-After that is a date
 */
export function refusalOfStatus(status: number, retryAfter: string | null | undefined, now: Date): Refusal {
  const afterMs = retryAfterMs(retryAfter ?? "", now);
  return {
    reason: `HTTP ${status}`,
    again: status === 408 || status === 429 || status >= 500,
    ...(afterMs === undefined ? {} : { afterMs }),
  };
}

/** For a request that got no answer, or none in time. */
export function refusalOfError(error: unknown): Refusal {
  return { reason: errorCode(error) ?? "no answer", again: true };
}

/** Delay or date (RFC 9110, 10.2.3). @returns milliseconds, at least 0; undefined for anything else. */
export function retryAfterMs(value: string, now: Date): number | undefined {
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const date = /^[A-Z][a-z]{2}, .* GMT$/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now.getTime());
}

// `fetch` wraps the error that names the cause, and for some hosts that is one of several.
function errorCode(error: unknown, depth = 0): string | undefined {
  if (!(error instanceof Error) || depth > 3) return undefined;
  if (error.name === "TimeoutError") return "no answer in time";
  if ("code" in error && typeof error.code === "string" && /^[A-Z][A-Z0-9_]+$/.test(error.code)) {
    return error.code;
  }
  return errorCode(error.cause, depth + 1);
}
