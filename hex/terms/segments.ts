/**
 * The segments of a binary: `<<"text">>`, `<<"text"/utf8>>`, `<<104,105>>` and mixtures. Sizes
 * (`<<1:16>>`) have no token, and types other than `integer` and `utf8` are written by nobody.
 */
import { TermError } from "./errors.ts";

/** What stands before the `/` of a segment. */
export type SegmentValue = string | bigint;

const ABOVE_BMP = /[\ud800-\udfff]/;
const MODIFIERS: ReadonlySet<string> = new Set(["signed", "unsigned", "big", "little"]);

/**
 * @param value a string or an integer
 * @param specifiers the atoms after `/`; none stands for `integer`
 * @returns the segment's bytes: one byte for each code point, its low 8 bits, or its UTF-8.
 * @throws {TermError} `invalid_terms` for another type, two types, or a code point that UTF-8 cannot hold.
 */
export function segmentBytes(value: SegmentValue, specifiers: readonly string[]): Uint8Array {
  const types = specifiers.filter((name) => !MODIFIERS.has(name));
  const [type = "integer"] = types;
  if (types.length > 1 || (type !== "integer" && type !== "utf8")) throw invalid();
  return type === "utf8" ? utf8(value) : lowBytes(value);
}

function lowBytes(value: SegmentValue): Uint8Array {
  if (typeof value === "bigint") return Uint8Array.of(Number(BigInt.asUintN(8, value)));
  // The low 8 bits of each UTF-16 unit: the same, and much faster, where each code point is one unit.
  if (!ABOVE_BMP.test(value)) return Buffer.from(value, "latin1");
  return Uint8Array.from(value, (character) => codePoint(character) & 0xff);
}

function utf8(value: SegmentValue): Uint8Array {
  if (typeof value === "string") return Buffer.from(value);
  const scalar = value >= 0n && value <= 0x10ffffn && !(value >= 0xd800n && value <= 0xdfffn);
  if (!scalar) throw invalid();
  return Buffer.from(String.fromCodePoint(Number(value)));
}

function codePoint(character: string): number {
  return character.codePointAt(0) ?? 0;
}

function invalid(): TermError {
  return new TermError("invalid_terms", "invalid terms");
}
