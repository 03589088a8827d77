/** Conditional and partial requests (RFC 9110, sections 13 and 14). */

/** What a request says, by lower-case name. */
export type RequestHeader = (name: string) => string | undefined;

/** What a condition is about. */
export interface Validators {
  /** Without quotes. */
  readonly etag: string;
  readonly lastModified: Date;
}

/**
 * If-None-Match by weak comparison, as a cache on the way may have marked the tag as weak; If-Modified-Since
 * counts only without it.
 * @returns whether the answer is 304.
 */
export function isNotModified(header: RequestHeader, { etag, lastModified }: Validators): boolean {
  const tags = header("if-none-match");
  if (tags !== undefined) return tags.trim() === "*" || entityTags(tags).includes(etag);
  const since = httpDate(header("if-modified-since"));
  return since !== undefined && Math.floor(lastModified.getTime() / 1_000) * 1_000 <= since;
}

/** Some clients leave the quotes out. */
function entityTags(list: string): readonly string[] {
  return [...list.matchAll(/(?:W\/)?"([^"]*)"|([^\s,"]+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");
}

function httpDate(text: string | undefined): number | undefined {
  if (text === undefined || !/^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(text.trim()))
    return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

/** Byte positions; both ends are included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * One range; several at once are answered with the whole object, which is allowed and cannot be used to make
 * a small request cost much.
 * @param size of the object in bytes
 * @returns undefined when the whole object is the answer.
 */
export function requestedRange(
  header: RequestHeader,
  { etag }: Pick<Validators, "etag">,
  size: number,
): ByteRange | "unsatisfiable" | undefined {
  const range = header("range");
  if (range === undefined) return undefined;
  const condition = header("if-range");
  // Only a strong tag will do: within one second an object may change and keep its date.
  if (condition !== undefined && condition.trim() !== `"${etag}"`) return undefined;
  const [, from, to] = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(range) ?? [];
  if (from === undefined || to === undefined || from + to === "") return undefined;
  if (from === "") return lastBytes(Number(to), size);
  const [first, last] = [Number(from), to === "" ? Number.POSITIVE_INFINITY : Number(to)];
  if (first > last) return undefined;
  return first >= size ? "unsatisfiable" : { first, last: Math.min(last, size - 1) };
}

function lastBytes(count: number, size: number): ByteRange | "unsatisfiable" {
  if (count === 0 || size === 0) return "unsatisfiable";
  return { first: Math.max(0, size - count), last: size - 1 };
}
