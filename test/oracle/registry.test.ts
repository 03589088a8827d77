/** Our encoder beside the one inside rebar3, on generated registries with the fields that it knows. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeNames, encodePackage, encodeVersions, type RegistryPackage } from "../../proto/registry.ts";
import { requireTool } from "../support/tools.ts";

const CASES = 200;
const text = fc.string({ unit: "grapheme", maxLength: 20 });
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const dependency = fc.record(
  { package: text, requirement: text, optional: fc.boolean(), app: text, repository: text },
  { requiredKeys: ["package", "requirement"] },
);
const release = fc.record(
  {
    version: text,
    innerChecksum: bytes32,
    outerChecksum: bytes32,
    dependencies: fc.array(dependency, { maxLength: 4 }),
    retired: fc.record(
      { reason: fc.constantFrom("other", "invalid", "security", "deprecated", "renamed"), message: text },
      { requiredKeys: ["reason"] },
    ),
  },
  { requiredKeys: ["version", "innerChecksum", "outerChecksum", "dependencies"] },
);
const registryPackage = fc.record({
  repository: text,
  name: text,
  releases: fc.array(release, { maxLength: 5 }),
});
const versions = fc.record({
  repository: text,
  packages: fc.array(
    fc.record({ name: text, versions: fc.array(text), retired: fc.array(fc.nat({ max: 300 })) }),
  ),
});
const names = fc.record({ repository: text, packages: fc.array(fc.record({ name: text })) });

/** A value as an Erlang term: text and bytes as binaries, lists, and the given maps. */
function term(value: unknown): string {
  if (typeof value === "string") return term(Buffer.from(value));
  if (value instanceof Uint8Array) return `<<${[...value].join(",")}>>`;
  if (Array.isArray(value)) return `[${value.map(term).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).map(([key, item]) => {
      const name = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      return `${name} => ${key === "reason" ? `'RETIRED_${String(item).toUpperCase()}'` : term(item)}`;
    });
    return `#{${fields.join(", ")}}`;
  }
  return String(value);
}

function oracle(terms: readonly string[]): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), "skep-oracle-"));
  try {
    const file = join(folder, "terms");
    writeFileSync(file, terms.map((each) => `${each}.\n`).join(""));
    const script = resolve(import.meta.dirname, "registry.escript");
    return execFileSync("escript", [script, file], { maxBuffer: 1 << 28 })
      .toString()
      .trimEnd()
      .split("\n");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe.runIf(requireTool("rebar3") && requireTool("escript"))("the encoder inside rebar3", () => {
  it("gives the same bytes for packages", () => {
    const packages = fc.sample(registryPackage, CASES);
    const theirs = oracle(packages.map((each) => `{package, ${term(each)}}`));
    const ours = packages.map((each) =>
      hex(
        encodePackage({
          ...each,
          releases: each.releases.map((one) => ({ ...one, advisoryIndexes: [] })),
          advisories: [],
        } as RegistryPackage),
      ),
    );
    expect(ours).toEqual(theirs);
  });

  it("gives the same bytes for versions", () => {
    const samples = fc.sample(versions, CASES);
    const theirs = oracle(samples.map((each) => `{versions, ${term(each)}}`));
    const ours = samples.map((each) =>
      hex(
        encodeVersions({ ...each, packages: each.packages.map((one) => ({ ...one, withAdvisories: [] })) }),
      ),
    );
    expect(ours).toEqual(theirs);
  });

  it("gives the same bytes for names", () => {
    const samples = fc.sample(names, CASES);
    const theirs = oracle(samples.map((each) => `{names, ${term(each)}}`));
    expect(samples.map((each) => hex(encodeNames(each)))).toEqual(theirs);
  });
});
