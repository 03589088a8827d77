/**
 * One 512-byte header of a tar: POSIX ustar, GNU or the format before both. Whatever two readers could
 * take differently is refused: bytes behind the end of a name, digits with something between them, a
 * prefix that one format has and another has not.
 */
import { malformed } from "./tar-error.ts";

/** Everything in a tar is a multiple of this long. */
export const BLOCK = 512;

/** Where the fields of a header lie: offset and length. */
export const FIELDS = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  linkName: [157, 100],
  magic: [257, 8],
  devMajor: [329, 8],
  devMinor: [337, 8],
  prefix: [345, 155],
  /** GNU: sparse map and real size. */
  gnuSparse: [386, 109],
  /** ustar: padding, where the format "star" keeps a mark that shortens the prefix. */
  tail: [500, 12],
} as const satisfies Record<string, readonly [offset: number, length: number]>;

export type Field = keyof typeof FIELDS;

export const USTAR_MAGIC = "ustar\x0000";
export const GNU_MAGIC = "ustar  \0";
const NO_MAGIC = "\0".repeat(8);

/** A header as it stands. Names are bytes, held in a string as Latin-1; nothing decodes them here. */
export interface TarHeader {
  readonly name: string;
  readonly linkName: string;
  readonly size: number;
  /** The type flag; an old `NUL` is the same as `0`, a plain file. */
  readonly type: string;
}

/**
 * @param block 512 bytes that are not all zero
 * @throws {TarError}
 */
export function parseHeader(block: Buffer): TarHeader {
  if (digitsOf(block, "checksum") !== checksumOf(block)) throw malformed("Checksum failed");
  for (const field of ["mode", "uid", "gid", "mtime"] as const) parseNumber(block, field);
  const type = raw(block, "type");
  return {
    name: fullName(block),
    linkName: parseString(block, "linkName"),
    size: parseNumber(block, "size"),
    type: type === "\0" ? "0" : type,
  };
}

/** @returns the sum of all bytes, with the checksum's own field taken as spaces. */
export function checksumOf(block: Buffer): number {
  const [offset, length] = FIELDS.checksum;
  return sum(block, 0, offset) + length * 0x20 + sum(block, offset + length, BLOCK);
}

function sum(block: Buffer, start: number, end: number): number {
  let total = 0;
  for (let at = start; at < end; at += 1) total += block[at] ?? 0;
  return total;
}

function fullName(block: Buffer): string {
  const name = parseString(block, "name");
  switch (raw(block, "magic")) {
    case USTAR_MAGIC: {
      requireZeros(block, "tail");
      const prefix = parseString(block, "prefix");
      return prefix === "" ? name : `${prefix}/${name}`;
    }
    case GNU_MAGIC:
      requireZeros(block, "gnuSparse");
      return name;
    case NO_MAGIC:
      requireZeros(block, "prefix");
      return name;
    default:
      throw malformed("Unrecognized tar header format");
  }
}

function raw(block: Buffer, field: Field): string {
  const [offset, length] = FIELDS[field];
  return block.toString("latin1", offset, offset + length);
}

function parseString(block: Buffer, field: Field): string {
  const text = raw(block, field);
  const end = text.indexOf("\0");
  if (end === -1) return text;
  if (/[^\0]/.test(text.slice(end))) throw malformed(`Unrecognized tar header format: NUL in the ${field}`);
  return text.slice(0, end);
}

function parseNumber(block: Buffer, field: Field): number {
  const [offset, length] = FIELDS[field];
  if (block[offset] === 0x80) return parseBase256(block.subarray(offset + 1, offset + length));
  const value = digitsOf(block, field);
  if (value !== undefined) return value;
  throw malformed(`Unrecognized tar header format: invalid ${field}`);
}

/** @returns undefined where there is anything but octal digits with blanks around them. */
function digitsOf(block: Buffer, field: Field): number | undefined {
  const digits = /^ *([0-7]*)[ \0]*$/.exec(raw(block, field))?.[1];
  // Readers take a field of blanks for 0, or refuse it: no matter for an owner, but for a size it is.
  if (digits === undefined || (digits === "" && field === "size")) return undefined;
  return Number.parseInt(`0${digits}`, 8);
}

// GNU's form for numbers that octal digits do not hold. Past 2^53 it is inexact, and over every limit.
function parseBase256(bytes: Buffer): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

function requireZeros(block: Buffer, field: Field): void {
  if (/[^\0]/.test(raw(block, field))) throw malformed(`Unrecognized tar header format: unexpected ${field}`);
}
