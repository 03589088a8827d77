/** What `skep build` makes, read by rebar3's hex_core, and beside what Hex's own `mix hex.registry build` makes. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildRegistry } from "../../cli/build/registry.ts";
import { repositoryName, trusted } from "../../hex/ids.ts";
import { gunzipOneMember } from "../../proto/gzip.ts";
import { decodeNames, decodePackage, decodeVersions, type RegistryPackage } from "../../proto/registry.ts";
import { verifySigned } from "../../proto/sign.ts";
import { packageTarball } from "../support/package-builder.ts";
import { privateKeyOfTests, testSigner } from "../support/signing.ts";
import { optionalMixHex, requireTool } from "../support/tools.ts";

const run = promisify(execFile);
const hasRebar3 = requireTool("rebar3") && requireTool("escript");
const PUBLISHED = 1_650_000_000;

let root: string;
let folder: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "skep-built-"));
  folder = join(root, "public");
  await mkdir(join(folder, "tarballs"), { recursive: true });
  const requirement = { app: "pear", requirement: "~> 1.0", optional: false };
  await put("pear", "1.2.0", {});
  await put("pear", "1.10.0", {
    plum: { ...requirement, app: "plum_app", optional: true, repository: "acme" },
  });
  await put("pear", "1.10.0-rc.1", {});
  await put("plum", "0.1.0", {
    pear: { ...requirement, repository: "acme" },
    jason: { ...requirement, app: "jason", repository: "hexpm" },
  });
  await buildRegistry({
    folder,
    repository: trusted(repositoryName, "acme"),
    external: trusted(repositoryName, "hexpm"),
    signer: testSigner(),
    retirements: new Map(),
    advisories: new Map(),
    newIdentity: false,
    allowRemovals: false,
    clock: () => new Date(),
  });
});
afterAll(() => rm(root, { recursive: true, force: true }));

type Requirements = Record<string, Record<string, string | boolean>>;

async function put(name: string, version: string, requirements: Requirements): Promise<void> {
  const path = join(folder, "tarballs", `${name}-${version}.tar`);
  await writeFile(path, packageTarball({ metadata: { name, version, requirements } }));
  await utimes(path, PUBLISHED, PUBLISHED);
}

const payload = async (of: string, key: string) =>
  verifySigned(gunzipOneMember(await readFile(join(of, key)), 1 << 20), testSigner().publicKeyPem);

it.runIf(hasRebar3)("is read by hex_core", async () => {
  const bin = (bytes: Uint8Array) => `<<${[...bytes].join(",")}>>`;
  const [key, versions, plum] = await Promise.all(
    ["public_key", "versions", "packages/plum"].map(async (name) => bin(await readFile(join(folder, name)))),
  );
  const terms = join(root, "terms");
  await writeFile(
    terms,
    `{versions, ${versions}, <<"acme">>, ${key}}.\n{open, ${plum}, <<"acme">>, <<"plum">>, ${key}}.\n`,
  );
  const { stdout } = await run("escript", [
    resolve(import.meta.dirname, "../oracle/r3-registry.escript"),
    terms,
  ]);
  const answers = stdout
    .trim()
    .split("\n")
    .map((line) => Buffer.from(line, "base64").toString());
  expect(answers).toEqual(["pear 1.2.0 1.10.0-rc.1 1.10.0\nplum 0.1.0\n", "0.1.0"]);
});

describe.runIf(optionalMixHex())("mix hex.registry build", () => {
  it("says the same of the same folder, but for what it leaves out and writes too much", async () => {
    const theirs = join(root, "mix");
    await mkdir(theirs);
    await cp(join(folder, "tarballs"), join(theirs, "tarballs"), {
      recursive: true,
      preserveTimestamps: true,
    });
    await writeFile(join(root, "key.pem"), privateKeyOfTests());
    const env = { ...process.env, HEX_HOME: join(root, "hex"), HEX_OFFLINE: "1", LC_ALL: "C.UTF-8" };
    const args = ["hex.registry", "build", theirs, "--name=acme", `--private-key=${join(root, "key.pem")}`];
    await run("mix", args, { env, cwd: root, timeout: 60_000 });

    for (const name of ["pear", "plum"]) {
      const [mine, other] = await Promise.all(
        [folder, theirs].map(async (of) => decodePackage(await payload(of, `packages/${name}`))),
      );
      if (mine === undefined || other === undefined) throw new Error("no package");
      expect(mine.releases.every(({ publishedAt }) => publishedAt?.seconds === PUBLISHED)).toBe(true);
      expect(comparable(mine)).toEqual(comparable(other));
    }
    const { revision: _, ...versions } = decodeVersions(await payload(folder, "versions"));
    expect(versions).toEqual(decodeVersions(await payload(theirs, "versions")));
    const { revision: __, ...names } = decodeNames(await payload(folder, "names"));
    expect(names).toEqual(decodeNames(await payload(theirs, "names")));
  });
});

/** Without what only one of them writes, and with what it means where it is left out. */
function comparable({ repository, name, releases }: RegistryPackage): object {
  return {
    repository,
    name,
    releases: releases.map(({ publishedAt: _, dependencies, ...release }) => ({
      ...release,
      dependencies: dependencies
        .map((dependency) => ({ app: dependency.package, repository, optional: false, ...dependency }))
        .sort((a, b) => (a.package < b.package ? -1 : 1)),
    })),
  };
}
