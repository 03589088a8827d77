/**
 * A file that is exactly one gzip member (RFC 1952). Readers differ on a second member and on bytes
 * behind the last one: some read on, some stop, some fail. So neither may be there.
 */
import { crc32, createInflateRaw } from "node:zlib";

export type GzipErrorCode = "not_gzip" | "truncated" | "corrupt" | "too_big" | "members" | "trailing";

/** Thrown by {@link inflateMember}. */
export class GzipError extends Error {
  readonly code: GzipErrorCode;

  constructor(code: GzipErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "GzipError";
    this.code = code;
  }
}

const CHUNK_BYTES = 65_536;
const TRAILER_BYTES = 8;

/**
 * Inflates in chunks, and gives way to other work between them; no more than a few chunks are held.
 * @param maxBytes how much it may inflate to; reading stops there
 * @param onChunk takes the chunks in order; what it throws ends the reading
 * @throws {GzipError}
 */
export async function inflateMember(
  bytes: Buffer,
  maxBytes: number,
  onChunk: (chunk: Buffer) => void,
): Promise<void> {
  const deflated = bytes.subarray(headerLength(bytes));
  const inflate = createInflateRaw({ chunkSize: CHUNK_BYTES });
  inflate.end(deflated);
  let crc = 0;
  let size = 0;
  try {
    for await (const piece of inflate) {
      const chunk: Buffer = piece;
      size += chunk.length;
      if (size > maxBytes) throw new GzipError("too_big", `inflates to more than ${maxBytes} bytes`);
      crc = crc32(chunk, crc);
      onChunk(chunk);
    }
  } catch (error) {
    throw zlibError(error);
  }
  checkTrailer(deflated.subarray(inflate.bytesWritten), crc, size);
}

function zlibError(error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "Z_BUF_ERROR") return truncated();
  if (code === "Z_DATA_ERROR") return new GzipError("corrupt", "the gzip data is corrupt", { cause: error });
  return error;
}

function checkTrailer(rest: Buffer, crc: number, size: number): void {
  if (rest.length < TRAILER_BYTES) throw truncated();
  if (rest.readUInt32LE(0) !== crc || rest.readUInt32LE(4) !== size) {
    throw new GzipError("corrupt", "the gzip data is corrupt");
  }
  if (rest.length === TRAILER_BYTES) return;
  if (isMagic(rest.subarray(TRAILER_BYTES))) throw new GzipError("members", "more than one gzip member");
  throw new GzipError("trailing", "trailing bytes after the gzip data");
}

const FLAG = { headerCrc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;

/** @returns where the deflated data begin. */
function headerLength(bytes: Buffer): number {
  if (bytes.length === 0) throw truncated();
  const flags = bytes[3] ?? 0;
  if (!isMagic(bytes) || bytes[2] !== 8 || flags & FLAG.reserved) {
    throw new GzipError("not_gzip", "not in gzip format");
  }
  let at = 10;
  if (flags & FLAG.extra) at += 2 + (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0);
  if (flags & FLAG.name) at = afterNul(bytes, at);
  if (flags & FLAG.comment) at = afterNul(bytes, at);
  if (flags & FLAG.headerCrc) at += 2;
  if (at > bytes.length) throw truncated();
  return at;
}

function afterNul(bytes: Buffer, start: number): number {
  const nul = bytes.indexOf(0, start);
  if (nul === -1) throw truncated();
  return nul + 1;
}

function isMagic(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function truncated(): GzipError {
  return new GzipError("truncated", "Unexpected end of file");
}
