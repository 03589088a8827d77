/**
 * The answer to one request for an object, as data. What an object is served with is computed from its key,
 * not read from its metadata: a store that lost that serves the right headers all the same.
 *
 * Never a Content-Encoding, although registry files are gzip: clients check signatures over the stored bytes,
 * and some undo an encoding twice.
 */
import { objectHeaders, type RepositoryRef } from "../hex/keys.ts";
import { hasCode } from "../schemas/errors.ts";
import type { ObjectHead } from "../store/objects/store.ts";
import { isNotModified, type RequestHeader, requestedRange } from "./conditional.ts";
import type { RequestedObject } from "./path.ts";
import type { EdgeReader } from "./reader.ts";

export interface EdgeAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array | string | null;
}

export interface AnswerRules {
  readonly repository: RepositoryRef;
  /** For a CDN in front, which takes them off. */
  readonly surrogateHeaders: boolean;
}

/** Who may read could not be found out. */
export class ReadersError extends Error {
  override readonly name = "ReadersError";
}

const NO_ANSWER_SECONDS = "5";

/** @throws what the store throws. */
export async function answerRequest(
  reader: Pick<EdgeReader, "head" | "body">,
  rules: AnswerRules,
  method: "GET" | "HEAD",
  requested: RequestedObject,
  header: RequestHeader,
): Promise<EdgeAnswer> {
  const head = await reader.head(requested.key);
  if (head === undefined) return failure(404, "not found");
  if (isNotModified(header, head))
    return { status: 304, headers: objectHeadersOf(rules, requested, head), body: null };
  if (method === "HEAD") {
    const headers = objectHeadersOf(rules, requested, head);
    headers["content-length"] = String(head.size);
    return { status: 200, headers, body: null };
  }
  const object = await reader.body(requested.key, head);
  if (object === undefined) return failure(404, "not found");
  return withBody(objectHeadersOf(rules, requested, object), object.etag, object.body, header);
}

function withBody(
  headers: Record<string, string>,
  etag: string,
  body: Uint8Array,
  header: RequestHeader,
): EdgeAnswer {
  const size = body.length;
  const range = requestedRange(header, { etag }, size);
  if (range === "unsatisfiable") return failure(416, "no such range", { "content-range": `bytes */${size}` });
  if (range === undefined) {
    headers["content-length"] = String(size);
    return { status: 200, headers, body };
  }
  const part = body.subarray(range.first, range.last + 1);
  headers["content-length"] = String(part.length);
  headers["content-range"] = `bytes ${range.first}-${range.last}/${size}`;
  return { status: 206, headers, body: part };
}

function objectHeadersOf(
  rules: AnswerRules,
  { object }: RequestedObject,
  { etag, lastModified }: ObjectHead,
): Record<string, string> {
  const own = objectHeaders(rules.repository, object);
  const headers: Record<string, string> = {
    "content-type": own.contentType,
    "cache-control": own.cacheControl,
    etag: `"${etag}"`,
    "last-modified": lastModified.toUTCString(),
    "accept-ranges": "bytes",
    "x-content-type-options": "nosniff",
  };
  if (rules.surrogateHeaders) {
    headers["surrogate-key"] = own.surrogateKey;
    headers["surrogate-control"] = own.surrogateControl;
  }
  return headers;
}

/**
 * No cache may keep it: a kept 404 carries no surrogate key, so nothing could purge it, and it would hide a
 * package that is published a moment later.
 */
export function failure(status: number, text: string, more: Record<string, string> = {}): EdgeAnswer {
  const body = `${text}\n`;
  const headers = {
    "content-type": "text/plain; charset=utf-8",
    "content-length": String(body.length),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...more,
  };
  return { status, headers, body };
}

/** @returns 404 for a key that the store will not touch, otherwise 503: the request may be sent again. */
export function failureOf(error: unknown): EdgeAnswer {
  if (hasCode(error, "store_key_invalid")) return failure(404, "not found");
  if (error instanceof ReadersError) {
    return failure(503, "temporarily unavailable, try again", { "retry-after": NO_ANSWER_SECONDS });
  }
  return failure(503, "the object store does not answer", { "retry-after": NO_ANSWER_SECONDS });
}
