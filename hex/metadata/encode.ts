/** Writes `metadata.config` as Hex clients do: one pair for each key, in the order of the keys. */
import { atom, binary, integer, list, type Term, tuple } from "../terms/term.ts";
import { writeTerms } from "../terms/writer.ts";

/** Text becomes a binary, an object a list of pairs, null the atom `undefined`; numbers are integers. */
export type MetadataInput =
  | null
  | boolean
  | number
  | string
  | readonly MetadataInput[]
  | { readonly [key: string]: MetadataInput };

/** @returns the bytes of the file. */
export function encodeMetadata(metadata: Readonly<Record<string, MetadataInput>>): Buffer {
  const keys = Object.keys(metadata).sort();
  return writeTerms(keys.map((key) => tuple(binary(key), encode(metadata[key] ?? null))));
}

function encode(value: MetadataInput): Term {
  if (value === null) return atom("undefined");
  if (typeof value === "boolean") return atom(String(value));
  if (typeof value === "number") return integer(value);
  if (typeof value === "string") return binary(value);
  if (isList(value)) return list(value.map(encode));
  return list(Object.entries(value).map(([key, item]) => tuple(binary(key), encode(item))));
}

// Array.isArray does not tell a readonly array from an object.
function isList(value: MetadataInput): value is readonly MetadataInput[] {
  return Array.isArray(value);
}
