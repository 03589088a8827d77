/**
 * One gzip member from pieces that were deflated one by one, so that a change deflates only the pieces that it
 * touches (RFC 1951, RFC 1952). A piece ends at a byte, by an empty stored block, and may refer back into the piece in
 * front of it, whose end is its dictionary.
 */
import { constants, crc32, deflateRaw } from "node:zlib";
import { combineCrc32, crcShift } from "./crc32.ts";
import { GZIP_HEADER } from "./gzip.ts";

/** As far back as deflate can refer. */
export const WINDOW_BYTES = 32_768;

// The cheapest with which pieces of 48 KiB and more, each with tables and 5 bytes of end, are together no larger than
// `gzip -6` of the whole: the larger buffers make up for the tables, the level for the rest.
const PIECE_OPTIONS = { level: 7, memLevel: 9 } as const;

/** Bytes before they are deflated, with what their part in the whole CRC is. */
export interface PieceSource {
  readonly bytes: Uint8Array;
  readonly crc: number;
  /** {@link crcShift} of their length. */
  readonly shift: number;
}

/**
 * @param previous what stands in front, of which the last 32 KiB may be referred to
 * @returns a part of a deflate stream that is not its last.
 */
export function deflatePiece(
  bytes: Uint8Array,
  previous: Uint8Array | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const dictionary = previous?.subarray(-WINDOW_BYTES);
  const options = {
    ...PIECE_OPTIONS,
    ...(dictionary === undefined ? {} : { dictionary }),
    finishFlush: constants.Z_SYNC_FLUSH,
  };
  return new Promise((resolve, reject) => {
    deflateRaw(bytes, options, (error, deflated) => (error ? reject(error) : resolve(deflated)));
  });
}

/** @returns a part of a deflate stream that holds up to 65,535 bytes as they are (RFC 1951, 3.2.4). */
function storedPiece(bytes: Uint8Array, last: boolean): Uint8Array {
  const piece = Buffer.alloc(5 + bytes.length);
  piece.writeUInt8(last ? 1 : 0);
  piece.writeUInt16LE(bytes.length, 1);
  piece.writeUInt16LE(0xffff ^ bytes.length, 3);
  piece.set(bytes, 5);
  return piece;
}

/**
 * @param head at most 65,535 bytes, stored as they are: what changes each time
 * @param sources the bytes behind it, with the piece of each
 * @param tail at most 65,535 bytes, likewise
 * @returns one gzip member of all of it.
 */
export function gzipOfPieces(
  head: Uint8Array,
  sources: readonly { readonly source: PieceSource; readonly piece: Uint8Array }[],
  tail: Uint8Array,
): Uint8Array {
  let crc = crc32(head);
  let length = head.length + tail.length;
  for (const { source } of sources) {
    crc = combineCrc32(crc, source.crc, source.shift);
    length += source.bytes.length;
  }
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(combineCrc32(crc, crc32(tail), crcShift(tail.length)));
  trailer.writeUInt32LE(length % 2 ** 32, 4);
  return Buffer.concat([
    GZIP_HEADER,
    storedPiece(head, false),
    ...sources.map(({ piece }) => piece),
    storedPiece(tail, true),
    trailer,
  ]);
}
