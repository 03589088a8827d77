import { createHash, createPublicKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import { gunzipOneMember, gzipOneMember } from "../proto/gzip.ts";
import { pemSigner } from "../proto/pem-signer.ts";
import { encodePolicy } from "../proto/policy.ts";
import {
  encodeNames,
  type RegistryDependency,
  type RegistryPackage,
  type RegistryRelease,
  type RegistryVersions,
} from "../proto/registry.ts";
import { openSigned, signPayload, wrapSigned } from "../proto/sign.ts";
import {
  buildRepository,
  dependencies,
  type Fault,
  memorySource,
  NAMES,
  PEAR,
  PLUM,
  pack,
  VERSIONS,
} from "../test/support/sample-repository.ts";
import { newPrivateKeyPem, privateKeyOfTests, testSigner } from "../test/support/signing.ts";
import { CHECKS } from "./report.ts";
import { verifyRepository } from "./verify.ts";

const signer = testSigner();

async function findingsOf(fault: Fault): Promise<readonly string[]> {
  const source = memorySource(await buildRepository(signer, fault), fault.headers);
  const { findings } = await verifyRepository(source, { repositoryName: "local" });
  return findings.map(({ severity, key, check }) => `${severity} ${key} ${check}`);
}

/** With one release of the package changed; index -1 is the last one. */
function changed(file: RegistryPackage, index: number, more: Partial<RegistryRelease>): RegistryPackage {
  const at = index < 0 ? file.releases.length + index : index;
  return { ...file, releases: file.releases.map((one, i) => (i === at ? { ...one, ...more } : one)) };
}

/** With the entry of plum changed. */
function plumEntry(more: Partial<RegistryVersions["packages"][number]>): RegistryVersions {
  return {
    ...VERSIONS,
    packages: VERSIONS.packages.map((entry) => (entry.name === "plum" ? { ...entry, ...more } : entry)),
  };
}

function withDependency(more: Partial<RegistryDependency>): RegistryPackage {
  return changed(PLUM, 0, { dependencies: [{ package: "pear", requirement: "1.0.0", ...more }] });
}

function rezip(change: (signed: Uint8Array) => Uint8Array): (file: Uint8Array) => Uint8Array {
  return (file) => gzipOneMember(change(gunzipOneMember(file, 1 << 20)));
}

/** Another plum 0.10.0, with the checksums that belong to its bytes. */
function otherTarball(tarball: Buffer, innerChecksum: Uint8Array): Fault {
  const outerChecksum = createHash("sha256").update(tarball).digest();
  return {
    plum: changed(PLUM, -1, { outerChecksum, innerChecksum }),
    files: { "tarballs/plum-0.10.0.tar": () => tarball },
  };
}

const concat = (...parts: readonly Uint8Array[]) => Buffer.concat(parts);
const text = (value: string) => () => Buffer.from(value);
const none = () => undefined;
const reversed = <T>(list: readonly T[]): readonly T[] => [...list].reverse();
const PKCS1 = createPublicKey(signer.publicKeyPem).export({ type: "pkcs1", format: "pem" }).toString();
const packageOf = (name: string) => ({ name, versions: ["1.0.0"], retired: [], withAdvisories: [] });
const etag = (value: string, more: readonly (readonly [string, string])[] = []) =>
  new Map([["etag", value], ...more]);
const everyFile = (check: string) =>
  [
    "names",
    "packages/pear",
    "packages/plum",
    "tarballs/pear-1.0.0.tar",
    "tarballs/pear-1.1.0.tar",
    "tarballs/plum-0.10.0.tar",
    "tarballs/plum-0.9.0.tar",
    "versions",
  ].map((key) => check.replace("*", key));

const FAULTS: readonly (readonly [title: string, fault: Fault, ...findings: readonly string[]])[] = [
  ["no public key", { files: { public_key: none } }, "error public_key missing"],
  ["no names", { files: { names: none } }, "error names missing"],
  ["no versions", { files: { versions: none } }, "error versions missing"],
  ["no indexes", { files: { names: none, versions: none } }, "error names missing", "error versions missing"],
  ["no package file", { files: { "packages/plum": none } }, "error packages/plum missing"],
  ["no tarball", { files: { "tarballs/plum-0.9.0.tar": none } }, "error tarballs/plum-0.9.0.tar missing"],
  [
    "a file too large",
    { files: { "packages/pear": () => Buffer.alloc((16 << 20) + 1) } },
    "error packages/pear unreadable",
  ],
  ["a second member", { files: { names: (file) => concat(file, file) } }, "error names gzip"],
  [
    "zeros behind",
    { files: { "packages/pear": (file) => concat(file, Buffer.alloc(1)) } },
    "error packages/pear gzip",
  ],
  ["no gzip", { files: { versions: (file) => gunzipOneMember(file, 1 << 20) } }, "error versions gzip"],
  [
    "a bomb",
    { files: { "packages/pear": () => gzipOneMember(Buffer.alloc((16 << 20) + 1)) } },
    "error packages/pear gzip",
  ],
  [
    "another message",
    { payloads: { "packages/plum": () => Buffer.from("no message") } },
    "error packages/plum protobuf",
  ],
  [
    "an unknown field",
    { payloads: { names: (payload) => concat(payload, Buffer.from("983f01", "hex")) } },
    "warning names canonical",
  ],
  [
    "a changed payload",
    {
      files: {
        names: rezip((signed) =>
          wrapSigned(encodeNames({ ...NAMES, revision: 7 }), openSigned(signed).signature ?? signed),
        ),
      },
    },
    "error names signature",
  ],
  [
    "no signature",
    { files: { versions: rezip((signed) => wrapSigned(openSigned(signed).payload, new Uint8Array())) } },
    "error versions signature",
  ],
  ["a public key of PKCS#1", { files: { public_key: text(PKCS1) } }, "warning public_key public-key"],
  [
    "a private key for all to see",
    { files: { public_key: text(privateKeyOfTests()) } },
    "error public_key public-key",
  ],
  ["names of another repository", { names: { ...NAMES, repository: "x" } }, "error names repository"],
  [
    "versions of another repository",
    { versions: { ...VERSIONS, repository: "x" } },
    "error versions repository",
  ],
  [
    "a package of another repository",
    { pear: { ...PEAR, repository: "x" } },
    "error packages/pear repository",
  ],
  [
    "another package's file, validly signed",
    { files: { "packages/plum": (_, all) => all.get("packages/pear") } },
    "error packages/plum name",
  ],
  [
    "a name that leaves the folder",
    {
      names: { ...NAMES, packages: [{ name: "../x" }, ...NAMES.packages] },
      versions: { ...VERSIONS, packages: [packageOf("../x"), ...VERSIONS.packages] },
    },
    "error names name",
    "error versions name",
  ],
  ["unsorted names", { names: { ...NAMES, packages: reversed(NAMES.packages) } }, "error names order"],
  [
    "unsorted versions",
    { versions: { ...VERSIONS, packages: reversed(VERSIONS.packages) } },
    "error versions order",
  ],
  [
    "a name twice",
    { names: { ...NAMES, packages: NAMES.packages.flatMap((one) => [one, one]) } },
    "error names order",
  ],
  [
    "a package's versions as text sorts them",
    { versions: plumEntry({ versions: ["0.10.0", "0.9.0"], withAdvisories: [0] }) },
    "error versions order",
  ],
  [
    "releases as text sorts them",
    { plum: { ...PLUM, releases: reversed(PLUM.releases) } },
    "error packages/plum order",
  ],
  ["an index twice", { versions: plumEntry({ withAdvisories: [1, 1] }) }, "warning versions order"],
  [
    "unsorted advisory indexes",
    { plum: changed(PLUM, -1, { advisoryIndexes: [1, 0] }) },
    "warning packages/plum order",
  ],
  [
    "unsorted advisories",
    { plum: { ...PLUM, advisories: reversed(PLUM.advisories) } },
    "warning packages/plum order",
  ],
  [
    "unsorted dependencies",
    { plum: changed(PLUM, 0, { dependencies: reversed(dependencies) }) },
    "warning packages/plum order",
  ],
  [
    "what is no version",
    { versions: plumEntry({ versions: ["0.9", "0.10.0"] }), plum: changed(PLUM, 0, { version: "0.9" }) },
    "error packages/plum version",
    "warning tarballs/plum-0.9.0.tar stray",
    "error versions version",
  ],
  [
    "a package without releases",
    { versions: plumEntry({ versions: [], withAdvisories: [] }), plum: { ...PLUM, releases: [] } },
    "error packages/plum empty",
    "warning tarballs/plum-0.10.0.tar stray",
    "warning tarballs/plum-0.9.0.tar stray",
    "error versions empty",
  ],
  ["a retirement of nothing", { versions: plumEntry({ retired: [2] }) }, "error versions indexes"],
  ["an index below zero", { versions: plumEntry({ withAdvisories: [-1, 1] }) }, "error versions indexes"],
  [
    "an advisory that is not there",
    { plum: changed(PLUM, -1, { advisoryIndexes: [0, 2] }) },
    "error packages/plum indexes",
  ],
  ["names without a package", { names: { ...NAMES, packages: [{ name: "pear" }] } }, "error names agreement"],
  [
    "versions without a package",
    { versions: { ...VERSIONS, packages: VERSIONS.packages.slice(0, 1) } },
    "error versions agreement",
  ],
  [
    "versions without a version",
    { versions: plumEntry({ versions: ["0.10.0"], withAdvisories: [0] }) },
    "error packages/plum agreement",
  ],
  [
    "versions without a retirement",
    { pear: changed(PEAR, 0, { retired: { reason: "other" } }) },
    "error packages/pear agreement",
  ],
  [
    "versions without advisories",
    { versions: plumEntry({ withAdvisories: [] }) },
    "error packages/plum agreement",
  ],
  [
    "a short inner checksum",
    { pear: changed(PEAR, 0, { innerChecksum: Buffer.alloc(31) }) },
    "error packages/pear checksum",
    "error tarballs/pear-1.0.0.tar checksum",
  ],
  [
    "another inner checksum",
    { pear: changed(PEAR, 0, { innerChecksum: Buffer.alloc(32) }) },
    "error tarballs/pear-1.0.0.tar checksum",
  ],
  [
    "no outer checksum",
    { pear: changed(PEAR, 0, { outerChecksum: new Uint8Array() }) },
    "error packages/pear checksum",
    "error tarballs/pear-1.0.0.tar checksum",
  ],
  [
    "another tarball",
    { files: { "tarballs/pear-1.0.0.tar": () => pack("pear", "1.1.0").tarball } },
    "error tarballs/pear-1.0.0.tar checksum",
  ],
  [
    "a tarball that is none",
    otherTarball(Buffer.from("no tar"), Buffer.alloc(32)),
    "error tarballs/plum-0.10.0.tar tarball",
  ],
  [
    "a tarball of another release",
    otherTarball(pack("pear", "1.0.0").tarball, pack("pear", "1.0.0").innerChecksum),
    "error tarballs/plum-0.10.0.tar tarball",
  ],
  ["optional=false", { plum: withDependency({ optional: false }) }, "warning packages/plum gleam-optional"],
  ["an app that says nothing", { plum: withDependency({ app: "pear" }) }, "warning packages/plum redundant"],
  [
    "a repository that says nothing",
    { plum: withDependency({ repository: "local" }) },
    "warning packages/plum redundant",
  ],
  ["a package nobody names", { files: { "packages/apple": text("x") } }, "warning packages/apple stray"],
  [
    "a tarball nobody names",
    { files: { "tarballs/pear-2.0.0.tar": text("x") } },
    "warning tarballs/pear-2.0.0.tar stray",
  ],
  [
    "docs nobody names",
    { files: { "docs/pear-2.0.0.tar.gz": text("x") } },
    "warning docs/pear-2.0.0.tar.gz stray",
  ],
  ["no ETag", { headers: new Map() }, ...everyFile("error * headers")],
  ["a weak ETag", { headers: etag('W/"1"') }, ...everyFile("warning * headers")],
  [
    "a Content-Encoding",
    { headers: etag('"1"', [["content-encoding", "gzip"]]) },
    ...everyFile("error * headers"),
  ],
];

describe("a repository", () => {
  it("without fault has no finding", async () => {
    const seen: string[] = [];
    const report = await verifyRepository(memorySource(await buildRepository(signer), etag('"1"')), {
      repositoryName: "local",
      publicKeyPem: signer.publicKeyPem,
      onProgress: (done, total) => seen.push(`${done}/${total}`),
    });
    expect(report).toMatchObject({
      findings: [],
      files: 9,
      packages: 2,
      releases: 4,
      revisions: { names: 8, versions: 9 },
    });
    expect(seen).toEqual(["1/2", "2/2"]);
  });

  for (const [title, fault, ...findings] of FAULTS) {
    it(`with ${title} has just that finding`, async () => {
      expect(await findingsOf(fault)).toEqual(findings);
    });
  }

  it("has a fault in this table for every check", () => {
    const found = new Set(FAULTS.flatMap(([, , ...findings]) => findings.map((line) => line.split(" ")[2])));
    expect([...CHECKS].filter((check) => !found.has(check))).toEqual([]);
  });
});

describe("policies", () => {
  const policy = { repository: "local", name: "strict", visibility: "private", repositories: [] } as const;
  const signed = async (bytes: Uint8Array, by = signer) => gzipOneMember(await signPayload(bytes, by));

  it.each<[string, () => Uint8Array | Promise<Uint8Array>, readonly string[]]>([
    ["a whole one", () => signed(encodePolicy(policy)), []],
    ["of another repository", () => signed(encodePolicy({ ...policy, repository: "acme" })), ["repository"]],
    ["of another name", () => signed(encodePolicy({ ...policy, name: "lax" })), ["name"]],
    ["none", () => signed(Buffer.from("0a00", "hex")), ["protobuf"]],
    ["bytes", text("x"), ["gzip"]],
    ["somebody else's", () => signed(encodePolicy(policy), pemSigner(newPrivateKeyPem())), ["signature"]],
  ])("%s", async (_, make, checks) => {
    const file = await make();
    const found = await findingsOf({ files: { "policies/strict": () => file } });
    expect(found).toEqual(checks.map((check) => `error policies/strict ${check}`));
  });

  it("another file in their folder is a stray", async () => {
    expect(await findingsOf({ files: { "policies/a.b": text("x") } })).toEqual([
      "warning policies/a.b stray",
    ]);
  });
});
