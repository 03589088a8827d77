/**
 * The CRC-32 of a text from those of its parts, without reading them again. Behind `n` zero bytes a remainder is
 * multiplied by x^(8n) in GF(2)[x] modulo the polynomial of RFC 1952, 8; the method is that of zlib's
 * `crc32_combine`.
 */

/** Bit 31 is x^0, as in the CRC itself. */
const POLYNOMIAL = 0xedb88320;
const ONE = 0x8000_0000;
const X = 0x4000_0000;

/** x^(8 · length): what the bytes in front of `length` others are multiplied by. */
export type CrcShift = number;

// x^(2^n). The exponents go round after 2^32 - 1, which 2^32 equals x^1 by.
const POWERS = powersOfTwo();

function powersOfTwo(): readonly number[] {
  const powers = [X];
  for (let n = 1; n < 32; n++) {
    const last = powers[n - 1] ?? 0;
    powers.push(multiply(last, last));
  }
  return powers;
}

/** @returns a · b modulo the polynomial. */
function multiply(a: number, b: number): number {
  let product = 0;
  let factor = b;
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if (a & bit) product ^= factor;
    factor = factor & 1 ? (factor >>> 1) ^ POLYNOMIAL : factor >>> 1;
  }
  return product >>> 0;
}

/** @param length in bytes, up to 2^53 @returns the shift to combine with; worth keeping with its bytes. */
export function crcShift(length: number): CrcShift {
  let shift = ONE;
  // x^(8 · length) is the product of x^(2^n) over the bits of 8 · length.
  let rest = length;
  for (let n = 3; rest > 0; n++) {
    if (rest % 2 === 1) shift = multiply(POWERS[n % 32] ?? 0, shift);
    rest = Math.floor(rest / 2);
  }
  return shift;
}

/**
 * @param shift {@link crcShift} of the second part's length
 * @returns the CRC-32 of both parts, one behind the other.
 */
export function combineCrc32(first: number, second: number, shift: CrcShift): number {
  return (multiply(shift, first) ^ second) >>> 0;
}
