import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { optionalData } from "../test/support/tools.ts";
import { gunzipOneMember } from "./gzip.ts";
import { publicKeyFingerprint } from "./public-key.ts";
import {
  decodeNames,
  decodePackage,
  decodeVersions,
  encodeNames,
  encodePackage,
  encodeVersions,
  type RegistryPackage,
} from "./registry.ts";
import { verifySigned } from "./sign.ts";

const text = fc.string({ unit: "binary", maxLength: 12 });
const optional = <T, K extends string>(key: K, value: fc.Arbitrary<T>): fc.Arbitrary<{ [Key in K]?: T }> =>
  fc
    .option(value, { nil: undefined })
    .map((some) => (some === undefined ? {} : { [key]: some }) as { [Key in K]?: T });
const all = (...parts: fc.Arbitrary<object>[]) =>
  fc.tuple(...parts).map((objects) => Object.assign({}, ...objects));

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
const timestamp = fc.record({
  seconds: fc.integer({ min: 0, max: 2 ** 33 }),
  nanos: fc.integer({ min: 0, max: 999_999_999 }),
});
const indexes = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 4 });
const dependency = all(
  fc.record({ package: text, requirement: text }),
  optional("optional", fc.constant(true)),
  optional("app", text),
  optional("repository", text),
);
const retired = all(
  fc.record({ reason: fc.constantFrom("other", "invalid", "security", "deprecated", "renamed") }),
  optional("message", text),
);
const release = all(
  fc.record({
    version: text,
    innerChecksum: bytes32,
    outerChecksum: bytes32,
    dependencies: fc.array(dependency, { maxLength: 3 }),
    advisoryIndexes: indexes,
  }),
  optional("retired", retired),
  optional("publishedAt", timestamp),
);
const advisory = all(
  fc.record({
    id: text,
    summary: text,
    htmlUrl: text,
    apiUrl: text,
    aliases: fc.array(text, { maxLength: 2 }),
  }),
  optional("severity", fc.constantFrom("none", "low", "medium", "high", "critical")),
  optional("cvssScore", fc.constantFrom(0, 5.5, 9.75)),
);
const registryPackage = all(
  fc.record({
    repository: text,
    name: text,
    releases: fc.array(release, { maxLength: 3 }),
    advisories: fc.array(advisory, { maxLength: 2 }),
  }),
  optional("revision", fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })),
) as fc.Arbitrary<RegistryPackage>;

describe("messages", () => {
  it("packages come back as they were", () => {
    fc.assert(
      fc.property(registryPackage, (message) => {
        expect(decodePackage(encodePackage(message))).toEqual(message);
      }),
    );
  });

  it("names and versions come back as they were", () => {
    const entries = fc.array(fc.record({ name: text, updatedAt: timestamp }));
    fc.assert(
      fc.property(entries, fc.integer({ min: 0, max: 2 ** 40 }), (packages, revision) => {
        const names = { repository: "local", packages, revision };
        expect(decodeNames(encodeNames(names))).toEqual(names);
      }),
    );
    const versions = fc.array(
      fc.record({ name: text, versions: fc.array(text), retired: indexes, withAdvisories: indexes }),
    );
    fc.assert(
      fc.property(versions, (packages) => {
        const message = { repository: "local", packages };
        expect(decodeVersions(encodeVersions(message))).toEqual(message);
      }),
    );
  });

  it("a reason that is not known yet is kept as its number", () => {
    const message: RegistryPackage = {
      repository: "local",
      name: "pear",
      releases: [
        {
          version: "1.0.0",
          innerChecksum: Buffer.alloc(32),
          outerChecksum: Buffer.alloc(32),
          dependencies: [],
          advisoryIndexes: [],
          retired: { reason: 17 },
        },
      ],
      advisories: [],
    };
    expect(decodePackage(encodePackage(message))).toEqual(message);
  });

  it("the revision is field 1000, which a decoder that does not know it skips", () => {
    const with_ = Buffer.from(encodeNames({ repository: "local", packages: [], revision: 5 }));
    const without = Buffer.from(encodeNames({ repository: "local", packages: [] }));
    expect(with_.toString("hex")).toBe(`${without.toString("hex")}c03e05`);
  });

  it.each([
    ["a text that is not UTF-8", Buffer.from("1202ff61", "hex")],
    ["no repository", Buffer.from("0a060a0470656172", "hex")],
    ["a length beyond the end", Buffer.from("12ff", "hex")],
    ["a group", Buffer.from("0b", "hex")],
  ])("%s is refused", (_, bytes) => {
    expect(() => decodeNames(bytes)).toThrow(expect.objectContaining({ code: "protobuf_malformed" }));
  });

  it("whatever the bytes are, there is an answer or the one error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        for (const decode of [decodeNames, decodeVersions, decodePackage]) {
          try {
            decode(bytes);
          } catch (error) {
            expect(error).toMatchObject({ code: "protobuf_malformed" });
          }
        }
      }),
    );
  });
});

const data = new URL("../../shared/data/", import.meta.url).pathname;

describe.runIf(optionalData(`${data}hexpm-public-key.pem`))("real files of hex.pm", () => {
  const readPem = () => readFileSync(`${data}hexpm-public-key.pem`, "utf8");

  it("have the fingerprint that hex.pm documents", () => {
    expect(publicKeyFingerprint(readPem())).toBe("SHA256:O1LOYhHFW4kcrblKAxROaDEzLD8bn1seWbe5tq8TRsk");
  });

  it.each(["renovate_test_package", "tls_certificate_check"])(
    "%s: verified, decoded, and encoded to the same bytes",
    (name) => {
      const file = readFileSync(`${data}hexpm-package-${name}.gz`);
      const payload = verifySigned(gunzipOneMember(file, 1 << 24), readPem());
      const message = decodePackage(payload);
      expect(message).toMatchObject({ name, repository: "hexpm" });
      expect(Buffer.from(encodePackage(message)).equals(payload)).toBe(true);
    },
  );
});
