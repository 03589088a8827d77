/** The code that a person types: short, without letters that look like others or make words. Pure but for chance. */

const ALPHABET = "23456789BCDFGHJKLMNPQRSTVWXYZ";
const LENGTH = 8;
// Beyond it the first letters would be likelier than the last.
const FAIR_BYTES = Math.floor(256 / ALPHABET.length) * ALPHABET.length;

export function newUserCode(random: (bytes: number) => Uint8Array): string {
  let code = "";
  while (code.length < LENGTH) {
    for (const byte of random(LENGTH)) {
      if (byte < FAIR_BYTES && code.length < LENGTH) code += ALPHABET[byte % ALPHABET.length];
    }
  }
  return code;
}

/** @returns a code as it is stored, from one as it was typed; undefined for what cannot be one. */
export function parseUserCode(text: string): string | undefined {
  const code = text.replace(/[\s-]/g, "").toUpperCase();
  return code.length === LENGTH && [...code].every((letter) => ALPHABET.includes(letter)) ? code : undefined;
}

/** @returns a code as people are shown it. */
export function showUserCode(code: string): string {
  return `${code.slice(0, LENGTH / 2)}-${code.slice(LENGTH / 2)}`;
}
