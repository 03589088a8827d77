/** The orders that registry files are sorted in. Names and requirements are ASCII: `<` compares bytes. */

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Erlang's term order of an optional binary: `nil` is an atom, and atoms sort before binaries. */
export function compareOptional(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
