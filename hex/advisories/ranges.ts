/** Which versions an advisory is about (OSV schema, `affected[].ranges` and `affected[].versions`). */
import { compareVersions, parseVersion } from "../versions/version.ts";

/** What happens at a version; `0` is the introduction before all versions. */
export type RangeEvent =
  | { readonly introduced: string }
  | { readonly fixed: string }
  | { readonly last_affected: string }
  | { readonly limit: string };

export interface Affected {
  /** Each range has its events in ascending order. */
  readonly ranges: readonly (readonly RangeEvent[])[];
  /** Besides those in the ranges. */
  readonly versions: readonly string[];
}

/** Below every version. */
export const EVERY = "0";

/** @returns whether the version is in one of the ranges or in the list. */
export function isAffected(version: string, { ranges, versions }: Affected): boolean {
  if (parseVersion(version) === undefined) return false;
  return (
    versions.some((listed) => compareVersions(listed, version) === 0) ||
    ranges.some((events) => inRange(version, events))
  );
}

/** The algorithm of the OSV schema: what the events up to the version have made of it. */
function inRange(version: string, events: readonly RangeEvent[]): boolean {
  let affected = false;
  for (const event of events) {
    if ("introduced" in event)
      affected ||= event.introduced === EVERY || compareVersions(version, event.introduced) >= 0;
    else if ("fixed" in event) affected &&= compareVersions(version, event.fixed) < 0;
    else if ("last_affected" in event) affected &&= compareVersions(version, event.last_affected) <= 0;
  }
  return affected && !isBeyondLimits(version, events);
}

function isBeyondLimits(version: string, events: readonly RangeEvent[]): boolean {
  const limits = events.flatMap((event) => ("limit" in event && event.limit !== "*" ? [event.limit] : []));
  return limits.length > 0 && limits.every((limit) => compareVersions(version, limit) >= 0);
}

/** @returns the versions as requirements, for people: `>= 1.0.0 and < 1.2.3`. */
export function affectedRequirements(affected: Affected): readonly string[] {
  const { ranges, versions } = affected;
  const listed = versions.filter((version) => !ranges.some((events) => inRange(version, events)));
  return [...new Set([...ranges.flatMap(rangeRequirements), ...listed.map((version) => `== ${version}`)])];
}

function rangeRequirements(events: readonly RangeEvent[]): readonly string[] {
  const found: string[] = [];
  let from: string | undefined;
  for (const event of events) {
    if ("introduced" in event) from ??= event.introduced;
    else if (from !== undefined && "fixed" in event) {
      found.push(between(from, `< ${event.fixed}`));
      from = undefined;
    } else if (from !== undefined && "last_affected" in event) {
      found.push(between(from, `<= ${event.last_affected}`));
      from = undefined;
    }
  }
  if (from !== undefined) found.push(from === EVERY ? ">= 0.0.0" : `>= ${from}`);
  return found;
}

function between(from: string, end: string): string {
  return from === EVERY ? end : `>= ${from} and ${end}`;
}
