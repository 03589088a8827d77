/** Writes terms in a form that the reader, Hex clients and Erlang's `file:consult/1` read alike. */
import type { Term } from "./term.ts";

/** @returns one term, without a dot. Equal terms give equal texts when their maps have one order. */
export function writeTerm(term: Term): string {
  switch (term.kind) {
    case "atom":
      return writeAtom(term.name);
    case "integer":
      return term.value.toString();
    case "binary":
      return writeBinary(term.bytes);
    case "list":
      return `[${term.items.map(writeTerm).join(",")}]`;
    case "tuple":
      return `{${term.items.map(writeTerm).join(",")}}`;
    case "map":
      return `#{${term.entries.map(([key, value]) => `${writeTerm(key)} => ${writeTerm(value)}`).join(",")}}`;
  }
}

/** @returns the bytes of a file of terms, each on a line that ends in a dot. */
export function writeTerms(terms: readonly Term[]): Buffer {
  return Buffer.from(terms.map((term) => `${writeTerm(term)}.\n`).join(""));
}

function writeAtom(name: string): string {
  return /^[a-z][A-Za-z0-9_@]*$/.test(name) ? name : `'${escaped(name)}'`;
}

function writeBinary(bytes: Uint8Array): string {
  const text = printable(bytes);
  if (text === undefined) return `<<${bytes.join(",")}>>`;
  if (text === "") return "<<>>";
  return `<<"${escaped(text)}"${text.length === bytes.length ? "" : "/utf8"}>>`;
}

const UNPRINTABLE = /(?![\t\n\r])[\p{Cc}\p{Cs}]/u;

/** @returns the bytes as text, or undefined when they are better written as numbers. */
function printable(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return UNPRINTABLE.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

const ESCAPES = new Map([
  // Never `\\`: before a closing quote the scanner of Hex clients takes its second half for `\"`.
  ["\\", "\\134"],
  ['"', '\\"'],
  ["'", "\\'"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

function escaped(text: string): string {
  return text.replace(/[\\"'\n\r\t]/g, (character) => ESCAPES.get(character) ?? character);
}
