/**
 * A list of packages in the byte order of their names, each with its bytes, cut into chunks. Where it is cut follows
 * from the names and bytes alone, so two lists of the same packages are cut alike, whatever was done to them before; and
 * behind a change the cuts fall together again soon, so that most chunks stay what they were. Nothing here is changed
 * once it is made.
 */
import { crc32 } from "node:zlib";
import { type CrcShift, crcShift } from "../../proto/crc32.ts";
import { compareText } from "../build/order.ts";

export interface Chunk {
  /** At least one. */
  readonly names: readonly string[];
  /** Where the bytes of each of them end. */
  readonly ends: readonly number[];
  readonly bytes: Uint8Array;
  readonly crc: number;
  readonly shift: CrcShift;
}

// No less than deflate's window, so that the next chunk misses nothing, and than one block of deflate holds. The most is
// for names that somebody has chosen so that none of them ends a chunk.
const LEAST_BYTES = 49_152;
const MOST_BYTES = 262_144;

/** @param every a chunk ends at one of so many names, from its least size on */
export function emptyChunks(every: number): ChunkList {
  return new ChunkList(every, []);
}

export class ChunkList {
  readonly chunks: readonly Chunk[];
  readonly #every: number;

  constructor(every: number, chunks: readonly Chunk[]) {
    this.#every = every;
    this.chunks = chunks;
  }

  get byteLength(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0);
  }

  /**
   * @param changes by package: its bytes, or undefined for one that is no longer there
   * @returns the list with the changes. Chunks that stay as they were are the same objects.
   */
  with(changes: ReadonlyMap<string, Uint8Array | undefined>): ChunkList {
    if (changes.size === 0) return this;
    const names = [...changes.keys()].sort(compareText);
    const builder = new ChunkBuilder(this.#every);
    let next = 0;
    for (const [index, chunk] of this.chunks.entries()) {
      const from = next;
      const last = chunk.names.at(-1) ?? "";
      // What comes behind all others belongs to the last chunk, which may go on.
      if (index === this.chunks.length - 1) next = names.length;
      while (next < names.length && (names[next] ?? "") <= last) next += 1;
      const here = names.slice(from, next);
      if (here.length === 0 && builder.isBetweenChunks) builder.addChunk(chunk);
      else for (const [name, bytes] of merged(chunk, here, changes)) builder.add(name, bytes);
    }
    for (const name of names.slice(next)) {
      const bytes = changes.get(name);
      if (bytes !== undefined) builder.add(name, bytes);
    }
    return new ChunkList(this.#every, builder.finish());
  }
}

/** The chunk's packages with the changes, in order. */
function* merged(
  chunk: Chunk,
  names: readonly string[],
  changes: ReadonlyMap<string, Uint8Array | undefined>,
): Generator<readonly [string, Uint8Array]> {
  let at = 0;
  const changed = function* (before: string | undefined): Generator<readonly [string, Uint8Array]> {
    for (; at < names.length; at++) {
      const name = names[at] ?? "";
      if (before !== undefined && name >= before) return;
      const bytes = changes.get(name);
      if (bytes !== undefined) yield [name, bytes];
    }
  };
  let start = 0;
  for (const [index, name] of chunk.names.entries()) {
    const end = chunk.ends[index] ?? 0;
    yield* changed(name);
    if (!changes.has(name)) yield [name, chunk.bytes.subarray(start, end)];
    start = end;
  }
  yield* changed(undefined);
}

/** Cuts packages that come in order. */
export class ChunkBuilder {
  readonly #every: number;
  readonly #chunks: Chunk[] = [];
  #names: string[] = [];
  #parts: Uint8Array[] = [];
  #ends: number[] = [];
  #length = 0;

  /** @param every as for {@link emptyChunks} */
  constructor(every: number) {
    this.#every = every;
  }

  get isBetweenChunks(): boolean {
    return this.#names.length === 0;
  }

  /** @param name behind all that were added before */
  add(name: string, bytes: Uint8Array): void {
    this.#names.push(name);
    this.#parts.push(bytes);
    this.#length += bytes.length;
    this.#ends.push(this.#length);
    if (this.#length < LEAST_BYTES) return;
    if (this.#length >= MOST_BYTES || crc32(name) % this.#every === 0) this.#cut();
  }

  /** @param chunk that was cut from the same packages, of a list that goes on behind it */
  addChunk(chunk: Chunk): void {
    this.#chunks.push(chunk);
  }

  finish(): readonly Chunk[] {
    if (!this.isBetweenChunks) this.#cut();
    return this.#chunks;
  }

  #cut(): void {
    const bytes = Buffer.concat(this.#parts);
    this.#chunks.push({
      names: this.#names,
      ends: this.#ends,
      bytes,
      crc: crc32(bytes),
      shift: crcShift(bytes.length),
    });
    this.#names = [];
    this.#parts = [];
    this.#ends = [];
    this.#length = 0;
  }
}
