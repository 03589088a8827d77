/**
 * Reads a tar as it arrives, in chunks of any length, holding no more than one header or one extended
 * header of it. Every byte is accounted for: padding and what follows the end must be zero.
 */
import { malformed, TarError } from "./tar-error.ts";
import { type Extension, extendHeader, MAX_EXTENSION_BYTES, parseExtension } from "./tar-extension.ts";
import { BLOCK, parseHeader, type TarHeader } from "./tar-header.ts";

/** An entry of a tar, with what extended headers say applied. */
export interface TarEntry extends TarHeader {
  readonly extended: boolean;
}

/** Takes the data of one entry, in order. The chunks are views of what was written. */
export type DataSink = (chunk: Buffer) => void;

/**
 * Called for each entry, before its data. Gives the sink for the data or undefined, when they are not
 * wanted; what it throws ends the reading.
 */
export type EntryVisitor = (entry: TarEntry) => DataSink | undefined;

type State = "header" | "extension" | "data" | "padding" | "end";

const ZEROS = Buffer.alloc(65_536);

export class TarReader {
  readonly #visit: EntryVisitor;
  readonly #maxBytes: number;
  #state: State = "header";
  /** How many bytes the state still takes. */
  #missing = BLOCK;
  /** What a header or an extended header has got so far. */
  #held: Buffer[] = [];
  #padding = 0;
  #sink: DataSink | undefined;
  #extensionType: "x" | "L" | "K" = "x";
  #extension: Extension | undefined;
  #claimed = 0;
  #zerosAtEnd = 0;

  /** @param maxBytes the most that the sizes of all entries may add up to */
  constructor(visit: EntryVisitor, maxBytes: number) {
    this.#visit = visit;
    this.#maxBytes = maxBytes;
  }

  /** @throws {TarError}, or what the visitor throws. */
  write(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, this.#state === "end" ? chunk.length : at + this.#missing);
      this.#consume(part);
      at += part.length;
    }
  }

  /** @throws {TarError} unless the tar has come to its end: two blocks of zeros, and only zeros since. */
  end(): void {
    const complete = this.#state === "end" && this.#zerosAtEnd >= 2 * BLOCK && this.#zerosAtEnd % BLOCK === 0;
    if (!complete) throw malformed("Unexpected end of file");
  }

  #consume(part: Buffer): void {
    this.#missing -= part.length;
    switch (this.#state) {
      case "header":
      case "extension":
        this.#held.push(part);
        break;
      case "data":
        this.#sink?.(part);
        break;
      case "padding":
        requireZeros(part, "Data in the padding of an entry");
        break;
      case "end":
        requireZeros(part, "Invalid end of archive");
        this.#zerosAtEnd += part.length;
        return;
    }
    if (this.#missing === 0) this.#finish();
  }

  /** What the state was waiting for is complete. */
  #finish(): void {
    if (this.#state === "header") {
      this.#onBlock(this.#takeHeld());
    } else if (this.#state === "extension") {
      this.#onExtension(parseExtension(this.#extensionType, this.#takeHeld()));
      this.#enter("padding", this.#padding);
    } else if (this.#state === "data") {
      this.#enter("padding", this.#padding);
    } else {
      this.#enter("header", BLOCK);
    }
  }

  #enter(state: State, bytes: number): void {
    this.#state = state;
    this.#missing = bytes;
    if (bytes === 0) this.#finish();
  }

  #takeHeld(): Buffer {
    const held = this.#held;
    this.#held = [];
    return held.length === 1 && held[0] !== undefined ? held[0] : Buffer.concat(held);
  }

  #onBlock(block: Buffer): void {
    if (block.equals(ZEROS.subarray(0, BLOCK))) {
      this.#onEnd();
      return;
    }
    const header = parseHeader(block);
    this.#claim(header.size);
    this.#padding = (BLOCK - (header.size % BLOCK)) % BLOCK;
    const { type } = header;
    if (type === "x" || type === "L" || type === "K") this.#onExtensionHeader(type, header.size);
    else this.#onEntry(header);
  }

  #onEnd(): void {
    if (this.#extension !== undefined) throw malformed("An extended header without its entry");
    this.#zerosAtEnd = BLOCK;
    this.#state = "end";
  }

  // The claim is judged when it is made, so a header of terabytes costs nothing.
  #claim(size: number): void {
    this.#claimed += size;
    if (this.#claimed > this.#maxBytes) {
      throw new TarError("too_big", "Extraction size exceeds the configured max_size limit");
    }
  }

  #onExtensionHeader(type: "x" | "L" | "K", size: number): void {
    // Some readers refuse a second one, others merge them, and GNU's and PAX's outrank each other.
    const mixed = type === "x" || this.#extensionType === "x" || type === this.#extensionType;
    if (this.#extension !== undefined && mixed) throw malformed("Too many extended headers for one entry");
    if (size > MAX_EXTENSION_BYTES) throw malformed("An extended header is too long");
    if (size === 0) throw malformed("An extended header is empty");
    this.#extensionType = type;
    this.#enter("extension", size);
  }

  #onExtension(extension: Extension): void {
    this.#extension = { ...this.#extension, ...extension };
  }

  #onEntry(header: TarHeader): void {
    const extended = this.#extension !== undefined;
    const entry = { ...extendHeader(header, this.#extension ?? {}), extended };
    this.#extension = undefined;
    this.#sink = this.#visit(entry);
    this.#enter("data", header.size);
  }
}

function requireZeros(bytes: Buffer, otherwise: string): void {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const part = bytes.subarray(at, at + ZEROS.length);
    if (!part.equals(ZEROS.subarray(0, part.length))) throw malformed(otherwise);
  }
}
