/**
 * Versions as Elixir's `Version` has them: Semantic Versioning 2.0.0 with all three numbers. Precedence is
 * that of SemVer's section 11: numeric identifiers below alphanumeric ones, those by bytes, build metadata
 * ignored.
 */
import { version } from "../ids.ts";
import { versionKey } from "./key.ts";

/** A version taken apart, so that comparing it again costs nothing. */
export interface ParsedVersion {
  readonly text: string;
  /** Major, minor, patch, in decimal digits of any length. */
  readonly numbers: readonly [major: string, minor: string, patch: string];
  /** Pre-release identifiers. Empty for a release. */
  readonly pre: readonly string[];
  /** Build metadata; empty when there is none. */
  readonly build: string;
  /** Keys in the order of `<`, which is that of bytes too, are versions in order of precedence. */
  readonly key: string;
}

/** @returns undefined when Elixir's `Version.parse/1` would refuse the text. */
export function parseVersion(text: string): ParsedVersion | undefined {
  if (version(text) === undefined) return undefined;
  const [withoutBuild, build] = cut(text, "+");
  const [core, preText] = cut(withoutBuild, "-");
  const [major = "0", minor = "0", patch = "0"] = core.split(".");
  const numbers = [major, minor, patch] as const;
  const pre = preText === "" ? [] : preText.split(".");
  return { text, numbers, pre, build, key: versionKey(numbers, pre) };
}

function cut(text: string, separator: string): readonly [before: string, after: string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

/**
 * @returns the version taken apart.
 * @throws {RangeError} when it is none, which is a defect: whoever sorts or compares has checked before.
 */
export function parsedVersion(text: string): ParsedVersion {
  const value = parseVersion(text);
  if (value === undefined) throw new RangeError(`not a version: ${JSON.stringify(text)}`);
  return value;
}

/**
 * @returns below, at or above 0 as `a` precedes, equals or follows `b`.
 * @throws {RangeError} when either is not a version.
 */
export function compareVersions(a: string, b: string): number {
  return compareKeys(parsedVersion(a).key, parsedVersion(b).key);
}

/** Compares two of {@link ParsedVersion.key}. */
export function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** @throws {RangeError} when the text is not a version. */
export function isPrerelease(text: string): boolean {
  return parsedVersion(text).pre.length > 0;
}
