/** The two number forms of the external term format that are not plain machine words. */
import { EtfError } from "./errors.ts";
import type { ByteReader } from "./reader.ts";

const FLOAT_LENGTH = 31;
// What C's "%.20e" prints, filled up with zero bytes.
const FLOAT_TEXT = /^([+-]?\d+\.\d+(?:[eE][+-]?\d+)?)\0*$/;

/** @throws {EtfError} `invalid_number`: Erlang has neither NaN nor infinity. */
export function finite(value: number): number {
  if (!Number.isFinite(value)) throw new EtfError("invalid_number", "a float is not finite");
  return value;
}

/** Reads FLOAT_EXT, how Erlang before R11 wrote floats and still does with `{minor_version, 0}`. */
export function readFloatText(reader: ByteReader): number {
  const text = FLOAT_TEXT.exec(reader.latin1(FLOAT_LENGTH))?.[1];
  if (text === undefined) throw new EtfError("invalid_number", "a float is not a decimal number");
  return finite(Number(text));
}

/**
 * Reads the sign and the little-endian bytes of SMALL_BIG_EXT and LARGE_BIG_EXT.
 * @returns a number where it is exact, otherwise a bigint.
 */
export function readBig(reader: ByteReader, length: number): number | bigint {
  const sign = reader.uint8();
  if (sign > 1) throw new EtfError("invalid_number", "an integer's sign is neither 0 nor 1");
  const digits = Buffer.from(reader.take(length)).reverse().toString("hex");
  const magnitude = BigInt(`0x0${digits}`);
  const value = sign === 1 ? -magnitude : magnitude;
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** @returns the magnitude as SMALL_BIG_EXT and LARGE_BIG_EXT hold it: least significant byte first. */
export function bigBytes(value: bigint): Buffer {
  const digits = (value < 0n ? -value : value).toString(16);
  return Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex").reverse();
}
