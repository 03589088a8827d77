/** Our encoder against Hex's own, as it lies in rebar3: the same bytes for the same message. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { retirementReasons } from "../../proto/enums.ts";
import { gzipOneMember } from "../../proto/gzip.ts";
import {
  encodeNames,
  encodePackage,
  encodeVersions,
  type RegistryDependency,
  type RegistryNames,
  type RegistryPackage,
  type RegistryRelease,
  type RegistryVersions,
} from "../../proto/registry.ts";
import { signPayload } from "../../proto/sign.ts";
import { privateKeyOfTests, testSigner } from "../support/signing.ts";
import { requireTool } from "../support/tools.ts";
import { namesMessages, packageMessages, versionsMessages } from "./r3-registry-arbitraries.ts";

const run = promisify(execFile);
const hasRebar3 = requireTool("rebar3") && requireTool("escript");
const SAMPLE = { numRuns: 200, seed: 20_160_303 };

/** @returns the answers of one process to all terms, in their order. */
async function ask(terms: readonly string[]): Promise<readonly Buffer[]> {
  const folder = await mkdtemp(join(tmpdir(), "skep-r3-"));
  try {
    const file = join(folder, "terms");
    await writeFile(file, terms.map((term) => `${term}.\n`).join(""));
    const script = join(import.meta.dirname, "r3-registry.escript");
    const { stdout } = await run("escript", [script, file], { maxBuffer: 1 << 26 });
    return stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => Buffer.from(line, "base64"));
  } finally {
    await rm(folder, { recursive: true });
  }
}

function bin(value: string | Uint8Array): string {
  return `<<${[...Buffer.from(value)].join(",")}>>`;
}

/** A map of the fields that are there; each value is a term already. */
function map(fields: Readonly<Record<string, string | undefined>>): string {
  const there = Object.entries(fields).filter(([, term]) => term !== undefined);
  return `#{${there.map(([key, term]) => `${key} => ${term}`).join(",")}}`;
}

function list(terms: readonly (string | number)[]): string {
  return `[${terms.join(",")}]`;
}

function optional(value: string | Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : bin(value);
}

function namesTerm({ repository, packages }: RegistryNames): string {
  const entries = packages.map(({ name }) => map({ name: bin(name) }));
  return `{encode, encode_names, ${map({ repository: bin(repository), packages: list(entries) })}}`;
}

function versionsTerm({ repository, packages }: RegistryVersions): string {
  const entries = packages.map(({ name, versions, retired }) =>
    map({ name: bin(name), versions: list(versions.map(bin)), retired: list(retired) }),
  );
  return `{encode, encode_versions, ${map({ repository: bin(repository), packages: list(entries) })}}`;
}

function packageTerm({ repository, name, releases }: RegistryPackage): string {
  const fields = { repository: bin(repository), name: bin(name), releases: list(releases.map(releaseTerm)) };
  return `{encode, encode_package, ${map(fields)}}`;
}

function releaseTerm({ retired, ...release }: RegistryRelease): string {
  return map({
    version: bin(release.version),
    inner_checksum: bin(release.innerChecksum),
    outer_checksum: optional(release.outerChecksum),
    dependencies: list(release.dependencies.map(dependencyTerm)),
    retired:
      retired &&
      map({
        reason: String(retirementReasons.toNumber(retired.reason)),
        message: optional(retired.message),
      }),
  });
}

function dependencyTerm(dependency: RegistryDependency): string {
  return map({
    package: bin(dependency.package),
    requirement: bin(dependency.requirement),
    optional: dependency.optional?.toString(),
    app: optional(dependency.app),
    repository: optional(dependency.repository),
  });
}

// The encoder inside rebar3 3.19 is older than times, advisories and, of course, our revision.
function olderNames({ repository, packages }: RegistryNames): RegistryNames {
  return { repository, packages: packages.map(({ name }) => ({ name })) };
}

function olderVersions({ repository, packages }: RegistryVersions): RegistryVersions {
  return { repository, packages: packages.map((entry) => ({ ...entry, withAdvisories: [] })) };
}

function olderPackage({ repository, name, releases }: RegistryPackage): RegistryPackage {
  return {
    repository,
    name,
    advisories: [],
    releases: releases.map(({ publishedAt: _, ...release }) => ({ ...release, advisoryIndexes: [] })),
  };
}

describe.runIf(hasRebar3)("rebar3's encoder", () => {
  it("gives the same names, versions and packages", async () => {
    const names = fc.sample(namesMessages, SAMPLE).map(olderNames);
    const versions = fc.sample(versionsMessages, SAMPLE).map(olderVersions);
    const packages = fc.sample(packageMessages, SAMPLE).map(olderPackage);
    const theirs = await ask([
      ...names.map(namesTerm),
      ...versions.map(versionsTerm),
      ...packages.map(packageTerm),
    ]);
    const ours = [...names.map(encodeNames), ...versions.map(encodeVersions), ...packages.map(encodePackage)];
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
    expect(ours.map(hex)).toEqual(theirs.map(hex));
  });

  it("signs a payload to the same bytes", async () => {
    const payloads = fc.sample(namesMessages, { ...SAMPLE, numRuns: 5 }).map(encodeNames);
    const theirs = await ask(
      payloads.map((payload) => `{sign, ${bin(payload)}, ${bin(privateKeyOfTests())}}`),
    );
    const ours = await Promise.all(payloads.map((payload) => signPayload(payload, testSigner())));
    expect(ours.map((bytes) => Buffer.from(bytes))).toEqual(theirs);
  });

  it("reads a file with fields that it does not know", async () => {
    const payload = encodePackage({
      repository: "local",
      name: "plum",
      releases: [
        {
          version: "1.0.0",
          innerChecksum: Buffer.alloc(32, 1),
          outerChecksum: Buffer.alloc(32, 2),
          dependencies: [],
          retired: { reason: "security", message: "é" },
          advisoryIndexes: [0],
          publishedAt: { seconds: 1_700_000_000, nanos: 1_000 },
        },
      ],
      advisories: [
        { id: "X-1", summary: "bad", htmlUrl: "", severity: "high", cvssScore: 7.5, apiUrl: "", aliases: [] },
      ],
      revision: 2 ** 40,
    });
    const file = gzipOneMember(await signPayload(payload, testSigner()));
    const key = bin(testSigner().publicKeyPem);
    const answers = await ask([`{open, ${bin(file)}, ${bin("local")}, ${bin("plum")}, ${key}}`]);
    expect(answers.map(String)).toEqual(["1.0.0"]);
  });
});
