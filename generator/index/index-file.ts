/**
 * `names` or `versions` as chunks, with what was once worked out of them: deflate pieces, and hashes up to each. The
 * packages never change.
 */

import { gzipOneMember } from "../../proto/gzip.ts";
import { deflatePiece, gzipOfPieces, WINDOW_BYTES } from "../../proto/gzip-pieces.ts";
import { PrefixHash } from "../../proto/prefix-hash.ts";
import { signedFrame, wrapSigned } from "../../proto/sign.ts";
import type { Signer } from "../../proto/signer.ts";
import { inParallel } from "../parallel.ts";
import type { Chunk, ChunkList } from "./chunks.ts";

/** A chunk's deflate piece, with the chunk whose end was its dictionary. */
interface Piece {
  readonly bytes: Uint8Array;
  readonly previous: Chunk | undefined;
}

// Below this the ends of pieces weigh more than their level and their buffers gain.
const LEAST_IN_PIECES = 262_144;
// As many as libuv has threads.
const PIECES_AT_ONCE = 4;

export class IndexFile {
  readonly #list: ChunkList;
  readonly #pieces = new Map<Chunk, Piece>();
  #deflated: Promise<void> | undefined;
  readonly #sha256: PrefixHash;
  readonly #sha512: PrefixHash;

  /** @param earlier a file some of whose chunks may be the same: what was worked out of them is taken over */
  constructor(list: ChunkList, earlier?: IndexFile) {
    this.#list = list;
    const parts = list.chunks.map(({ bytes }) => bytes);
    if (earlier === undefined) {
      this.#sha256 = new PrefixHash("sha256", parts);
      this.#sha512 = new PrefixHash("sha512", parts);
      return;
    }
    this.#sha256 = new PrefixHash("sha256", parts, earlier.#sha256);
    this.#sha512 = new PrefixHash("sha512", parts, earlier.#sha512);
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

  /** @returns the SHA-256 of {@link payload}. */
  payloadHash(end: Uint8Array): Buffer {
    return this.#sha256.digest(end);
  }

  /** Deflates what was not deflated yet, in the thread pool, so that {@link signedFile} need not. */
  deflate(): Promise<void> {
    this.#deflated ??= this.#deflateChunks();
    return this.#deflated;
  }

  async #deflateChunks(): Promise<void> {
    if (!this.#isInPieces) return;
    const { chunks } = this.#list;
    await inParallel(PIECES_AT_ONCE, chunks.entries(), async ([index, chunk]) => {
      if (this.#pieces.has(chunk)) return;
      const previous = chunks[index - 1];
      const bytes = await deflatePiece(chunk.bytes, previous?.bytes);
      this.#pieces.set(chunk, { bytes, previous });
    });
  }

  /** @returns the file as it is stored and served. */
  async signedFile(end: Uint8Array, signer: Signer): Promise<Uint8Array> {
    const deflated = this.deflate();
    // Meanwhile this thread goes through the payload.
    const [signature] = await Promise.all([this.#sign(end, signer), deflated]);
    if (!this.#isInPieces) return gzipOneMember(wrapSigned(this.payload(end), signature));
    const { head, tail } = signedFrame(this.#list.byteLength + end.length, signature);
    const pieces = this.#list.chunks.map((source) => {
      const piece = this.#pieces.get(source);
      if (piece === undefined) throw new TypeError("a chunk without its piece");
      return { source, piece: piece.bytes };
    });
    return gzipOfPieces(head, pieces, Buffer.concat([end, tail]));
  }

  get #isInPieces(): boolean {
    return this.#list.byteLength >= LEAST_IN_PIECES;
  }

  async #sign(end: Uint8Array, signer: Signer): Promise<Uint8Array> {
    if (signer.signDigest === undefined) return signer.sign(this.payload(end));
    return signer.signDigest(this.#sha512.digest(end));
  }
}

function isSameWindow(a: Chunk | undefined, b: Chunk | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a === b || Buffer.compare(a.bytes.subarray(-WINDOW_BYTES), b.bytes.subarray(-WINDOW_BYTES)) === 0;
}
