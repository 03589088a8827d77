/** What differs between two registry files, in words: what the store holds against what it is to hold. Pure. */
import type { RepositoryObject } from "../../hex/keys.ts";
import { type FieldDifference, pathText, plain, type Value } from "../../proto/compare/difference.ts";

/** More of one file help nobody. */
const LINES = 50;

/** @returns one line for each thing that a person would tell apart; the revision, which always differs, is none. */
export function wordsFor(
  object: RepositoryObject,
  differences: Iterable<FieldDifference>,
): readonly string[] {
  switch (object.kind) {
    case "names":
    case "versions":
      return indexWords(differences);
    case "package":
      return lines(differences, (difference) => packageWords(object.package, difference));
    default:
      return lines(differences, fieldWords);
  }
}

function lines(
  differences: Iterable<FieldDifference>,
  wordsOf: (difference: FieldDifference) => string,
): readonly string[] {
  const words = new Set<string>();
  let more = 0;
  for (const difference of differences) {
    if (pathText(difference.path) === "revision") continue;
    if (words.size < LINES) words.add(wordsOf(difference));
    else more += 1;
  }
  return more === 0 ? [...words] : [...words, `and ${more} more differences`];
}

function packageWords(name: string, difference: FieldDifference): string {
  const [first, second, third] = difference.path;
  const isRelease = first !== undefined && "field" in first && first.field === "releases";
  if (!isRelease || second === undefined || !("item" in second)) return `${name}: ${fieldWords(difference)}`;
  const release = `${name} ${second.item}`;
  if (third === undefined)
    return difference.wanted === undefined ? `${release} disappears` : appearance(release, difference.wanted);
  const field = "field" in third ? third.field : third.item;
  if (field === "retired") return retirementWords(release, difference);
  if (field === "outerChecksum" || field === "innerChecksum") return `${release} is replaced by other bytes`;
  if (field === "advisories")
    return `${release} is in ${listWords(difference.wanted, "advisory", "advisories")}`;
  return `${release}: ${fieldWords({ ...difference, path: difference.path.slice(2) })}`;
}

function appearance(release: string, value: Value | undefined): string {
  const reason = reasonOf(fieldOf(value, "retired"));
  return reason === undefined ? `${release} appears` : `${release} appears, retired (${reason})`;
}

function retirementWords(release: string, { path, stored, wanted }: FieldDifference): string {
  // A reason or a message of a retirement that stays.
  if (path.length > 3)
    return `${release} stays retired, ${fieldWords({ path: path.slice(3), stored, wanted })}`;
  const reason = reasonOf(wanted);
  return reason === undefined
    ? `${release} will be retired no longer`
    : `${release} will be retired (${reason})`;
}

function reasonOf(retirement: Value | undefined): string | undefined {
  const reason = fieldOf(retirement, "reason");
  return reason === undefined ? undefined : String(plain(reason));
}

function fieldOf(value: Value | undefined, field: string): Value | undefined {
  if (typeof value !== "object" || Array.isArray(value) || value instanceof Map) return undefined;
  return (value as { readonly [name: string]: Value | undefined })[field];
}

function listWords(value: Value | undefined, one: string, many: string): string {
  const items = Array.isArray(value) ? value.map(String) : [];
  if (items.length === 0) return `no ${one} any more`;
  return `the ${items.length === 1 ? one : many} ${items.join(", ")}`;
}

function fieldWords({ path, stored, wanted }: FieldDifference): string {
  const field = pathText(path);
  if (stored === undefined) return `${field} becomes ${valueText(wanted)}`;
  if (wanted === undefined) return `${field} goes, it was ${valueText(stored)}`;
  return `${field} becomes ${valueText(wanted)}, it was ${valueText(stored)}`;
}

function valueText(value: Value | undefined): string {
  const text = JSON.stringify(plain(value));
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}

function indexWords(differences: Iterable<FieldDifference>): readonly string[] {
  const [added, removed, changed] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const others: string[] = [];
  for (const difference of differences) {
    const [, item, field] = difference.path;
    if (item === undefined || !("item" in item)) {
      if (pathText(difference.path) !== "revision") others.push(fieldWords(difference));
    } else if (field !== undefined) changed.add(item.item);
    else (difference.wanted === undefined ? removed : added).add(item.item);
  }
  const counts = [
    countWords("+", added, ""),
    countWords("-", removed, ""),
    countWords("", changed, " changed"),
  ];
  const packages = counts.filter((text) => text !== "").join(", ");
  return packages === "" ? others : [packages, ...others];
}

function countWords(sign: string, { size }: ReadonlySet<string>, tail: string): string {
  return size === 0 ? "" : `${sign}${size} ${size === 1 ? "package" : "packages"}${tail}`;
}
