/** Erlang terms as JSON-like values. */
import type { Term, TermPair } from "../terms/term.ts";
import { MetadataError } from "./errors.ts";

/**
 * Stands for a term that has no counterpart in JSON: a tuple, an integer beyond 2^53, an atom other than
 * `true`, `false`, `nil` and `undefined`, a map with a key that is not text. It is of no JSON type, so
 * that every check of a type refuses it.
 */
export const UNREPRESENTABLE: unique symbol = Symbol("unrepresentable");

/** What stands under a key of the metadata. Nothing is checked yet: any value may be under any key. */
export type MetadataValue =
  | null
  | boolean
  | number
  | string
  | typeof UNREPRESENTABLE
  | readonly MetadataValue[]
  | MetadataObject;

export interface MetadataObject {
  readonly [key: string]: MetadataValue;
}

/**
 * @returns the term as a value: `nil` and `undefined` are null, a binary is text (UTF-8 or, where it is
 * none, Latin-1), a map is an object. A list of pairs stays a list.
 * @throws {MetadataError} `nul_character`
 */
export function toValue(term: Term): MetadataValue {
  switch (term.kind) {
    case "atom":
      return (
        ATOMS.get(term.name) ?? (term.name === "nil" || term.name === "undefined" ? null : UNREPRESENTABLE)
      );
    case "integer":
      return Number.isSafeInteger(Number(term.value)) ? Number(term.value) : UNREPRESENTABLE;
    case "binary":
      return textOf(term.bytes);
    case "list":
      return term.items.map(toValue);
    case "tuple":
      return UNREPRESENTABLE;
    case "map":
      return objectOf(term.entries) ?? UNREPRESENTABLE;
  }
}

const ATOMS = new Map([
  ["true", true],
  ["false", false],
]);

/**
 * @param read what to make of each value
 * @returns an object with the last value of each key, or undefined when a key is not text.
 */
export function objectOf(
  pairs: readonly TermPair[],
  read: (term: Term) => MetadataValue = toValue,
): MetadataObject | undefined {
  const entries: [string, MetadataValue][] = [];
  for (const [key, value] of pairs) {
    if (key.kind !== "binary") return undefined;
    entries.push([textOf(key.bytes), read(value)]);
  }
  // Defines properties and so has no trouble with `__proto__`.
  return Object.fromEntries(entries);
}

/** @returns the pairs of a list of 2-tuples (an empty list has none), or undefined for any other term. */
export function proplist(term: Term): TermPair[] | undefined {
  if (term.kind !== "list") return undefined;
  const pairs: TermPair[] = [];
  for (const item of term.items) {
    const pair = pairOf(item);
    if (pair === undefined) return undefined;
    pairs.push(pair);
  }
  return pairs;
}

/** @returns the two elements of a 2-tuple, or undefined for any other term. */
export function pairOf(term: Term): TermPair | undefined {
  if (term.kind !== "tuple" || term.items.length !== 2) return undefined;
  const [key, value] = term.items;
  return key && value && [key, value];
}

/**
 * @returns a binary's text.
 * @throws {MetadataError} `nul_character`: no column and no JSON of Postgres could hold it.
 */
export function textOf(bytes: Uint8Array): string {
  if (bytes.includes(0)) throw new MetadataError("nul_character", "a text contains a NUL character");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString("latin1");
  }
}

/** @returns whether the value, all the way down, is JSON. */
export function isJson(value: MetadataValue): boolean {
  if (typeof value === "symbol") return false;
  if (Array.isArray(value)) return value.every(isJson);
  return typeof value !== "object" || value === null || Object.values(value).every(isJson);
}
