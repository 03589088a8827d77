/** Orders that lists of registry files have. */

/** By the bytes of UTF-8, which is the order of code points and not that of `<`. */
export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Erlang's term order of an optional binary: `nil` is an atom, and atoms sort before binaries. */
export function compareOptional(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  return compareBytes(a, b);
}

/** @returns the first pair of neighbours that is not in order, where being equal is not in order either. */
export function firstDisorder<T>(
  list: readonly T[],
  compare: (a: T, b: T) => number,
): readonly [before: T, after: T] | undefined {
  let before: { readonly item: T } | undefined;
  for (const item of list) {
    if (before !== undefined && compare(before.item, item) >= 0) return [before.item, item];
    before = { item };
  }
  return undefined;
}
