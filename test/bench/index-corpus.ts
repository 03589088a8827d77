/**
 * Rows of the index files, shaped like a real registry's: names of words that come again, versions of which most are
 * patches, times to the microsecond. Deterministic.
 */
import { micros } from "../../schemas/time.ts";
import type { IndexRow } from "../../store/queries/registry.ts";
import { name, v } from "../support/rows.ts";
import { numbers } from "./corpus.ts";

const ONSETS = "b c d f g h j k l m n p r s t v w st tr pl cr ch ph".split(" ");
const VOWELS = "a e i o u ea oo y".split(" ");
const COMMON =
  "ex elixir phoenix plug ecto erl client api http json auth live view utils nerves ash absinthe oban bamboo";
const FIRST = 1_420_000_000_000_000;
const YEARS = 3.4e14;

/** @returns `packages` packages with about `releases` releases in all, in no particular order. */
export function indexCorpus(packages: number, releases: number): readonly IndexRow[] {
  const random = numbers(7);
  const pick = (list: readonly string[]) => list[Math.floor(random() * list.length)] ?? "";
  const names = packageNames(packages, random, pick);
  // Pareto-like: most packages have a few versions, some have hundreds.
  const weights = names.map(() => Math.min(300, (1 - random()) ** -0.8));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return names.map((text, index) => {
    const count = Math.max(1, Math.round(((weights[index] ?? 0) / sum) * releases));
    const versions = packageVersions(count, random);
    return {
      name: name(text),
      // More of them lately.
      updatedAt: micros(FIRST + Math.floor(Math.sqrt(random()) * YEARS)),
      versions: versions.map(v),
      retired: versions.map(() => random() < 0.02),
    };
  });
}

function packageNames(
  count: number,
  random: () => number,
  pick: (list: readonly string[]) => string,
): readonly string[] {
  const syllables = () =>
    Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(ONSETS) + pick(VOWELS));
  const words = Array.from({ length: 3_000 }, () => syllables().join(""));
  const common = COMMON.split(" ");
  const names = new Set<string>();
  while (names.size < count) {
    const more = Array.from({ length: Math.floor(random() * 2.6) }, () =>
      pick(random() < 0.3 ? common : words),
    );
    names.add([pick(random() < 0.4 ? common : words), ...more].join("_"));
  }
  return [...names];
}

function packageVersions(count: number, random: () => number): readonly string[] {
  let [major, minor, patch] = random() < 0.8 ? [0, 1, 0] : [1, 0, 0];
  return Array.from({ length: count }, () => {
    const version = `${major}.${minor}.${patch}${random() < 0.04 ? "-rc.1" : ""}`;
    const step = random();
    if (step < 0.62) patch += 1;
    else if (step < 0.94) [minor, patch] = [minor + 1, 0];
    else [major, minor, patch] = [major + 1, 0, 0];
    return version;
  });
}
