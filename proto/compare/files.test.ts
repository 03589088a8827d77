import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  encodeNames,
  encodePackage,
  encodeVersions,
  type RegistryPackage,
  type RegistryRelease,
  type RegistryVersions,
} from "../registry.ts";
import { pathText, plain } from "./difference.ts";
import { compareFiles, type RegistryFile } from "./files.ts";

const bytes = (digit: string) => Buffer.from(digit.repeat(64), "hex");
const release = (version: string, parts: Partial<RegistryRelease> = {}): RegistryRelease => ({
  version,
  innerChecksum: bytes("1"),
  outerChecksum: bytes("2"),
  dependencies: [],
  advisoryIndexes: [],
  ...parts,
});
const kiwi = (releases: readonly RegistryRelease[], parts: Partial<RegistryPackage> = {}) =>
  encodePackage({ repository: "local", name: "kiwi", releases, advisories: [], revision: 4, ...parts });
const entry = (
  name: string,
  versions: readonly string[] = ["1.0.0"],
  parts: Partial<RegistryVersions["packages"][number]> = {},
): RegistryVersions["packages"][number] => ({ name, versions, retired: [], withAdvisories: [], ...parts });
const index = (packages: RegistryVersions["packages"], revision = 7) =>
  encodeVersions({ repository: "local", packages, revision });

const compared = (kind: RegistryFile, stored: Uint8Array, wanted: Uint8Array) =>
  [...compareFiles(kind, stored, wanted)].map(({ path, stored: from, wanted: to }) => [
    pathText(path),
    plain(from),
    plain(to),
  ]);

describe("packages/NAME", () => {
  it("a retirement, by its release", () => {
    const retired = { reason: "security", message: "do not use it" } as const;
    const both = [release("1.0.0"), release("1.2.0", { retired })];
    expect(compared("package", kiwi([release("1.0.0"), release("1.2.0")]), kiwi(both))).toEqual([
      ["releases[1.2.0].retired", undefined, retired],
    ]);
  });

  it("a release more does not make those behind it differ", () => {
    const found = compared("package", kiwi([release("2.0.0")]), kiwi([release("1.0.0"), release("2.0.0")]));
    expect(found).toEqual([["releases[1.0.0]", undefined, expect.objectContaining({ dependencies: {} })]]);
  });

  it("dependencies by name, checksums as digits, times to the nanosecond, the revision", () => {
    const at = (nanos: number) => ({ publishedAt: { seconds: 1_700_000_000, nanos } });
    const needs = (requirement: string) => [{ package: "pear", requirement }];
    const stored = kiwi([release("1.0.0", { ...at(1_000), dependencies: needs("~> 1.0") })]);
    const wanted = kiwi(
      [release("1.0.0", { ...at(2_000), dependencies: needs("~> 2.0"), outerChecksum: bytes("3") })],
      { revision: 5 },
    );
    expect(compared("package", stored, wanted)).toEqual([
      ["releases[1.0.0].outerChecksum", "2".repeat(64), "3".repeat(64)],
      ["releases[1.0.0].dependencies[pear].requirement", "~> 1.0", "~> 2.0"],
      ["releases[1.0.0].publishedAt", "2023-11-14T22:13:20.000001000Z", "2023-11-14T22:13:20.000002000Z"],
      ["revision", 4, 5],
    ]);
  });

  it("advisories by id, whatever their place", () => {
    const advisory = (id: string) => ({ id, summary: "", htmlUrl: "", apiUrl: "", aliases: [] });
    const stored = kiwi([release("1.0.0", { advisoryIndexes: [0] })], { advisories: [advisory("B")] });
    const wanted = kiwi([release("1.0.0", { advisoryIndexes: [0, 1] })], {
      advisories: [advisory("A"), advisory("B")],
    });
    expect(compared("package", stored, wanted).map(([path, from, to]) => [path, from, to])).toEqual([
      ["releases[1.0.0].advisories", ["B"], ["A", "B"]],
      ["advisories[A]", undefined, expect.anything()],
    ]);
  });
});

describe("the indexes", () => {
  it("packages that come, go and differ, and the file's own fields", () => {
    const stored = index([entry("a"), entry("b", ["1.0.0", "1.1.0"]), entry("c")]);
    const wanted = index([entry("b", ["1.0.0", "1.1.0"], { retired: [1] }), entry("c"), entry("d")], 8);
    expect(compared("versions", stored, wanted)).toEqual([
      ["packages[a]", { versions: { "1.0.0": { retired: false, withAdvisories: false } } }, undefined],
      ["packages[b].versions[1.1.0].retired", false, true],
      ["packages[d]", undefined, { versions: { "1.0.0": { retired: false, withAdvisories: false } } }],
      ["revision", 7, 8],
    ]);
  });

  it("names: when a package was updated", () => {
    const names = (nanos: number) =>
      encodeNames({ repository: "local", packages: [{ name: "a", updatedAt: { seconds: 0, nanos } }] });
    expect(compared("names", names(0), names(1_000))).toEqual([
      ["packages[a].updatedAt", "1970-01-01T00:00:00.000000000Z", "1970-01-01T00:00:00.000001000Z"],
    ]);
  });

  it("any two: as many packages as were taken away or added", () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,5}$/);
    const sets = fc.uniqueArray(name, { maxLength: 12 });
    fc.assert(
      fc.property(sets, sets, (left, right) => {
        const file = (names: readonly string[]) => index([...names].sort().map((one) => entry(one)));
        const all = new Set([...left, ...right]);
        const wanted = [...all].filter((one) => left.includes(one) !== right.includes(one)).sort();
        expect(compared("versions", file(left), file(right)).map(([path]) => path)).toEqual(
          wanted.map((one) => `packages[${one}]`),
        );
      }),
    );
  });

  it("one that is cut off is told, not crashed on", () => {
    const whole = index([entry("a"), entry("b")]);
    expect(() => compared("versions", whole.subarray(0, whole.length - 5), whole)).toThrow(
      expect.objectContaining({ code: "protobuf_malformed" }),
    );
  });
});
