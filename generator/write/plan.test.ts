import { describe, expect, it } from "vitest";
import { packageName, sha256, trusted, version } from "../../hex/ids.ts";
import { HEADER_RULES_VERSION } from "../../hex/keys.ts";
import type { DesiredObject } from "../build/objects.ts";
import type { CurrentObject } from "./metadata.ts";
import { type PlanInput, planWrites } from "./plan.ts";

const pear = trusted(packageName, "pear");
const one = trusted(version, "1.0.0");
const hash = (digit: string) => trusted(sha256, digit.repeat(64));

const file = (digit: string): DesiredObject => ({
  key: "packages/pear",
  object: { kind: "package", package: pear },
  package: pear,
  payloadHash: hash(digit),
  keyFingerprint: "ours",
  revision: 1,
  source: { kind: "sign", payload: new Uint8Array() },
});
const current = (digit: string, parts: Partial<CurrentObject> = {}): CurrentObject => ({
  etag: "etag",
  generation: 1,
  payloadHash: hash(digit),
  headerVersion: HEADER_RULES_VERSION,
  keyFingerprint: "ours",
  ...parts,
});

function plan(input: Partial<PlanInput>) {
  return planWrites({
    desired: [],
    current: new Map(),
    recorded: new Map(),
    isOwn: (name) => name === undefined,
    isLive: () => false,
    ...input,
  });
}
const at = (key: string, object: CurrentObject) => new Map([[key, object]]);
const keys = (items: readonly { readonly key: string }[]) => items.map((item) => item.key);

describe("an object that is wanted", () => {
  it("is put when there is none", () => {
    expect(plan({ desired: [file("a")] }).puts).toEqual([{ desired: file("a"), known: undefined }]);
  });

  it("is left alone when payload, key and header rules are the same", () => {
    const same = at("packages/pear", current("a"));
    expect(plan({ desired: [file("a")], current: same, recorded: same })).toMatchObject({
      puts: [],
      adopt: [],
    });
  });

  it.each([
    ["another payload", current("b")],
    ["another key", current("a", { keyFingerprint: "theirs" })],
    ["older header rules", current("a", { headerVersion: 0 })],
    ["lost metadata", current("a", { payloadHash: undefined })],
  ])("is put over %s", (_, known) => {
    const planned = plan({ desired: [file("a")], current: at("packages/pear", known) });
    expect(planned.puts).toEqual([{ desired: file("a"), known }]);
  });

  it("is adopted when it is right and not recorded", () => {
    const known = current("a");
    expect(plan({ desired: [file("a")], current: at("packages/pear", known) })).toMatchObject({
      puts: [],
      adopt: [{ desired: file("a"), known }],
    });
  });
});

describe("an object that is not wanted", () => {
  it("is removed at once when it is a package's file", () => {
    const planned = plan({ current: at("packages/pear", current("a")) });
    expect([keys(planned.removals), keys(planned.retire)]).toEqual([["packages/pear"], []]);
  });

  it.each(["tarballs/pear-1.0.0.tar", "docs/pear-1.0.0.tar.gz"])(
    "%s waits for its grace when the release is gone",
    (key) => {
      const planned = plan({ current: at(key, current("a")) });
      expect([keys(planned.removals), keys(planned.retire)]).toEqual([[], [key]]);
    },
  );

  it.each(["api/packages/pear", "api/packages/pear/releases/1.0.0"])("%s goes at once", (key) => {
    for (const isLive of [() => true, () => false]) {
      const planned = plan({ current: at(key, current("a")), isLive });
      expect([keys(planned.removals), keys(planned.retire)]).toEqual([[key], []]);
    }
  });

  it("docs that were taken back go at once; the tarball of a release that is held stays", () => {
    const isLive = (name: string, text: string) => name === pear && text === one;
    const docs = plan({ current: at("docs/pear-1.0.0.tar.gz", current("a")), isLive });
    expect([keys(docs.removals), keys(docs.retire)]).toEqual([["docs/pear-1.0.0.tar.gz"], []]);
    const tarball = plan({ current: at("tarballs/pear-1.0.0.tar", current("a")), isLive });
    expect([keys(tarball.removals), keys(tarball.retire)]).toEqual([[], []]);
  });

  it("is never the repository's own file, nor one that no layout of ours explains", () => {
    for (const key of ["names", "public_key", "somebody/else"]) {
      const planned = plan({ current: at(key, current("a")) });
      expect([planned.removals, planned.retire]).toEqual([[], []]);
    }
  });

  it("is forgotten when it is only in the books", () => {
    expect(plan({ recorded: at("packages/pear", current("a")) }).forget).toEqual(["packages/pear"]);
  });
});

describe("what lies under an earlier name of the repository", () => {
  it.each([
    ["repos/old/names", null],
    ["repos/old/public_key", null],
    ["repos/old/policies/strict", null],
    ["repos/old/packages/pear", "pear"],
  ])("%s is removed", (key, name) => {
    const known = at(key, current("a"));
    const { removals, retire } = plan({ current: known, recorded: known, isLive: () => true });
    expect(removals).toEqual([{ key, package: name, known: current("a") }]);
    expect(retire).toEqual([]);
  });

  it("a tarball goes after a grace, although its release lives on elsewhere", () => {
    const key = "repos/old/tarballs/pear-1.0.0.tar";
    const known = at(key, current("a"));
    const { removals, retire } = plan({ current: known, recorded: known, isLive: () => true });
    expect([removals, keys(retire)]).toEqual([[], [key]]);
  });
});
