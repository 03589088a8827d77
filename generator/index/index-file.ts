/** `names` or `versions` as chunks, each with its deflate piece once it was needed. Nothing but these is ever added. */

import { gzipOneMember } from "../../proto/gzip.ts";
import { deflatePiece, gzipOfPieces, WINDOW_BYTES } from "../../proto/gzip-pieces.ts";
import { signedFrame, wrapSigned } from "../../proto/sign.ts";
import { inParallel } from "../parallel.ts";
import type { Chunk, ChunkList } from "./chunks.ts";

/** A chunk's deflate piece, with the chunk whose end was its dictionary. */
interface Piece {
  readonly bytes: Uint8Array;
  readonly previous: Chunk | undefined;
}

// Below this the ends of pieces weigh more than the level gains.
const LEAST_IN_PIECES = 262_144;
// As many as libuv has threads.
const PIECES_AT_ONCE = 4;

export class IndexFile {
  readonly #list: ChunkList;
  readonly #inPieces: boolean;
  readonly #pieces = new Map<Chunk, Piece>();

  /** @param earlier a file some of whose chunks may be the same: their pieces are taken over */
  constructor(list: ChunkList, earlier?: IndexFile) {
    this.#list = list;
    this.#inPieces = list.byteLength >= LEAST_IN_PIECES;
    if (earlier === undefined) return;
    for (const [index, chunk] of list.chunks.entries()) {
      const piece = earlier.#pieces.get(chunk);
      const previous = list.chunks[index - 1];
      if (piece !== undefined && isSameWindow(piece.previous, previous)) {
        this.#pieces.set(chunk, { bytes: piece.bytes, previous });
      }
    }
  }

  /** @param changes as for {@link ChunkList.with} */
  with(changes: ReadonlyMap<string, Uint8Array | undefined>): IndexFile {
    return changes.size === 0 ? this : new IndexFile(this.#list.with(changes), this);
  }

  /** @param end what stands behind the packages */
  payload(end: Uint8Array): Uint8Array {
    return Buffer.concat([...this.#list.chunks.map(({ bytes }) => bytes), end]);
  }

  /** Deflates what was not deflated yet, so that {@link gzip} need not. */
  async deflate(): Promise<void> {
    if (!this.#inPieces) return;
    const { chunks } = this.#list;
    await inParallel(PIECES_AT_ONCE, chunks.entries(), async ([index, chunk]) => {
      if (this.#pieces.has(chunk)) return;
      const previous = chunks[index - 1];
      const bytes = await deflatePiece(chunk.bytes, previous?.bytes);
      this.#pieces.set(chunk, { bytes, previous });
    });
  }

  /**
   * @param payload as {@link payload} gave it with this end
   * @returns the file as it is stored and served.
   */
  async gzip(payload: Uint8Array, end: Uint8Array, signature: Uint8Array): Promise<Uint8Array> {
    if (!this.#inPieces) return gzipOneMember(wrapSigned(payload, signature));
    await this.deflate();
    const { head, tail } = signedFrame(payload.length, signature);
    const pieces = this.#list.chunks.map((source) => {
      const piece = this.#pieces.get(source);
      if (piece === undefined) throw new TypeError("a chunk without its piece");
      return { source, piece: piece.bytes };
    });
    return gzipOfPieces(head, pieces, Buffer.concat([end, tail]));
  }
}

function isSameWindow(a: Chunk | undefined, b: Chunk | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a === b || Buffer.compare(a.bytes.subarray(-WINDOW_BYTES), b.bytes.subarray(-WINDOW_BYTES)) === 0;
}
