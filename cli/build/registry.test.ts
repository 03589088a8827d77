import {
  appendFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { repositoryName, trusted } from "../../hex/ids.ts";
import { directorySource } from "../../mirror/source-directory.ts";
import { verifyRepository } from "../../mirror/verify.ts";
import { gunzipOneMember } from "../../proto/gzip.ts";
import { pemSigner } from "../../proto/pem-signer.ts";
import { decodeNames, decodePackage, decodeVersions } from "../../proto/registry.ts";
import { verifySigned } from "../../proto/sign.ts";
import { packageTarball } from "../../test/support/package-builder.ts";
import { newPrivateKeyPem, testSigner } from "../../test/support/signing.ts";
import { type BuildOptions, buildRegistry } from "./registry.ts";

const ACME = trusted(repositoryName, "acme");
const HEXPM = trusted(repositoryName, "hexpm");
const PUBLISHED = 1_700_000_000;
/** Later than the files' times by more than the cache asks for. */
const NOW = () => new Date(Date.now() + 60_000);

let root: string;
let folder: string;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "skep-build-"));
});
beforeEach(() => {
  folder = join(root, String(count++));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const build = (more: Partial<BuildOptions> = {}) =>
  buildRegistry({
    folder,
    repository: ACME,
    external: HEXPM,
    signer: testSigner(),
    retirements: new Map(),
    advisories: new Map(),
    newIdentity: false,
    allowRemovals: false,
    clock: NOW,
    ...more,
  });

type Requirements = Record<string, Record<string, string | boolean>>;

async function put(
  name: string,
  version: string,
  requirements: Requirements = {},
  content = "a",
): Promise<void> {
  await mkdir(join(folder, "tarballs"), { recursive: true });
  const path = join(folder, "tarballs", `${name}-${version}.tar`);
  const metadata = { name, version, requirements };
  await writeFile(path, packageTarball({ metadata, entries: [{ name: "mix.exs", content }] }));
  await utimes(path, PUBLISHED, PUBLISHED);
}

async function findings(): Promise<readonly string[]> {
  const report = await verifyRepository(directorySource(folder));
  return report.findings.map(({ severity, key, check }) => `${severity} ${key} ${check}`);
}

const payload = async (key: string) =>
  verifySigned(gunzipOneMember(await readFile(join(folder, key)), 1 << 20), testSigner().publicKeyPem);
const packageFile = async (name: string) => decodePackage(await payload(`packages/${name}`));
const versionsOf = async (name: string) => (await packageFile(name)).releases.map(({ version }) => version);

/** Everything that is served, by key. */
async function files(): Promise<ReadonlyMap<string, string>> {
  const keys = [];
  for await (const key of directorySource(folder).list?.("") ?? []) keys.push(key);
  return new Map(
    await Promise.all(
      keys.map(async (key) => [key, (await readFile(join(folder, key))).toString("base64")] as const),
    ),
  );
}

const cacheFile = () => join(folder, ".skep-build/cache");

describe("a registry from tarballs", () => {
  it("is begun in an empty folder, as Hex's own tool does", async () => {
    expect(await build()).toMatchObject({ packages: 0, created: ["public_key", "versions", "names"] });
    expect(await findings()).toEqual([]);
  });

  it("has every field, elided and sorted as the specification says", async () => {
    await put("pear", "1.10.0", {
      plum: { app: "plum", requirement: "~> 1.0", optional: false },
      jason: { app: "jason_app", requirement: "~> 1.0", optional: true },
      decimal: { app: "decimal", requirement: "~> 2.0", optional: false, repository: "hexpm" },
      grape: { app: "grape", requirement: "~> 3.0", optional: false, repository: "acme" },
    });
    await put("pear", "1.9.0");
    await put("plum", "1.0.0");
    const retirements = new Map([
      ["pear", new Map([["1.9.0", { reason: "security", message: "no" } as const]])],
    ]);
    const report = await build({ retirements });
    expect(report).toMatchObject({ packages: 2, releases: 3, read: 3, updated: [], removed: [] });
    expect(await findings()).toEqual([]);
    const publishedAt = { seconds: PUBLISHED, nanos: 0 };
    expect(await packageFile("pear")).toMatchObject({
      repository: "acme",
      revision: 1,
      releases: [
        { version: "1.9.0", retired: { reason: "security", message: "no" }, publishedAt },
        {
          version: "1.10.0",
          publishedAt,
          dependencies: [
            { package: "grape", requirement: "~> 3.0" },
            { package: "plum", requirement: "~> 1.0" },
            { package: "decimal", requirement: "~> 2.0", repository: "hexpm" },
            {
              package: "jason",
              requirement: "~> 1.0",
              app: "jason_app",
              optional: true,
              repository: "hexpm",
            },
          ],
        },
      ],
    });
    const [pear] = decodeVersions(await payload("versions")).packages;
    expect(pear).toEqual({ name: "pear", versions: ["1.9.0", "1.10.0"], retired: [0], withAdvisories: [] });
    expect(decodeNames(await payload("names")).packages[0]).toEqual({ name: "pear", updatedAt: publishedAt });
    expect((await packageFile("pear")).releases[1]?.dependencies[1]).not.toHaveProperty("optional");
  });
});

describe("the next run", () => {
  beforeEach(async () => {
    await put("pear", "1.0.0", { plum: { app: "plum", requirement: "~> 1.0", optional: false } });
    await put("pear", "1.1.0");
    await put("apple", "0.1.0");
    await build();
  });

  it("reads and writes nothing when nothing has changed", async () => {
    const before = await files();
    expect(await build()).toMatchObject({ read: 0, created: [], updated: [], removed: [], packages: 2 });
    expect(await files()).toEqual(before);
  });

  it("reads only what is new, and raises the revision of what changes", async () => {
    await put("pear", "1.2.0");
    expect(await build()).toMatchObject({ read: 1, updated: ["packages/pear", "versions", "names"] });
    expect(await versionsOf("pear")).toEqual(["1.0.0", "1.1.0", "1.2.0"]);
    expect((await packageFile("pear")).revision).toBe(2);
    expect((await packageFile("apple")).revision).toBe(1);
    expect(await findings()).toEqual([]);
  });

  it("notices a tarball that took another one's place, with its time and size", async () => {
    await put("apple", "0.1.0", {}, "b");
    expect(await build()).toMatchObject({ read: 1, updated: ["packages/apple", "names"] });
    expect(await findings()).toEqual([]);
  });

  it("keeps the times of publication when files are copied", async () => {
    const before = await files();
    const other = join(root, `copy-${count}`);
    await cp(folder, other, { recursive: true });
    await rm(join(other, ".skep-build"), { recursive: true });
    folder = other;
    expect(await build()).toMatchObject({ read: 3, created: [], updated: [] });
    expect(await files()).toEqual(before);
  });

  it.each([
    ["gone", () => rm(cacheFile()), false],
    ["damaged", () => appendFile(cacheFile(), "x"), true],
    ["empty", () => writeFile(cacheFile(), ""), true],
  ])("does the same with a cache that is %s", async (_, spoil, cacheDamaged) => {
    const before = await files();
    await spoil();
    expect(await build()).toMatchObject({ read: 3, created: [], updated: [], cacheDamaged });
    expect(await files()).toEqual(before);
    expect(await build()).toMatchObject({ read: 0, cacheDamaged: false });
  });

  it("looks again at tarballs that were young when they were read", async () => {
    await rm(cacheFile());
    await build({ clock: () => new Date() });
    expect(await build()).toMatchObject({ read: 3, updated: [] });
  });

  it("makes a file anew that somebody has changed", async () => {
    const before = await files();
    await writeFile(join(folder, "packages/pear"), "something");
    expect(await build()).toMatchObject({ read: 0, updated: ["packages/pear", "names"] });
    expect(await findings()).toEqual([]);
    expect((await files()).get("packages/apple")).toBe(before.get("packages/apple"));
  });

  it("points a dependency home when its package comes, and away when it goes", async () => {
    const dependency = async () => (await packageFile("pear")).releases[0]?.dependencies[0];
    expect(await dependency()).toEqual({ package: "plum", requirement: "~> 1.0", repository: "hexpm" });
    await put("plum", "1.0.0");
    expect(await build()).toMatchObject({ read: 1 });
    expect(await dependency()).toEqual({ package: "plum", requirement: "~> 1.0" });
    await rm(join(folder, "tarballs/plum-1.0.0.tar"));
    expect(await build()).toMatchObject({ read: 0, removed: ["packages/plum"] });
    expect(await dependency()).toMatchObject({ repository: "hexpm" });
    expect(await findings()).toEqual([]);
  });

  it("retires and unretires without reading", async () => {
    const retirements = new Map([
      ["apple", new Map([["0.1.0", { reason: "renamed", message: null } as const]])],
    ]);
    expect(await build({ retirements })).toMatchObject({
      read: 0,
      updated: ["packages/apple", "versions", "names"],
    });
    expect(await findings()).toEqual([]);
    expect((await packageFile("apple")).releases[0]?.retired).toEqual({ reason: "renamed" });
    await build();
    expect((await packageFile("apple")).releases[0]).not.toHaveProperty("retired");
  });

  it("leaves a registry that clients can use wherever it is cut off, and goes on from there", async () => {
    await put("pear", "1.2.0");
    await put("quince", "1.0.0");
    await rm(join(folder, "tarballs/apple-0.1.0.tar"));
    const steps: string[] = [];
    const original = join(root, `original-${count}`);
    await cp(folder, original, { recursive: true, preserveTimestamps: true });
    await build({ onStep: (key) => void steps.push(key) });
    const finished = await files();
    expect(steps).toEqual(["packages/pear", "packages/quince", "versions", "names", "packages/apple"]);
    for (const [at, last] of steps.entries()) {
      folder = join(root, `cut-${count}-${at}`);
      await cp(original, folder, { recursive: true, preserveTimestamps: true });
      const cut = build({
        onStep: (key) => {
          if (key === last) throw new Error("cut off");
        },
      });
      await expect(cut).rejects.toThrow("cut off");
      // Files that an index does not name yet, or that it names no more: nothing that is named is missing or wrong.
      const bad = (await findings()).filter((finding) => !/ (agreement|stray)$/.test(finding));
      expect(bad.filter((finding) => finding !== "error tarballs/apple-0.1.0.tar missing")).toEqual([]);
      await build();
      expect([...(await files()).keys()]).toEqual([...finished.keys()]);
      expect(await findings()).toEqual([]);
      expect(await versionsOf("pear")).toEqual(["1.0.0", "1.1.0", "1.2.0"]);
      await expect(readdir(join(folder, ".skep-build"))).resolves.toEqual(["cache"]);
    }
  });
});

describe("what it refuses, before anything is written", () => {
  async function refused(more: Partial<BuildOptions> = {}): Promise<string> {
    const before = await files();
    const message = await build(more).then(
      () => "built",
      (error: Error) => error.message,
    );
    expect(await files()).toEqual(before);
    return message.replaceAll(`${folder}/`, "");
  }

  beforeEach(async () => {
    await put("pear", "1.0.0");
    await build();
    await put("pear", "1.1.0");
  });

  it("names every tarball that is none", async () => {
    const tarballs = join(folder, "tarballs");
    await writeFile(join(tarballs, "apple-1.0.0.tar"), "no tar");
    await writeFile(join(tarballs, "Apple.tar"), "");
    await mkdir(join(tarballs, "fig-1.0.0.tar"));
    await writeFile(join(tarballs, "notes.txt"), "none of ours");
    await put("plum", "1.0.0");
    await rename(join(tarballs, "plum-1.0.0.tar"), join(tarballs, "plum-2.0.0.tar"));
    await put("cherry", "1.0.0", { pear: { app: "pear", requirement: "newest", optional: false } });
    const message = await refused();
    expect(message.split("\n")).toEqual([
      "5 problem(s), so nothing was changed:",
      "tarballs/Apple.tar: is not called NAME-VERSION.tar; give it its package's name and version",
      expect.stringMatching(
        /^tarballs\/apple-1\.0\.0\.tar: tarball error, .*; copy it again, or build the package anew$/,
      ),
      'tarballs/cherry-1.0.0.tar: its dependency "pear" has the requirement "newest", which is none; mend the package and build it anew',
      "tarballs/fig-1.0.0.tar: is not a file that can be read",
      'tarballs/plum-2.0.0.tar: its metadata name "plum" "1.0.0"; call the file after them',
    ]);
  });

  it("names a retirement of what is not there", async () => {
    const retirements = new Map([
      ["pear", new Map([["3.0.0", { reason: "other", message: null } as const]])],
    ]);
    expect(await refused({ retirements })).toContain("pear 3.0.0: is retired, but there is no tarball of it");
  });

  it("asks before it takes another key or another name", async () => {
    const signer = pemSigner(newPrivateKeyPem());
    expect(await refused({ signer })).toContain("give the key that signed this registry, or --new-identity");
    expect(await refused({ repository: HEXPM })).toContain("holds the registry acme: give --name acme");
    const { releases } = await packageFile("pear");
    await build({ signer, newIdentity: true });
    expect(await findings()).toEqual([]);
    const again = await build({ newIdentity: true });
    expect(again.updated).toEqual(["packages/pear", "public_key", "versions", "names"]);
    expect((await packageFile("pear")).releases[0]).toEqual(releases[0]);
  });

  it("asks before many packages go", async () => {
    for (let index = 0; index < 12; index++) await put(`fig${index}`, "1.0.0");
    await build();
    await rm(join(folder, "tarballs"), { recursive: true });
    expect(await refused()).toContain("13 of 13 packages have no tarball in tarballs any more");
    expect((await build({ allowRemovals: true })).removed).toHaveLength(13);
    expect(await findings()).toEqual([]);
  });
});
