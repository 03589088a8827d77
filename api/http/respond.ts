/** Answers and errors as HTTP: the one place that makes a Response of either. */
import { hasCode } from "../../schemas/errors.ts";
import type { Micros } from "../../schemas/time.ts";
import { isReadOnly, isUnavailable } from "../../store/postgres/pool.ts";
import type { Answer } from "../call.ts";
import { readOnlyError } from "../read-only.ts";
import type { Route } from "../route.ts";
import type { ApiLog } from "../settings.ts";
import { ApiError, unavailable } from "./errors.ts";
import { contentType, type Format, Rendered, render } from "./format.ts";

export interface AnswerContext {
  readonly request: Request;
  readonly route: Route;
  readonly format: Format;
}

/** @returns the answer, or 304 where the client has it already. */
export function respond(answer: Answer, { request, route, format }: AnswerContext): Response {
  const cache = answer.cache ?? route.cache;
  const headers = new Headers({ vary: "accept, accept-encoding", ...answer.headers });
  if (answer.body === undefined) {
    if (cache) headers.set("cache-control", `${cache}, max-age=60`);
    return new Response(null, { status: answer.status, headers });
  }
  headers.set("content-type", contentType(format));
  const isConditional = route.conditional === true && answer.status === 200;
  const rendered = asRendered(answer.body, format, isConditional);
  if (isConditional && rendered !== undefined) {
    const { etag } = rendered;
    // Bare, as clients know it.
    headers.set("etag", etag);
    const { lastModified } = answer;
    if (lastModified !== undefined) headers.set("last-modified", httpDate(lastModified));
    if (isKnown(request.headers, etag, lastModified)) return new Response(null, { status: 304, headers });
  }
  if (cache) headers.set("cache-control", `${cache}, max-age=60`);
  const body = rendered?.body ?? render(format, answer.body);
  return new Response(body, { status: answer.status, headers });
}

/** @returns the body with its ETag; undefined where nobody asks for one, as it costs a hash and often a second form. */
function asRendered(body: unknown, format: Format, isConditional: boolean): Rendered | undefined {
  if (body instanceof Rendered) return body;
  return isConditional ? new Rendered(format, body) : undefined;
}

/**
 * Whether the client has what would be sent. Where it asks by both ETag and time, neither may say otherwise: unlike
 * RFC 9110, which lets the ETag overrule the time, but as Hex's API has always done it.
 */
function isKnown(headers: Headers, etag: string, lastModified: Micros | undefined): boolean {
  const tags = headers.get("if-none-match");
  const since = Date.parse(headers.get("if-modified-since") ?? "");
  const byTag = tags === null ? undefined : matches(tags, etag);
  const byTime =
    Number.isNaN(since) || lastModified === undefined
      ? undefined
      : Math.floor(lastModified / 1_000_000) <= Math.floor(since / 1_000);
  return byTag !== false && byTime !== false && (byTag ?? byTime ?? false);
}

function matches(header: string, etag: string): boolean {
  return header.split(",").some((item) => item.trim() === "*" || item.trim() === etag);
}

function httpDate(at: Micros): string {
  return new Date(Math.floor(at / 1000)).toUTCString();
}

/** @returns the error as its client may see it; what is hidden there is logged. */
export function respondError(error: unknown, format: Format, log: ApiLog, requestId: string): Response {
  const shown = asApiError(error);
  if (shown.status >= 500) log.error({ requestId, err: error }, "request failed");
  const body = {
    status: shown.status,
    message: shown.text,
    ...(shown.errors === undefined ? {} : { errors: shown.errors }),
  };
  const headers = new Headers({
    vary: "accept, accept-encoding",
    ...shown.headers,
    "content-type": contentType(format),
  });
  return new Response(render(format, body), { status: shown.status, headers });
}

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (isUnavailable(error) || hasCode(error, "database_unavailable", "store_unavailable")) {
    return unavailable("temporarily unavailable, try again", error);
  }
  if (isReadOnly(error)) return readOnlyError(undefined, error);
  return new ApiError(500, undefined, { cause: error });
}
