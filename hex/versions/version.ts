/**
 * Versions as Elixir's `Version` has them: Semantic Versioning 2.0.0 with all three numbers. Precedence is
 * SemVer's section 11: numeric identifiers below alphanumeric ones, those by bytes, build metadata ignored.
 */
import { version } from "../ids.ts";

/** A version taken apart, so that comparing it again costs nothing. */
export interface ParsedVersion {
  readonly text: string;
  /** Major, minor, patch. */
  readonly numbers: readonly [bigint, bigint, bigint];
  /** Pre-release identifiers: numeric ones as bigint. Empty for a release. */
  readonly pre: readonly (bigint | string)[];
}

const NUMERIC = /^\d+$/;

/** @returns undefined when Elixir's `Version.parse/1` would refuse the text. */
export function parseVersion(text: string): ParsedVersion | undefined {
  if (version(text) === undefined) return undefined;
  const withoutBuild = text.split("+", 1)[0] ?? "";
  const dash = withoutBuild.indexOf("-");
  const core = dash < 0 ? withoutBuild : withoutBuild.slice(0, dash);
  const [major = "0", minor = "0", patch = "0"] = core.split(".");
  return {
    text,
    numbers: [BigInt(major), BigInt(minor), BigInt(patch)],
    pre: dash < 0 ? [] : parsePre(withoutBuild.slice(dash + 1)),
  };
}

/** @param text pre-release identifiers, separated by dots */
export function parsePre(text: string): readonly (bigint | string)[] {
  return text.split(".").map((part) => (NUMERIC.test(part) ? BigInt(part) : part));
}

/** @returns below, at or above 0 as `a` precedes, equals or follows `b`. */
export function compareParsed(
  a: Pick<ParsedVersion, "numbers" | "pre">,
  b: Pick<ParsedVersion, "numbers" | "pre">,
): number {
  for (let index = 0; index < 3; index++) {
    const order = compare(a.numbers[index] ?? 0n, b.numbers[index] ?? 0n);
    if (order !== 0) return order;
  }
  return comparePre(a.pre, b.pre);
}

function comparePre(a: readonly (bigint | string)[], b: readonly (bigint | string)[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  for (let index = 0; index < a.length && index < b.length; index++) {
    const order = compareIdentifiers(a[index] ?? 0n, b[index] ?? 0n);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareIdentifiers(a: bigint | string, b: bigint | string): number {
  if (typeof a !== typeof b) return typeof a === "bigint" ? -1 : 1;
  return compare(a, b);
}

function compare<T>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * @throws {RangeError} when either is not a version.
 * @returns below, at or above 0 as `a` precedes, equals or follows `b`.
 */
export function compareVersions(a: string, b: string): number {
  return compareParsed(parsed(a), parsed(b));
}

export function isPrerelease(text: string): boolean {
  return parsed(text).pre.length > 0;
}

function parsed(text: string): ParsedVersion {
  const value = parseVersion(text);
  if (value === undefined) throw new RangeError(`not a version: ${JSON.stringify(text)}`);
  return value;
}
