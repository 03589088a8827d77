/** `skep build` as people call it: no configuration, no database. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { packageTarball } from "../support/package-builder.ts";
import { privateKeyOfTests } from "../support/signing.ts";
import { type SkepFolder, skepFolder } from "./skep.ts";

let skep: SkepFolder;
let root: string;
beforeAll(async () => {
  skep = await skepFolder();
  root = await mkdtemp(join(tmpdir(), "skep-build-cli-"));
  await mkdir(join(root, "public/tarballs"), { recursive: true });
  await writeFile(join(root, "public/tarballs/example-1.0.0.tar"), packageTarball());
  await writeFile(join(root, "key.pem"), privateKeyOfTests(), { mode: 0o600 });
});
afterAll(async () => {
  await skep.remove();
  await rm(root, { recursive: true, force: true });
});

const folder = () => join(root, "public");
const build = async (...more: readonly string[]) => {
  const args = ["build", folder(), "--name", "acme", "--private-key", join(root, "key.pem"), ...more];
  const { code, stdout, stderr } = await skep.run(args);
  const short = (text: string) => text.replaceAll(`${root}/`, "").trim().split("\n");
  return { code, stdout: short(stdout), stderr: short(stderr) };
};

it("builds, retires, and says what is wrong", async () => {
  expect(await build()).toEqual({
    code: 0,
    stdout: ["packages/example", "public_key", "versions", "names"].map((key) => `* creating public/${key}`),
    stderr: ["1 packages, 1 releases; read 1 tarballs"],
  });
  await writeFile(join(folder(), "retirements.yaml"), "example:\n  1.0.0: {reason: old}\n");
  expect(await build()).toEqual({
    code: 2,
    stdout: [""],
    stderr: [
      "skep: public/retirements.yaml cannot be used:",
      expect.stringMatching(/^example 1\.0\.0 reason: .*"deprecated"/),
    ],
  });
  await writeFile(join(folder(), "retirements.yaml"), "example:\n  1.0.0: {reason: deprecated}\n");
  expect((await build()).stdout).toEqual(
    ["packages/example", "versions", "names"].map((key) => `* updating public/${key}`),
  );
  expect(await build("--private-key", join(root, "none.pem"))).toMatchObject({
    code: 2,
    stderr: [
      "skep: there is no signing key in none.pem: make one with `openssl genrsa -out FILE 2048`, and keep a backup of it",
    ],
  });
  await writeFile(join(folder(), "tarballs/broken-1.0.0.tar"), "no tar");
  expect(await build()).toMatchObject({
    code: 1,
    stderr: [
      "skep: 1 problem(s), so nothing was changed:",
      expect.stringMatching(/^public\/tarballs\/broken-1\.0\.0\.tar: tarball error/),
    ],
  });
});
