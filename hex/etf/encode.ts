/**
 * Erlang's external term format, as answers to Hex clients: maps with binary keys, binaries, integers,
 * floats, proper lists, and of atoms only `true`, `false` and `nil`, because clients decode with existing
 * atoms only. Never compressed.
 */
import { EtfError } from "./errors.ts";
import { bigBytes } from "./numbers.ts";
import { FORMAT_VERSION, TAG } from "./tags.ts";

// Far above any answer; ends the recursion of a value that holds itself.
const MAX_DEPTH = 1_000;
const MAX_SMALL_BIG_BYTES = 255;

/** A number that is sent as a float although it may be integral. */
export class TermFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/**
 * @param value of JSON's types, with bigints and {@link TermFloat} besides. Entries of objects that are
 * undefined are left out, as JSON does. Integral numbers up to 2^53 are integers, all others floats.
 * @returns the term, the version byte first. Maps keep the order of the object's keys.
 * @throws {EtfError} `unencodable` for anything else, a Date or NaN for example; `too_deep`
 */
export function encodeTerm(value: unknown): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(FORMAT_VERSION)];
  write(parts, value, 0);
  return Buffer.concat(parts);
}

function write(parts: Uint8Array[], value: unknown, depth: number): void {
  if (depth > MAX_DEPTH) throw new EtfError("too_deep", "the value is nested too deep");
  switch (typeof value) {
    case "string":
      parts.push(...binary(value));
      return;
    case "number":
      parts.push(number(value));
      return;
    case "bigint":
      parts.push(integer(value));
      return;
    case "boolean":
      parts.push(value ? TRUE : FALSE);
      return;
    case "object":
      if (value === null) parts.push(NIL_ATOM);
      else writeObject(parts, value, depth);
      return;
    default:
      throw new EtfError("unencodable", `a value of type ${typeof value} has no term`);
  }
}

function writeObject(parts: Uint8Array[], value: object, depth: number): void {
  if (value instanceof TermFloat) {
    parts.push(float(value.value));
  } else if (Array.isArray(value)) {
    if (value.length > 0) parts.push(counted(TAG.LIST, value.length));
    for (const item of value) write(parts, item, depth + 1);
    parts.push(EMPTY_LIST);
  } else if (isPlain(value)) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    parts.push(counted(TAG.MAP, entries.length));
    for (const [key, item] of entries) {
      parts.push(...binary(key));
      write(parts, item, depth + 1);
    }
  } else {
    throw new EtfError("unencodable", "an instance of a class has no term");
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

const EMPTY_LIST = Uint8Array.of(TAG.NIL);
const TRUE = atom("true");
const FALSE = atom("false");
const NIL_ATOM = atom("nil");

// Every Erlang since R16B reads this form and OTP 26 writes it; the older ATOM_EXT is deprecated.
function atom(name: string): Uint8Array {
  const text = Buffer.from(name);
  return Buffer.concat([Uint8Array.of(TAG.SMALL_ATOM_UTF8, text.length), text]);
}

function binary(text: string): readonly [head: Uint8Array, text: Uint8Array] {
  const bytes = Buffer.from(text);
  return [counted(TAG.BINARY, bytes.length), bytes];
}

function number(value: number): Uint8Array {
  return Number.isSafeInteger(value) ? integer(BigInt(value)) : float(value);
}

function float(value: number): Uint8Array {
  if (!Number.isFinite(value)) throw new EtfError("unencodable", "a float must be finite");
  const bytes = Buffer.alloc(9, TAG.NEW_FLOAT);
  bytes.writeDoubleBE(value, 1);
  return bytes;
}

function integer(value: bigint): Uint8Array {
  if (value === BigInt.asUintN(8, value)) return Uint8Array.of(TAG.SMALL_INTEGER, Number(value));
  if (value === BigInt.asIntN(32, value)) {
    const bytes = Buffer.alloc(5, TAG.INTEGER);
    bytes.writeInt32BE(Number(value), 1);
    return bytes;
  }
  const digits = bigBytes(value);
  const small = digits.length <= MAX_SMALL_BIG_BYTES;
  const head = small ? Uint8Array.of(TAG.SMALL_BIG, digits.length) : counted(TAG.LARGE_BIG, digits.length);
  return Buffer.concat([head, Uint8Array.of(value < 0n ? 1 : 0), digits]);
}

function counted(tag: number, count: number): Uint8Array {
  const bytes = Buffer.alloc(5, tag);
  bytes.writeUInt32BE(count, 1);
  return bytes;
}
