/** A registry in a folder is imported, written by the generator, exported, and built again: the same comes out. */
import { randomBytes } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildRegistry } from "../../cli/build/registry.ts";
import { parseRetirements, RETIREMENTS_FILE, type Retirements } from "../../cli/build/retirements.ts";
import { exportRepository } from "../../cli/export/repository.ts";
import type { Target } from "../../cli/import/package.ts";
import { importRepository } from "../../cli/import/repository.ts";
import { requireUser } from "../../cli/operator.ts";
import { type RepositoryName, repositoryName, trusted } from "../../hex/ids.ts";
import { gzipMember, packFiles } from "../../hex/tarball/build.ts";
import { directorySource } from "../../mirror/source-directory.ts";
import { httpSource } from "../../mirror/source-http.ts";
import { verifyRepository } from "../../mirror/verify.ts";
import { gunzipOneMember } from "../../proto/gzip.ts";
import { pemSigner } from "../../proto/pem-signer.ts";
import { decodePackage, type RegistryPackage } from "../../proto/registry.ts";
import { verifySigned } from "../../proto/sign.ts";
import { repositoryByName } from "../../store/queries/registry.ts";
import { NAME } from "../support/api-settings.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { newPrivateKeyPem, testSigner } from "../support/signing.ts";

const ACME = trusted(repositoryName, "acme");
const HEXPM = trusted(repositoryName, "hexpm");
const PUBLISHED = 1_600_000_000.123456;

let root: string;
let origin: string;
let registry: TestRegistry;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "skep-import-"));
  origin = join(root, "origin");
  registry = await startRegistry();
  await registry.user("ann");
  await registry.user("bob");
  const pear = { pear: { app: "pear", requirement: "~> 1.0", optional: true } };
  await put(origin, "pear", "1.0.0");
  await put(origin, "pear", "1.1.0-rc.1");
  await put(origin, "plum", "0.9.0", pear);
  await put(origin, "plum", "0.10.0", {
    ...pear,
    jason: { app: "jason_app", requirement: "~> 1.4 or ~> 2.0", optional: false, repository: "hexpm" },
  });
  await mkdir(join(origin, "docs"));
  await writeFile(join(origin, "docs/plum-0.10.0.tar.gz"), gzipMember(packFiles({ "index.html": "<p>" })));
  await build(
    origin,
    ACME,
    new Map([["pear", new Map([["1.0.0", { reason: "security", message: "no: not, ever" }]])]]),
  );
}, 60_000);
afterAll(async () => {
  await registry.stop();
  await rm(root, { recursive: true, force: true });
});

type Requirements = Record<string, Record<string, string | boolean>>;

async function put(
  folder: string,
  name: string,
  version: string,
  requirements: Requirements = {},
): Promise<void> {
  await mkdir(join(folder, "tarballs"), { recursive: true });
  const path = join(folder, "tarballs", `${name}-${version}.tar`);
  const metadata = { name, version, requirements, description: `${name} ${version}` };
  await writeFile(path, packageTarball({ metadata }));
  await utimes(path, PUBLISHED, PUBLISHED);
}

const build = (folder: string, repository: RepositoryName, retirements: Retirements) =>
  buildRegistry({
    folder,
    repository,
    external: HEXPM,
    signer: testSigner(),
    retirements,
    advisories: new Map(),
    newIdentity: false,
    allowRemovals: false,
    clock: () => new Date(),
  });

async function target(more: Partial<Target> = {}, owner = "ann"): Promise<Target> {
  const { sql } = registry.deps;
  const repository = await repositoryByName(sql, NAME);
  if (repository === undefined) throw new Error("no repository");
  return {
    sql,
    privateStore: registry.privateStore,
    repository,
    owner: await requireUser(sql, owner),
    docs: true,
    dryRun: false,
    uploadId: () => randomBytes(16).toString("hex"),
    audit: async () => undefined,
    ...more,
  };
}

const run = async (
  folder: string,
  more: Partial<Target> = {},
  owner?: string,
  publicKeyPem = testSigner().publicKeyPem,
) =>
  importRepository(await target(more, owner), directorySource(folder), {
    publicKeyPem,
    concurrency: 2,
    clock: () => new Date(),
  });

const written = () =>
  expect
    .poll(() => registry.database.sql`select from changes where visible_at is null`, { timeout: 10_000 })
    .toHaveLength(0);

const errorsOf = async (source: Parameters<typeof verifyRepository>[0]) =>
  (await verifyRepository(source, { repositoryName: NAME })).findings;

async function packageFile(folder: string, name: string): Promise<RegistryPackage> {
  const file = await readFile(join(folder, "packages", name));
  return decodePackage(verifySigned(gunzipOneMember(file, 1 << 20), testSigner().publicKeyPem));
}

