/**
 * The requirements of a package, in any of their encodings:
 * - pairs of a name and the pairs `app`, `optional`, `requirement`, `repository` (what clients write);
 * - a list of lists of such pairs, with `name` among them (clients before 2018, and `mix hex` again);
 * - maps in place of either list of pairs.
 */
import type { Term, TermPair } from "../terms/term.ts";
import { type MetadataObject, type MetadataValue, objectOf, proplist, textOf } from "./value.ts";

/** One dependency. Only its name is known to be text. */
export interface MetadataRequirement {
  readonly name: string;
  readonly app?: MetadataValue;
  readonly optional?: MetadataValue;
  readonly requirement?: MetadataValue;
  readonly repository?: MetadataValue;
}

/** `malformed` when they are not a list of maps in any encoding. No name is in the list twice. */
export type MetadataRequirements = readonly MetadataRequirement[] | "malformed";

/** @throws {MetadataError} `nul_character` */
export function readRequirements(term: Term): MetadataRequirements {
  const read = term.kind === "map" ? named(term.entries) : fromList(term);
  if (read === undefined) return "malformed";
  return [...new Map(read.map((requirement) => [requirement.name, requirement])).values()];
}

function fromList(term: Term): MetadataRequirement[] | undefined {
  if (term.kind !== "list") return undefined;
  const pairs = proplist(term);
  return pairs ? named(pairs) : complete(term.items.map((item) => unnamed(item)));
}

function named(pairs: readonly TermPair[]): MetadataRequirement[] | undefined {
  return complete(
    pairs.map(([key, value]) => {
      const fields = fieldsOf(value);
      return key.kind === "binary" && fields ? requirement(textOf(key.bytes), fields) : undefined;
    }),
  );
}

function unnamed(item: Term): MetadataRequirement | undefined {
  const fields = fieldsOf(item);
  return typeof fields?.name === "string" ? requirement(fields.name, fields) : undefined;
}

function fieldsOf(term: Term): MetadataObject | undefined {
  const pairs = term.kind === "map" ? term.entries : proplist(term);
  return pairs && objectOf(pairs);
}

const FIELDS = ["app", "optional", "requirement", "repository"] as const;

function requirement(name: string, fields: MetadataObject): MetadataRequirement {
  const known = FIELDS.flatMap((field) => {
    const value = fields[field];
    return value === undefined ? [] : [[field, value] as const];
  });
  return { name, ...Object.fromEntries(known) };
}

function complete<Item>(items: readonly (Item | undefined)[]): Item[] | undefined {
  const present = items.filter((item) => item !== undefined);
  return present.length === items.length ? present : undefined;
}
