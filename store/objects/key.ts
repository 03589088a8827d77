/**
 * Which keys an object may have. One rule for all drivers, the strictest of them, so that a repository can
 * be moved from one to another and no key means a path outside a folder.
 */
import { SkepError } from "../../schemas/errors.ts";

/** Limit of S3, in bytes of UTF-8. */
const MAX_KEY_BYTES = 1_024;
/** Limit of most file systems. */
const MAX_SEGMENT_BYTES = 255;
/** The folder driver keeps its own files in hidden folders of this name; no driver lets a key look so. */
export const RESERVED_SEGMENT = ".skep-";

// Control characters, halves of surrogate pairs (they have no UTF-8), and the separator of Windows.
const FORBIDDEN = /[\p{Cc}\p{Cs}\\]/u;

function segmentProblem(segment: string): string | undefined {
  if (segment === "") return "has an empty segment";
  if (segment === "." || segment === "..") return `has the segment ${segment}`;
  if (segment.startsWith(RESERVED_SEGMENT)) return `has a segment that starts with ${RESERVED_SEGMENT}`;
  if (isLonger(segment, MAX_SEGMENT_BYTES)) return `has a segment of more than ${MAX_SEGMENT_BYTES} bytes`;
  return undefined;
}

// Three bytes at most for one unit of UTF-16: nearly every key is short enough without counting.
function isLonger(text: string, bytes: number): boolean {
  return text.length * 3 > bytes && Buffer.byteLength(text) > bytes;
}

function problem(key: string): string | undefined {
  if (FORBIDDEN.test(key)) return "has a control character, half a surrogate pair or a backslash";
  if (isLonger(key, MAX_KEY_BYTES)) return `is longer than ${MAX_KEY_BYTES} bytes`;
  for (const segment of key.split("/")) {
    const found = segmentProblem(segment);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** @returns whether an object can have this key. */
export function isKey(text: string): boolean {
  return problem(text) === undefined;
}

/** @throws SkepError `store_key_invalid` unless an object can have this key. */
export function assertKey(key: string): void {
  const found = problem(key);
  if (found !== undefined) throw invalidKey(key, found);
}

/**
 * @param prefix the start of a key, which may end within a segment
 * @throws SkepError `store_key_invalid` when no key can start so.
 */
export function assertPrefix(prefix: string): void {
  const found = prefix === "" ? undefined : problem(`${prefix}x`);
  if (found !== undefined) throw invalidKey(prefix, found);
}

/** @param why completes a sentence that starts with the key */
export function invalidKey(key: string, why: string): SkepError {
  const shown = key.length > 200 ? `${key.slice(0, 200)}...` : key;
  return new SkepError("store_key_invalid", `the key ${JSON.stringify(shown)} ${why}`);
}

/** Ascending byte order of UTF-8, as S3 lists; JavaScript's own order differs above U+D7FF. */
export function compareKeys(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let index = 0; index < shared; index++) {
    const difference = rank(a.charCodeAt(index)) - rank(b.charCodeAt(index));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

// Surrogates stand for characters above U+FFFF, so they belong behind U+E000 to U+FFFF.
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
