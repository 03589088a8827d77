/** Which requests a line of the log is about: an operator follows a publish from the API by its id. */

// A burst makes thousands of changes visible at once; a line stays one that can be read.
const NAMED = 20;

/** @returns the ids without repetition, in their order. */
export function requestIdsOf(changes: readonly { readonly requestId: string | null }[]): readonly string[] {
  return [...new Set(changes.flatMap(({ requestId }) => requestId ?? []))];
}

/** @returns fields for the log: the first ids, and how many there are when that is more. */
export function requestFields(ids: readonly string[]): object {
  if (ids.length === 0) return {};
  const requestIds = ids.slice(0, NAMED);
  return ids.length > NAMED ? { requestIds, requests: ids.length } : { requestIds };
}
