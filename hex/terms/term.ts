/**
 * Erlang terms, as far as package metadata has them: no floats, funs, pids or bit strings.
 * A charlist is the list of its code points, as it is in Erlang.
 */
export type Term =
  | { readonly kind: "atom"; readonly name: string }
  | { readonly kind: "integer"; readonly value: bigint }
  | { readonly kind: "binary"; readonly bytes: Uint8Array }
  | { readonly kind: "list"; readonly items: readonly Term[] }
  | { readonly kind: "tuple"; readonly items: readonly Term[] }
  | { readonly kind: "map"; readonly entries: readonly TermPair[] };

/** The key and the value of one entry of a map. */
export type TermPair = readonly [key: Term, value: Term];

export function atom(name: string): Term {
  return { kind: "atom", name };
}

// Shared, because a charlist of a megabyte would otherwise be a million objects.
const SMALL: readonly Term[] = Array.from({ length: 512 }, (_, value) => ({
  kind: "integer",
  value: BigInt(value),
}));

export function integer(value: bigint | number): Term {
  return SMALL[Number(value)] ?? { kind: "integer", value: BigInt(value) };
}

/** @param content bytes, or text to be encoded as UTF-8 */
export function binary(content: Uint8Array | string): Term {
  return { kind: "binary", bytes: typeof content === "string" ? Buffer.from(content) : content };
}

export function list(items: readonly Term[]): Term {
  return { kind: "list", items };
}

export function tuple(...items: readonly Term[]): Term {
  return { kind: "tuple", items };
}

/** Two equal keys stay two entries here; the reader has kept the last one, as Erlang does. */
export function map(entries: readonly TermPair[]): Term {
  return { kind: "map", entries };
}
