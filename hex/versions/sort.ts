/** Sorting by version. Each version is taken apart once: 200,000 of them sort in well under a second. */
import { compareParsed, type ParsedVersion, parseVersion } from "./version.ts";

interface Keyed<T> {
  readonly item: T;
  /** The three numbers, where each is below 2^53, as almost all are: comparing numbers beats bigints. */
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  readonly version: ParsedVersion;
}

/**
 * @param versionOf gives an item's version
 * @returns the items in ascending order of precedence.
 * @throws {RangeError} when a version is not valid.
 */
export function sortByVersion<T>(items: Iterable<T>, versionOf: (item: T) => string): T[] {
  const keyed: Keyed<T>[] = [];
  for (const item of items) keyed.push(key(item, versionOf(item)));
  return keyed.sort(compareKeyed).map(({ item }) => item);
}

function key<T>(item: T, text: string): Keyed<T> {
  const version = parseVersion(text);
  if (version === undefined) throw new RangeError(`not a version: ${JSON.stringify(text)}`);
  const [major, minor, patch] = version.numbers.map(Number);
  return { item, major: major ?? 0, minor: minor ?? 0, patch: patch ?? 0, version };
}

// Rounding keeps the order of what differs; what rounds alike is compared exactly.
function compareKeyed<T>(a: Keyed<T>, b: Keyed<T>): number {
  return (
    a.major - b.major ||
    sameRounded(a.version, b.version, 0) ||
    a.minor - b.minor ||
    sameRounded(a.version, b.version, 1) ||
    a.patch - b.patch ||
    compareParsed(a.version, b.version)
  );
}

function sameRounded(a: ParsedVersion, b: ParsedVersion, index: 0 | 1): number {
  const x = a.numbers[index];
  const y = b.numbers[index];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** @returns the highest of them, undefined for none. */
export function latestVersion(versions: Iterable<string>): string | undefined {
  return sortByVersion(versions, (text) => text).at(-1);
}

/** @returns the highest that is no pre-release. */
export function latestStableVersion(versions: Iterable<string>): string | undefined {
  return sortByVersion(versions, (text) => text)
    .filter((text) => parseVersion(text)?.pre.length === 0)
    .at(-1);
}
