/** What a verification can be told, and what it says. */
import { describe, expect, it } from "vitest";
import { pemSigner } from "../proto/pem-signer.ts";
import { buildRepository, type Fault, memorySource, NAMES, PEAR } from "../test/support/sample-repository.ts";
import { newPrivateKeyPem, testSigner } from "../test/support/signing.ts";
import type { Source } from "./source.ts";
import { type VerifyOptions, verifyRepository } from "./verify.ts";

const signer = testSigner();
const foreign = pemSigner(newPrivateKeyPem());

async function findingsOf(options: VerifyOptions, fault: Fault = {}, change = (source: Source) => source) {
  const source = change(memorySource(await buildRepository(signer, fault)));
  const { findings } = await verifyRepository(source, options);
  return findings.map(({ key, check }) => `${key} ${check}`);
}

const stray: Fault = { files: { "tarballs/pear-2.0.0.tar": () => Buffer.from("x") } };
const SIGNED = ["names signature", "versions signature"];

describe("a verification", () => {
  it("trusts a key that is given more than the one that is served", async () => {
    expect(await findingsOf({ publicKeyPem: signer.publicKeyPem })).toEqual([]);
    const other = await findingsOf({ publicKeyPem: foreign.publicKeyPem });
    expect(other).toEqual(["names signature", "public_key public-key", "versions signature"]);
    const swapped: Fault = { files: { public_key: () => Buffer.from(foreign.publicKeyPem) } };
    expect(await findingsOf({}, swapped)).toEqual(SIGNED);
    expect(await findingsOf({ publicKeyPem: signer.publicKeyPem }, swapped)).toEqual([
      "public_key public-key",
    ]);
  });

  it("does not fall back on the served key when the given one cannot be read", async () => {
    expect(await findingsOf({ publicKeyPem: "no key" })).toEqual(["public_key public-key"]);
  });

  it("does without a name, which the files must agree on then", async () => {
    expect(await findingsOf({})).toEqual([]);
    expect(await findingsOf({}, { pear: { ...PEAR, repository: "x" } })).toEqual([
      "packages/pear repository",
    ]);
    const other = ["names repository", "packages/pear repository", "packages/plum repository"];
    expect(await findingsOf({ repositoryName: "other" })).toEqual([...other, "versions repository"]);
  });

  it("leaves tarballs unread, or strays unnamed", async () => {
    const lost: Fault = { files: { "tarballs/pear-1.0.0.tar": () => undefined } };
    expect(await findingsOf({ tarballs: false }, lost)).toEqual([]);
    expect(await findingsOf({ ignoreStrays: true }, stray)).toEqual([]);
  });

  it("has no strays where nothing can be listed", async () => {
    const unlisted = ({ description, read }: Source): Source => ({ description, read });
    expect(await findingsOf({}, stray, unlisted)).toEqual([]);
  });

  it("takes no tarball for a stray when the file that would name it is broken", async () => {
    expect(await findingsOf({}, { files: { "packages/pear": () => Buffer.from("x") } })).toEqual([
      "packages/pear gzip",
    ]);
  });

  it("asks for nothing outside the repository, whatever an index names", async () => {
    const asked: string[] = [];
    const watched = (source: Source): Source => ({
      ...source,
      read: (key, maxBytes) => {
        asked.push(key);
        return source.read(key, maxBytes);
      },
    });
    const names = { ...NAMES, packages: [{ name: "../../etc/passwd" }, { name: "a/b" }, { name: "" }] };
    await findingsOf({}, { names }, watched);
    expect(asked.filter((key) => key.startsWith("packages/"))).toEqual(["packages/pear", "packages/plum"]);
  });

  it("says nothing that steers a terminal or begins a new line", async () => {
    const names = { ...NAMES, packages: [{ name: "\u001b[2J\n\u202e" }, ...NAMES.packages] };
    const { findings } = await verifyRepository(memorySource(await buildRepository(signer, { names })));
    expect(findings.length).toBeGreaterThan(0);
    for (const { message } of findings) expect(message).toMatch(/^[^\p{Cc}\p{Cf}]+$/u);
  });

  it("notices every byte that is another", async () => {
    const files = await buildRepository(signer);
    for (const [key, start, step] of [
      // The ten bytes before are gzip's header; time and system in it change nothing.
      ["packages/plum", 10, 1],
      ["tarballs/pear-1.0.0.tar", 0, 97],
    ] as const) {
      const file = Buffer.from(files.get(key) ?? []);
      for (let at = start; at < file.length; at += step) {
        const damaged = Buffer.from(file);
        damaged[at] = (damaged[at] ?? 0) ^ 1;
        const source = memorySource(new Map([...files, [key, damaged]]));
        const { findings } = await verifyRepository(source, { tarballs: key.startsWith("tarballs/") });
        expect(
          findings.map((finding) => finding.key),
          `byte ${at}`,
        ).toEqual([key]);
      }
    }
  });
});
