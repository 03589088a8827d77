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

export class ChunkList {
  readonly chunks: readonly Chunk[];
  readonly byteLength: number;
  readonly #every: number;

  /** @param every a chunk ends at one of so many names, from its least size on */
  constructor(every: number, chunks: readonly Chunk[]) {
    this.#every = every;
    this.chunks = chunks;
    this.byteLength = chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0);
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
      else addMerged(builder, chunk, here, changes);
    }
    for (const name of names.slice(next)) addChanged(builder, name, changes);
    return new ChunkList(this.#every, this.#kept(builder.finish()));
  }

  /** A chunk that was cut again and is as it was stays the same object, with all that is known of it. */
  #kept(chunks: readonly Chunk[]): readonly Chunk[] {
    const before = new Map(this.chunks.map((chunk) => [chunk.names[0], chunk]));
    return chunks.map((chunk) => {
      const old = before.get(chunk.names[0]);
      return old !== undefined && isSame(chunk, old) ? old : chunk;
    });
  }
}

function isSame(a: Chunk, b: Chunk): boolean {
  return (
    a === b ||
    (a.crc === b.crc &&
      Buffer.compare(a.bytes, b.bytes) === 0 &&
      a.names.length === b.names.length &&
      a.names.every((name, index) => name === b.names[index] && a.ends[index] === b.ends[index]))
  );
}

/** Adds the chunk's packages with the changes to these of them, in order. */
function addMerged(
  builder: ChunkBuilder,
  chunk: Chunk,
  names: readonly string[],
  changes: ReadonlyMap<string, Uint8Array | undefined>,
): void {
  let at = 0;
  let start = 0;
  for (const [index, name] of chunk.names.entries()) {
    const end = chunk.ends[index] ?? 0;
    for (; at < names.length && (names[at] ?? "") < name; at++) addChanged(builder, names[at] ?? "", changes);
    if (!changes.has(name)) builder.add(name, chunk.bytes, start, end);
    start = end;
  }
  for (const name of names.slice(at)) addChanged(builder, name, changes);
}

function addChanged(
  builder: ChunkBuilder,
  name: string,
  changes: ReadonlyMap<string, Uint8Array | undefined>,
): void {
  const bytes = changes.get(name);
  if (bytes !== undefined) builder.add(name, bytes);
}

interface Part {
  readonly bytes: Uint8Array;
  readonly start: number;
  end: number;
}

/** Cuts packages that come in order. */
export class ChunkBuilder {
  readonly #every: number;
  readonly #chunks: Chunk[] = [];
  #names: string[] = [];
  // Runs of packages whose bytes lie one behind the other.
  #parts: Part[] = [];
  #ends: number[] = [];
  #length = 0;

  /** @param every as for {@link ChunkList} */
  constructor(every: number) {
    this.#every = every;
  }

  get isBetweenChunks(): boolean {
    return this.#names.length === 0;
  }

  /**
   * @param name behind all that were added before
   * @param start @param end where in the bytes its own are
   */
  add(name: string, bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.#names.push(name);
    const last = this.#parts.at(-1);
    if (last?.bytes === bytes && last.end === start) last.end = end;
    else this.#parts.push({ bytes, start, end });
    this.#length += end - start;
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
    const bytes = Buffer.concat(this.#parts.map((part) => part.bytes.subarray(part.start, part.end)));
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
