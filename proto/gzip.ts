/**
 * Registry files are one gzip member (RFC 1952) and nothing behind it: gleam stops after the first member,
 * and mix fails on trailing bytes.
 */
import { crc32, gzipSync, inflateRawSync } from "node:zlib";
import { ProtoError } from "./errors.ts";

/** Of every member that we write, on every platform: no time, no flags, OS "Unix". */
export const GZIP_HEADER: Uint8Array = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3);
const HEADER_BYTES = GZIP_HEADER.length;
const TRAILER_BYTES = 8;
const FLAGS = { text: 1, headerCrc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;

/**
 * @param level of deflate, 1 to 9
 * @returns one member, behind {@link GZIP_HEADER}.
 */
export function gzipOneMember(bytes: Uint8Array, level = 6): Uint8Array {
  const member = gzipSync(bytes, { level });
  member.set(GZIP_HEADER);
  return member;
}

/**
 * @param maxOutput bytes that the contents may have at most
 * @throws {ProtoError} `gzip_malformed`, `gzip_trailing`, `gzip_too_large`
 */
export function gunzipOneMember(bytes: Uint8Array, maxOutput: number): Uint8Array {
  const start = headerLength(bytes);
  const { buffer, consumed } = inflate(bytes.subarray(start), maxOutput);
  const end = start + consumed + TRAILER_BYTES;
  if (bytes.length < end) throw new ProtoError("gzip_malformed", "gzip: the trailer is cut off");
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + start + consumed, TRAILER_BYTES);
  if (trailer.getUint32(0, true) !== crc32(buffer))
    throw new ProtoError("gzip_malformed", "gzip: wrong CRC-32");
  if (trailer.getUint32(4, true) !== buffer.length % 2 ** 32) {
    throw new ProtoError("gzip_malformed", "gzip: wrong length");
  }
  if (bytes.length > end) {
    throw new ProtoError("gzip_trailing", `gzip: ${bytes.length - end} bytes behind the first member`);
  }
  return buffer;
}

function inflate(
  bytes: Uint8Array,
  maxOutput: number,
): { readonly buffer: Buffer; readonly consumed: number } {
  try {
    const result: unknown = inflateRawSync(bytes, { maxOutputLength: maxOutput, info: true });
    const { buffer, engine } = result as { buffer: Buffer; engine: { bytesWritten: number } };
    return { buffer, consumed: engine.bytesWritten };
  } catch (cause) {
    const tooLarge = (cause as { code?: string }).code === "ERR_BUFFER_TOO_LARGE";
    if (tooLarge)
      throw new ProtoError("gzip_too_large", `gzip: more than ${maxOutput} bytes inside`, { cause });
    throw new ProtoError("gzip_malformed", "gzip: the deflate stream is broken", { cause });
  }
}

function headerLength(bytes: Uint8Array): number {
  if (
    bytes.length < HEADER_BYTES + TRAILER_BYTES ||
    bytes[0] !== 0x1f ||
    bytes[1] !== 0x8b ||
    bytes[2] !== 8
  ) {
    throw new ProtoError("gzip_malformed", "gzip: not a gzip member");
  }
  const flags = bytes[3] ?? 0;
  if (flags & FLAGS.reserved) throw new ProtoError("gzip_malformed", "gzip: reserved flags are set");
  let at = HEADER_BYTES;
  if (flags & FLAGS.extra) at += 2 + (bytes[at] ?? 0) + (bytes[at + 1] ?? 0) * 256;
  for (const flag of [FLAGS.name, FLAGS.comment]) {
    if ((flags & flag) === 0) continue;
    const zero = bytes.indexOf(0, at);
    if (zero < 0) throw new ProtoError("gzip_malformed", "gzip: the header is cut off");
    at = zero + 1;
  }
  const end = flags & FLAGS.headerCrc ? at + 2 : at;
  if (end + TRAILER_BYTES > bytes.length)
    throw new ProtoError("gzip_malformed", "gzip: the header is cut off");
  if (end > at) checkHeaderCrc(bytes, at);
  return end;
}

// Its lower half (RFC 1952, 2.3.1); zlib checks it, so clients do.
function checkHeaderCrc(bytes: Uint8Array, at: number): void {
  const given = (bytes[at] ?? 0) + (bytes[at + 1] ?? 0) * 256;
  if ((crc32(bytes.subarray(0, at)) & 0xffff) === given) return;
  throw new ProtoError("gzip_malformed", "gzip: wrong CRC-16 of the header");
}
