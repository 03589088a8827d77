/**
 * A text for each version, such that comparing the texts compares the versions. All characters are ASCII,
 * and `!` < `-` < digits < letters < `~` is all that counts:
 *
 * - a number is a letter that tells how many digits follow, then the digits: `1` is `a1`, `10` is `b10`
 * - behind the three numbers stands `~` for a release, or `-` and the pre-release identifiers
 * - an identifier is `0` and a number, or `1` and its text; `!` stands between two, below everything that
 *   an identifier holds, so that of two texts with the same start the shorter comes first
 */
const DIGITS = /^\d+$/;
const MOST_DIGITS_BY_LETTER = 25;
const FIRST_LETTER = 0x61;

/** @param digits a decimal number without leading zeros, of any length; the numbers of other lengths begin differently */
export function numberKey(digits: string): string {
  if (digits.length <= MOST_DIGITS_BY_LETTER) {
    return String.fromCharCode(FIRST_LETTER + digits.length - 1) + digits;
  }
  return `z${String(digits.length).padStart(10, "0")}${digits}`;
}

/** @returns the key of a version in its numbers and its pre-release identifiers. */
export function versionKey(numbers: readonly string[], pre: readonly string[]): string {
  const core = numbers.map(numberKey).join("");
  return pre.length === 0 ? `${core}~` : `${core}-${pre.map(identifierKey).join("!")}`;
}

function identifierKey(identifier: string): string {
  return DIGITS.test(identifier) ? `0${numberKey(identifier)}` : `1${identifier}`;
}
