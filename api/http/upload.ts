/**
 * Uploads: read in pieces, each within its time, up to a hard stop. With `Expect: 100-continue` nothing is
 * read before the request is authorised.
 */
import type { ServerResponse } from "node:http";
import type { ByteLease } from "./budget.ts";
import { type Collected, collectBody } from "./collect.ts";
import { ApiError, invalid } from "./errors.ts";

/** Beyond this nothing is read. */
export const UPLOAD_STOP_BYTES = 20 << 20;
/** Beyond this an upload is not judged. */
export const UPLOAD_BYTES = 16 << 20;

export interface UploadRequest {
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | null;
  /** The response of node's server, which can tell the client to go on; absent under tests without a socket. */
  readonly outgoing: Pick<ServerResponse, "writeContinue"> | undefined;
  readonly pieceMilliseconds: number;
  readonly lease: ByteLease;
}

/** RFC 9110, 10.1.1: in any case. Node leaves the continue to us for each of these. */
export function expectsContinue(headers: Headers): boolean {
  return headers.get("expect")?.toLowerCase() === "100-continue";
}

/**
 * What a client that waits for `100 Continue` announces, judged before it sends a byte.
 * @throws ApiError 411 without a Content-Length, 422 for one that is too large.
 */
export function judgeAnnouncement(headers: Headers): void {
  if (!expectsContinue(headers)) return;
  const length = headers.get("content-length");
  if (length === null || !/^\d+$/.test(length)) throw new ApiError(411);
  if (Number(length) > UPLOAD_BYTES) throw invalid({ tar: "too big" });
}

// Zeros that are never written are no memory.
const OVERSIZED = Buffer.alloc(UPLOAD_BYTES + 1);

/**
 * @returns the body; in place of one that is too large to be judged, zeros that are too large as well.
 * @throws ApiError 408 when a piece takes too long, 413 beyond the hard stop.
 */
export async function readUpload(request: UploadRequest): Promise<Buffer> {
  const { size, bytes } = await collect(request, UPLOAD_STOP_BYTES, UPLOAD_BYTES);
  return size > UPLOAD_BYTES ? OVERSIZED : bytes;
}

/** @throws ApiError 408 when a piece takes too long, 413 beyond the most. */
export async function readBody(request: UploadRequest, mostBytes: number): Promise<Buffer> {
  return (await collect(request, mostBytes, mostBytes)).bytes;
}

function collect(request: UploadRequest, mostBytes: number, keptBytes: number): Promise<Collected> {
  if (expectsContinue(request.headers)) request.outgoing?.writeContinue();
  return collectBody(request.body, request.headers.get("content-length"), {
    mostBytes,
    keptBytes,
    pieceMilliseconds: request.pieceMilliseconds,
    lease: request.lease,
  });
}
