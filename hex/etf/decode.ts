/**
 * Erlang's external term format, as Hex clients send it in request bodies.
 *
 * Reads only what has a meaning in JSON and refuses everything else, as Erlang's `binary_to_term/2` with
 * `safe` does for what could harm the runtime: here nothing becomes code, an atom, or memory that the bytes
 * themselves do not take. Unlike Erlang it refuses bytes after the term.
 */
import { EtfError } from "./errors.ts";
import { finite, readBig, readFloatText } from "./numbers.ts";
import { ByteReader } from "./reader.ts";
import { FORMAT_VERSION, TAG } from "./tags.ts";

/**
 * A term in the types of JSON. An integer that a number cannot hold exactly is a bigint, which is of no JSON
 * type, so that every check of a type refuses it. Objects have no prototype: a key such as `__proto__` is a
 * key like any other.
 */
export type TermValue = null | boolean | number | bigint | string | readonly TermValue[] | TermObject;

export interface TermObject {
  readonly [key: string]: TermValue;
}

/** What decoding may cost. */
export interface EtfLimits {
  /** How deep lists, tuples and maps may nest. */
  readonly maxDepth: number;
  /** How many values a term may hold, itself and those of the maps included; keys do not count. */
  readonly maxValues: number;
  /** How many bytes an integer may take. */
  readonly maxIntegerBytes: number;
}

// Clients send maps of a few entries. A body of 8 MB could otherwise become millions of empty lists.
const DEFAULT_LIMITS: EtfLimits = { maxDepth: 64, maxValues: 100_000, maxIntegerBytes: 1_024 };

const ATOMS: ReadonlyMap<string, null | boolean> = new Map([
  ["true", true],
  ["false", false],
  ["nil", null],
]);

/**
 * @param bytes one term with its version byte, not compressed
 * @returns the value: maps as objects, binaries as text, lists and tuples as arrays (STRING_EXT, which
 * Erlang writes for a list of small integers, as an array of them), the atoms `true`, `false` and `nil` as
 * true, false and null. A float that is integral cannot be told from an integer.
 * @throws {EtfError}
 */
export function decodeTerm(bytes: Uint8Array, limits: EtfLimits = DEFAULT_LIMITS): TermValue {
  const reader = new ByteReader(bytes);
  if (bytes[0] !== FORMAT_VERSION) throw new EtfError("not_a_term", "the bytes are no external term");
  if (bytes[1] === TAG.COMPRESSED) throw new EtfError("compressed", "compressed terms are refused");
  reader.uint8();
  const value = new Decoder(reader, limits).value();
  if (reader.left > 0) throw new EtfError("trailing_bytes", "bytes follow the term");
  return value;
}

class Decoder {
  readonly #reader: ByteReader;
  readonly #limits: EtfLimits;
  #depth = 0;
  #values = 0;

  constructor(reader: ByteReader, limits: EtfLimits) {
    this.#reader = reader;
    this.#limits = limits;
  }

  value(): TermValue {
    this.#count(1);
    const tag = this.#reader.uint8();
    switch (tag) {
      case TAG.SMALL_INTEGER:
        return this.#reader.uint8();
      case TAG.INTEGER:
        return this.#reader.int32();
      case TAG.SMALL_BIG:
        return this.#big(this.#reader.uint8());
      case TAG.LARGE_BIG:
        return this.#big(this.#reader.uint32());
      case TAG.NEW_FLOAT:
        return finite(this.#reader.float64());
      case TAG.FLOAT:
        return readFloatText(this.#reader);
      case TAG.BINARY:
        return this.#reader.utf8(this.#reader.uint32());
      case TAG.ATOM:
      case TAG.ATOM_UTF8:
        return this.#atom(this.#reader.uint16());
      case TAG.SMALL_ATOM:
      case TAG.SMALL_ATOM_UTF8:
        return this.#atom(this.#reader.uint8());
      default:
        return this.#nested(tag);
    }
  }

  #nested(tag: number): TermValue {
    switch (tag) {
      case TAG.NIL:
        return [];
      case TAG.STRING:
        return this.#string(this.#reader.uint16());
      case TAG.LIST:
        return this.#within(() => this.#list(this.#reader.uint32()));
      case TAG.SMALL_TUPLE:
        return this.#within(() => this.#items(this.#reader.uint8()));
      case TAG.LARGE_TUPLE:
        return this.#within(() => this.#items(this.#reader.uint32()));
      case TAG.MAP:
        return this.#within(() => this.#map(this.#reader.uint32()));
      default:
        throw new EtfError("unsupported", `terms of tag ${tag} are refused`);
    }
  }

  #big(length: number): number | bigint {
    if (length > this.#limits.maxIntegerBytes) throw new EtfError("too_large", "an integer is too large");
    return readBig(this.#reader, length);
  }

  #atom(length: number): null | boolean {
    const name = this.#reader.latin1(length);
    const value = ATOMS.get(name);
    if (value === undefined) throw new EtfError("unknown_atom", "only true, false and nil are known atoms");
    return value;
  }

  #string(length: number): readonly number[] {
    this.#count(length);
    return [...this.#reader.take(length)];
  }

  #list(length: number): readonly TermValue[] {
    const items = this.#items(length);
    if (this.#reader.uint8() !== TAG.NIL) throw new EtfError("improper_list", "a list has a tail");
    return items;
  }

  #items(length: number): readonly TermValue[] {
    // Grows with what is read: the length is a stranger's claim and must reserve nothing.
    const items: TermValue[] = [];
    for (let index = 0; index < length; index++) items.push(this.value());
    return items;
  }

  #map(size: number): TermObject {
    const object: Record<string, TermValue> = Object.create(null);
    for (let index = 0; index < size; index++) {
      const key = this.#key();
      if (key in object) throw new EtfError("duplicate_key", "a map names a key twice");
      object[key] = this.value();
    }
    return object;
  }

  #key(): string {
    if (this.#reader.uint8() !== TAG.BINARY) throw new EtfError("invalid_key", "a map's key is no binary");
    return this.#reader.utf8(this.#reader.uint32());
  }

  #count(values: number): void {
    this.#values += values;
    if (this.#values > this.#limits.maxValues)
      throw new EtfError("too_many", "the term holds too many values");
  }

  #within<T>(read: () => T): T {
    if (++this.#depth > this.#limits.maxDepth) throw new EtfError("too_deep", "the term is nested too deep");
    const value = read();
    this.#depth--;
    return value;
  }
}
