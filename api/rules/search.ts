/** What a search for packages asks for: words and `key:value` terms, as Hex's API takes them. */
import { type Micros, parseTimestamp } from "../../schemas/time.ts";

/** A part of a name: exactly it, or with anything at the ends. */
export interface NamePattern {
  readonly text: string;
  readonly openStart: boolean;
  readonly openEnd: boolean;
}

export interface FreeText {
  /** What a package's name is or contains. */
  readonly name: NamePattern;
  /** What its repository's name is or contains, too. */
  readonly repository?: NamePattern;
  /** Or any of these is in the description. */
  readonly words: readonly string[];
}

/** All parts that are there must match. */
export interface SearchTerms {
  readonly text?: FreeText;
  readonly name?: { readonly pattern: NamePattern; readonly repository?: string };
  /** Any of these is in the description. */
  readonly description?: readonly string[];
  /** What the latest release depends on; no repository: wherever a dependency is looked for. */
  readonly depends?: { readonly package: string; readonly repository?: string };
  readonly buildTool?: string;
  /** Also puts what was updated first at the front. */
  readonly updatedAfter?: Micros;
  /** Structures that the metadata's `extra` contains. */
  readonly extra?: readonly object[];
}

// A shorter text is part of too many names.
const SHORTEST_PART = 3;
const MOST_KEYS = 64;

/** @param search the parameter; what is not understood is ignored */
export function parseSearch(search: string): SearchTerms {
  const terms: { -readonly [Key in keyof SearchTerms]: SearchTerms[Key] } = {};
  const free: string[] = [];
  for (const token of tokens(search)) {
    if (token.key === undefined) free.push(token.value);
    else if (token.key === "name") terms.name = nameTerm(token.value);
    else if (token.key === "description") terms.description = words(token.value);
    else if (token.key === "depends") terms.depends = dependsTerm(token.value);
    else if (token.key === "build_tool") terms.buildTool = token.value;
    else if (token.key === "updated_after") {
      const at = utcInstant(token.value);
      if (at !== undefined) terms.updatedAfter = at;
    } else if (token.key === "extra") {
      const structure = extraTerm(token.value);
      if (structure === undefined) return { text: freeText(search.trim()) };
      terms.extra = [...(terms.extra ?? []), structure];
    }
  }
  if (free.length > 0) terms.text = freeText(free.join(" "));
  return terms;
}

interface Token {
  /** Undefined: a free word. */
  readonly key: string | undefined;
  readonly value: string;
}

/** A value may be quoted; quotes that are not closed go on to the end. */
function* tokens(search: string): Generator<Token> {
  for (const match of search.matchAll(/([^\s:]+):(?:"([^"]*)(?:"|$)|(\S*))|(\S+)/g)) {
    const [, key, quoted, bare, word] = match;
    yield { key, value: word ?? quoted ?? bare ?? "" };
  }
}

function freeText(text: string): FreeText {
  const slash = text.indexOf("/");
  if (slash < 0) return { name: part(text), words: words(text) };
  return {
    name: part(text.slice(slash + 1)),
    repository: part(text.slice(0, slash)),
    words: words(text),
  };
}

function part(text: string): NamePattern {
  const open = [...text].length >= SHORTEST_PART;
  return { text: text.toLowerCase(), openStart: open, openEnd: open };
}

/** @returns the text's words, without punctuation. */
function words(text: string): readonly string[] {
  return text.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "");
}

function nameTerm(value: string): NonNullable<SearchTerms["name"]> {
  const slash = value.indexOf("/");
  const text = value.slice(slash + 1);
  const openStart = text.startsWith("*");
  const openEnd = text.endsWith("*") && text.length > 1;
  const pattern = { text: text.slice(openStart ? 1 : 0, openEnd ? -1 : undefined), openStart, openEnd };
  return slash < 0 ? { pattern } : { pattern, repository: value.slice(0, slash) };
}

function dependsTerm(value: string): NonNullable<SearchTerms["depends"]> {
  const colon = value.indexOf(":");
  if (colon < 0) return { package: value };
  return { package: value.slice(colon + 1), repository: value.slice(0, colon) };
}

const UTC = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,6})\d*)?(?:Z|[+-]00:?00)$/;

function utcInstant(value: string): Micros | undefined {
  const [, day, time, fraction] = UTC.exec(value) ?? [];
  const seconds = Date.parse(`${day}T${time}Z`);
  // Dates that are not in the calendar roll over to others.
  if (Number.isNaN(seconds) || !new Date(seconds).toISOString().startsWith(`${day}T${time}`))
    return undefined;
  return parseTimestamp(`${day}T${time}${fraction === undefined ? "" : `.${fraction}`}Z`);
}

/** `K1,K2,V` is `{K1: {K2: V}}`. @returns undefined for what is none. */
function extraTerm(value: string): object | undefined {
  const list = /^(.*?),\[(.*)\]$/s.exec(value);
  const comma = value.lastIndexOf(",");
  if (comma < 0) return undefined;
  const keys = (list?.[1] ?? value.slice(0, comma)).split(",");
  if (keys.length > MOST_KEYS) return undefined;
  const leaf = list === null ? scalar(value.slice(comma + 1)) : (list[2] ?? "").split(",").map(scalar);
  return keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), leaf) as object;
}

function scalar(text: string): string | number {
  const number = Number(text);
  return /^[+-]?\d+$/.test(text) && Number.isSafeInteger(number) ? number : text;
}

/** @returns whether the name is what the pattern stands for. */
export function matchesName(pattern: NamePattern, name: string): boolean {
  if (pattern.openStart && pattern.openEnd) return name.includes(pattern.text);
  if (pattern.openStart) return name.endsWith(pattern.text);
  return pattern.openEnd ? name.startsWith(pattern.text) : name === pattern.text;
}