it("says what would be imported, and changes nothing", async () => {
  expect(await run(origin, { dryRun: true })).toEqual({ packages: 2, imported: 4, present: 0, problems: [] });
  expect(await registry.database.sql`select from packages`).toHaveLength(0);
});

it("imports, exports and builds again: same releases, checksums and metadata", async () => {
  expect(await run(origin)).toEqual({ packages: 2, imported: 4, present: 0, problems: [] });
  await written();
  expect(await errorsOf(httpSource(`${registry.url}/repo`))).toEqual([]);
  expect((await (await registry.request("/packages/plum")).json()) as object).toMatchObject({
    meta: { description: "plum 0.10.0" },
    inserted_at: "2020-09-13T12:26:40.123456Z",
    owners: [{ username: "ann" }],
  });

  const folder = join(root, "exported");
  const repository = { name: NAME, public: true };
  const options = { folder, repository, deleteStrays: false };
  const report = await exportRepository(registry.publicStore, options);
  expect(report).toEqual({ files: 10, written: 10, strays: [] });
  expect(await exportRepository(registry.publicStore, options)).toEqual({
    files: 10,
    written: 0,
    strays: [],
  });
  expect(await errorsOf(directorySource(folder))).toEqual([]);
  for (const name of ["pear", "plum"]) {
    const [there, here] = [await packageFile(origin, name), await packageFile(folder, name)];
    expect(here.releases).toEqual(there.releases);
  }
  for (const key of ["tarballs/pear-1.0.0.tar", "docs/plum-0.10.0.tar.gz"]) {
    expect(await readFile(join(folder, key))).toEqual(await readFile(join(origin, key)));
  }

  const retirements = parseRetirements(await readFile(join(folder, RETIREMENTS_FILE), "utf8")) as Retirements;
  // To the byte what the generator had written.
  expect(await build(folder, NAME, retirements)).toMatchObject({
    read: 4,
    created: [],
    updated: [],
    removed: [],
  });
});

describe("a second import", () => {
  it("imports only what is new", async () => {
    const newer = join(root, "newer");
    await cp(origin, newer, { recursive: true });
    await put(newer, "plum", "1.0.0");
    await put(newer, "fig", "1.0.0");
    await build(newer, ACME, new Map());
    expect(await run(newer)).toEqual({ packages: 3, imported: 2, present: 4, problems: [] });
    expect(await run(newer)).toEqual({ packages: 3, imported: 0, present: 6, problems: [] });
    const answer = (await (await registry.request("/packages/plum")).json()) as object;
    expect(answer).toMatchObject({ meta: { description: "plum 1.0.0" } });
    await written();
    expect(await errorsOf(httpSource(`${registry.url}/repo`))).toEqual([]);
  });

  it("names what it leaves out: other bytes, broken tarballs, packages of others", async () => {
    const other = join(root, "other");
    await put(other, "pear", "1.0.0", { plum: { app: "plum", requirement: ">= 0.0.0", optional: false } });
    await put(other, "cherry", "1.0.0");
    await put(other, "cherry", "2.0.0");
    await put(other, "elixir", "1.0.0");
    await build(other, ACME, new Map());
    await writeFile(join(other, "tarballs/cherry-1.0.0.tar"), "spoilt");
    const report = await run(other);
    expect(report).toMatchObject({ imported: 1, present: 0 });
    expect(report.problems).toEqual([
      "cherry 1.0.0: its tarball has another SHA-256 than the registry says",
      "elixir: the name is reserved",
      expect.stringMatching(
        /^pear 1\.0\.0: is here already, with other bytes \(SHA-256 [0-9a-f]{64}, there [0-9a-f]{64}\)$/,
      ),
    ]);
    expect((await run(other, {}, "bob")).problems).toContain(
      "cherry: a package of this name is here already, and bob is no owner of it",
    );
  });

  it("imports nothing that the trusted key has not signed", async () => {
    const forged = join(root, "forged");
    await cp(origin, forged, { recursive: true });
    const publicKeyPem = pemSigner(newPrivateKeyPem()).publicKeyPem;
    await expect(run(forged, {}, "ann", publicKeyPem)).rejects.toThrow(
      "cannot be imported:\nnames: the signature",
    );
    await cp(join(forged, "packages/pear"), join(forged, "packages/plum"));
    expect((await run(forged)).problems).toEqual(['plum: packages/plum is of "acme/pear"']);
  });
});

it("does not write over another repository", async () => {
  const exporting = exportRepository(registry.publicStore, {
    folder: origin,
    repository: { name: NAME, public: true },
    deleteStrays: false,
  });
  await expect(exporting).rejects.toThrow("holds the repository acme");
});
