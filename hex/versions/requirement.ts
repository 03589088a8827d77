/**
 * Requirements as Elixir's `Version.Requirement` has them: `~> 1.2 and != 1.3.0 or >= 2.0.0-rc`. Conditions
 * joined by `and` and `or`, of which `and` binds tighter; spaces alone separate; no parentheses.
 */
import { numberKey } from "./key.ts";
import { type ParsedVersion, parsedVersion, parseVersion } from "./version.ts";

/** Two spellings of "not": `!` is the older one. */
const OPERATORS = ["==", "!=", "!", ">=", "<=", "~>", ">", "<"] as const;
type Operator = (typeof OPERATORS)[number];

interface Condition {
  readonly operator: Operator;
  /** Of `~> 1.2` it is that of 1.2.0. */
  readonly version: ParsedVersion;
  /** For `~>`: how the keys of all versions below the upper bound begin. */
  readonly series: string;
}

/** A requirement taken apart. */
export interface Requirement {
  readonly text: string;
  /** One of them must hold, and of that one every condition. */
  readonly alternatives: readonly (readonly Condition[])[];
}

/** @returns undefined when Elixir's `Version.parse_requirement/1` would refuse the text. */
export function parseRequirement(text: string): Requirement | undefined {
  const words = text
    .split(" ")
    .filter((word) => word !== "")
    .values();
  const alternatives: Condition[][] = [[]];
  for (;;) {
    const condition = readCondition(words);
    if (condition === undefined) return undefined;
    alternatives.at(-1)?.push(condition);
    const joint = words.next();
    if (joint.done) return { text, alternatives };
    if (joint.value === "or") alternatives.push([]);
    else if (joint.value !== "and") return undefined;
  }
}

function readCondition(words: Iterator<string>): Condition | undefined {
  const word = nextWord(words);
  const operator = OPERATORS.find((one) => word.startsWith(one));
  if (operator === undefined) return condition("==", word);
  return condition(operator, word.slice(operator.length) || nextWord(words));
}

function nextWord(words: Iterator<string>): string {
  const { done, value } = words.next();
  return done ? "" : value;
}

function condition(operator: Operator, text: string): Condition | undefined {
  // Only `~>` takes two numbers. They end where a pre-release or build metadata begins.
  const [, two, rest = ""] = (operator === "~>" ? /^(\d+\.\d+)(?![\d.])(.*)$/s.exec(text) : null) ?? [];
  const version = parseVersion(two === undefined ? text : `${two}.0${rest}`);
  if (version === undefined) return undefined;
  const [major, minor] = version.numbers;
  const series = two === undefined ? [major, minor] : [major];
  return { operator, version, series: series.map(numberKey).join("") };
}

/** @returns whether the text is a requirement. */
export function isValidRequirement(text: string): boolean {
  return parseRequirement(text) !== undefined;
}

/** How to judge pre-releases. */
export interface MatchOptions {
  /**
   * When false, `>`, `>=` and `~>` refuse a pre-release unless their own version is one. Default true.
   */
  readonly allowPre?: boolean;
}

/**
 * @param version taken apart already where many requirements meet it
 * @returns whether the version is one of those that the requirement names; the same as Elixir's
 * `Version.match?/3` with `allow_pre`.
 * @throws {RangeError} when the version is none.
 */
export function matches(
  requirement: Requirement,
  version: ParsedVersion | string,
  { allowPre = true }: MatchOptions = {},
): boolean {
  const parsed = typeof version === "string" ? parsedVersion(version) : version;
  return requirement.alternatives.some((conditions) =>
    conditions.every((condition) => holds(condition, parsed, allowPre)),
  );
}

function holds(
  { operator, version, series }: Condition,
  candidate: ParsedVersion,
  allowPre: boolean,
): boolean {
  const preAccepted = allowPre || candidate.pre.length === 0 || version.pre.length > 0;
  switch (operator) {
    case "==":
      return candidate.key === version.key;
    case "!=":
    case "!":
      return candidate.key !== version.key;
    case "<":
      return candidate.key < version.key;
    case "<=":
      return candidate.key <= version.key;
    case ">":
      return candidate.key > version.key && preAccepted;
    case ">=":
      return candidate.key >= version.key && preAccepted;
    case "~>":
      // Of the upper bound itself pre-releases are no match either.
      return candidate.key >= version.key && candidate.key.startsWith(series) && preAccepted;
  }
}
