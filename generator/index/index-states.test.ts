import { describe, expect, it } from "vitest";
import type { Revision } from "../../store/queries/changes.ts";
import { name } from "../../test/support/rows.ts";
import { changedPackages } from "./index-states.ts";

const at = (revision: number, ...names: string[]): Revision => ({
  revision,
  mark: `mark ${revision}`,
  packages: names.map(name),
});
const held = { revision: 5, mark: "mark 5" };

describe("what has changed since", () => {
  it.each([
    ["nothing", [at(5)], 5, []],
    ["some packages", [at(5, "own"), at(6, "a", "b"), at(7), at(8, "a")], 8, ["a", "b", "a"]],
  ])("%s", (_, revisions, current, changed) => {
    expect(changedPackages(held, revisions, current)).toEqual(changed);
  });

  it.each([
    ["a revision is missing", held, [at(5), at(7, "a")], 7],
    ["the last is missing", held, [at(5), at(6, "a")], 7],
    ["its own is missing", held, [at(6, "a")], 6],
    ["its own is another one", held, [{ ...at(5), mark: "of another history" }, at(6, "a")], 6],
    ["its own was missing from the start", { revision: 5, mark: undefined }, [at(6, "a")], 6],
    ["the database has gone back", held, [], 4],
  ])("cannot be told when %s", (_, state, revisions, current) => {
    expect(changedPackages(state, revisions, current)).toBeUndefined();
  });
});
