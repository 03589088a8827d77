import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  type PackageOverrides,
  packageTarball,
  type RawEntry,
  verdict,
} from "../../test/support/package-builder.ts";
import { optionalData } from "../../test/support/tools.ts";
import { GNU_MAGIC } from "./tar-header.ts";
import { readTarball, readTarballMetadata } from "./tarball.ts";

const ACCEPTED = "mix.exs lib/example.ex";

const GLEAM_FIELDS: RawEntry["fields"] = [
  ["magic", GNU_MAGIC],
  ["uid", Buffer.alloc(8)],
  ["gid", Buffer.alloc(8)],
  ["devMajor", Buffer.alloc(8)],
];

/** Changes one entry of the outer tar. */
function change(name: string, changes: Partial<RawEntry>): PackageOverrides {
  return {
    outer: (entries) => entries.map((entry) => (entry.name === name ? { ...entry, ...changes } : entry)),
  };
}

function without(name: string): PackageOverrides {
  return { outer: (entries) => entries.filter((entry) => entry.name !== name) };
}

function and(...more: RawEntry[]): PackageOverrides {
  return { outer: (entries) => [...entries, ...more] };
}

describe("readTarball", () => {
  it("gives what is in a package", async () => {
    const tarball = packageTarball({
      metadata: { requirements: { dep: { app: "dep", requirement: "~> 1.0" } } },
    });
    const read = await readTarball(tarball);
    expect(read.outerChecksum).toBe(createHash("sha256").update(tarball).digest("hex"));
    expect(read.innerChecksum).toHaveLength(32);
    expect(read.files).toEqual([
      { path: "mix.exs", kind: "file" },
      { path: "lib/example.ex", kind: "file" },
    ]);
    expect(read.metadata).toMatchObject({
      name: "example",
      buildTools: ["mix"],
      requirements: [{ name: "dep", app: "dep", requirement: "~> 1.0" }],
    });
    expect(read.metadataFile.toString()).toContain('{<<"name">>,<<"example">>}.');
  });

  const legal: [what: string, overrides: PackageOverrides][] = [
    ["an honest package", {}],
    ["a CHECKSUM in lower case", { checksum: (correct) => correct.toLowerCase() }],
    ["a CHECKSUM with a line feed", { checksum: (correct) => `${correct}\n` }],
    ["a metadata key that is there twice", { metadataFile: '{<<"name">>,1}.{<<"name">>,2}.' }],
    ["entries in another order", { outer: (entries) => entries.toReversed() }],
    ["a whole record of zeros at the end", { outerEnd: Buffer.alloc(10_240) }],
    [
      "GNU headers without owners, as gleam writes them",
      { outer: (entries) => entries.map((entry) => ({ ...entry, fields: GLEAM_FIELDS })) },
    ],
    ["an old type flag", change("VERSION", { type: "\0" })],
    ["a header without a format", change("VERSION", { fields: [["magic", Buffer.alloc(8)]] })],
    ["numbers with spaces", change("VERSION", { fields: [["size", "         1 \0"]] })],
    ["a size in GNU's base 256", change("VERSION", { fields: [["size", base256(1n)]] })],
  ];

  it.each(legal)("accepts %s", async (_what, overrides) => {
    expect(await verdict(packageTarball(overrides))).toBe(ACCEPTED);
  });

  const name = (path: string): string => `tarball error, ${path}`;
  const refused: [what: string, overrides: PackageOverrides, refusal: string][] = [
    ["no VERSION", without("VERSION"), 'files_missing: missing files: ["VERSION"]'],
    ["no CHECKSUM", without("CHECKSUM"), 'files_missing: missing files: ["CHECKSUM"]'],
    ["no metadata", without("metadata.config"), 'files_missing: missing files: ["metadata.config"]'],
    ["no contents", without("contents.tar.gz"), 'files_missing: missing files: ["contents.tar.gz"]'],
    ["no files", { outer: () => [] }, 'files_missing: missing files: ["VERSION"]'],
    ["a long VERSION", { version: "3".repeat(33) }, "file_too_big: file too big: VERSION"],
    ["a long CHECKSUM", { checksum: () => "0".repeat(129) }, "file_too_big: file too big: CHECKSUM"],
    [
      "long metadata",
      { metadataFile: " ".repeat(2 ** 20 + 1) },
      "file_too_big: file too big: metadata.config",
    ],
    ["version 4", { version: "4" }, 'version_unsupported: unsupported version: <<"4">>'],
    ["a line feed", { version: "3\n" }, 'version_unsupported: unsupported version: <<"3\\n">>'],
    ["no version", { version: "" }, "version_unsupported: unsupported version: <<>>"],
    ["a binary version", { version: "\u0001" }, "version_unsupported: unsupported version: <<1>>"],
    [
      "another CHECKSUM",
      { checksum: () => "0".repeat(64) },
      `checksum_mismatch: tarball error, inner_checksum_mismatch: expected ${"0".repeat(64)}, actual `,
    ],
    ...["", "00", "0".repeat(63), "G".repeat(64), `${"0".repeat(64)}\r\n`, `${"0".repeat(64)}\n\n`].map(
      (checksum): [string, PackageOverrides, string] => [
        `the CHECKSUM ${JSON.stringify(checksum)}`,
        { checksum: () => checksum },
        "checksum_invalid: tarball error, invalid_inner_checksum",
      ],
    ),
    [
      "no metadata keys",
      { metadataFile: "" },
      "metadata_invalid: error reading package metadata: invalid terms",
    ],
    [
      "metadata without a dot",
      { metadataFile: '{<<"name">>,<<"a">>}' },
      "metadata_invalid: error reading package metadata: invalid terms",
    ],
    [
      "metadata that are no pairs",
      { metadataFile: "[]." },
      "metadata_invalid: error reading package metadata: not in key-value format",
    ],
    [
      "an unknown atom",
      { metadataFile: "{asdf,1}." },
      "metadata_invalid: error reading package metadata: illegal atom asdf",
    ],
    [
      "a comment",
      { metadataFile: "% a" },
      'metadata_invalid: error reading package metadata: illegal characters "% a"',
    ],
    // Gleam would unpack the first contents, hex_core the last.
    [
      "two contents, the good ones last",
      { outer: (entries) => [{ name: "contents.tar.gz", content: "evil" }, ...entries] },
      `entry_invalid: ${name("duplicate entry: contents.tar.gz")}`,
    ],
    [
      "two VERSIONs",
      and({ name: "VERSION", content: "3" }),
      `entry_invalid: ${name("duplicate entry: VERSION")}`,
    ],
    ["an unknown entry", and({ name: "extra" }), `entry_invalid: ${name("unknown entry: extra")}`],
    [
      "names that begin with ./",
      { outer: (entries) => entries.map((entry) => ({ ...entry, name: `./${entry.name}` })) },
      `entry_invalid: ${name("unknown entry: ./VERSION")}`,
    ],
    [
      "a name in capitals",
      change("CHECKSUM", { name: "Checksum" }),
      `entry_invalid: ${name("unknown entry: Checksum")}`,
    ],
    ["a folder", and({ name: "docs/", type: "5" }), `entry_invalid: ${name("unknown entry: docs/")}`],
    ["a hard link", change("VERSION", { type: "1" }), `entry_invalid: ${name("not a plain file: VERSION")}`],
    [
      "a symbolic link",
      change("VERSION", { type: "2" }),
      `entry_invalid: ${name("not a plain file: VERSION")}`,
    ],
    [
      "a sparse file",
      change("VERSION", { type: "S" }),
      `entry_invalid: ${name("not a plain file: VERSION")}`,
    ],
    ["a global header", and({ name: "g", type: "g" }), `entry_invalid: ${name("unknown entry: g")}`],
    [
      "an extended header",
      change("VERSION", { name: "V", pax: { path: "VERSION" } }),
      `entry_invalid: ${name("not a plain file: VERSION")}`,
    ],
    [
      "a wrong header checksum",
      change("metadata.config", { badChecksum: true }),
      `tar_invalid: ${name("Checksum failed")}`,
    ],
    [
      "an unknown format",
      change("VERSION", { fields: [["magic", "ustar\x0001"]] }),
      `tar_invalid: ${name("Unrecognized tar header format")}`,
    ],
    [
      "a prefix of another format",
      change("VERSION", { fields: [["tail", "\0\0\0\0\0\0\0\0tar\0"]] }),
      `tar_invalid: ${name("Unrecognized tar header format: unexpected tail")}`,
    ],
    [
      "digits with a gap",
      change("VERSION", { fields: [["size", "00000 00001\0"]] }),
      `tar_invalid: ${name("Unrecognized tar header format: invalid size")}`,
    ],
    [
      "no size",
      change("VERSION", { fields: [["size", Buffer.alloc(12)]] }),
      `tar_invalid: ${name("Unrecognized tar header format: invalid size")}`,
    ],
    [
      "a negative size",
      change("VERSION", { fields: [["size", Buffer.alloc(12, 0xff)]] }),
      `tar_invalid: ${name("Unrecognized tar header format: invalid size")}`,
    ],
    [
      "a time that is no number",
      change("VERSION", { fields: [["mtime", "yesterday"]] }),
      `tar_invalid: ${name("Unrecognized tar header format: invalid mtime")}`,
    ],
    [
      "bytes behind the end of a name",
      change("VERSION", { name: "VERSION\0hidden" }),
      `tar_invalid: ${name("Unrecognized tar header format: NUL in the name")}`,
    ],
    [
      "data in the padding",
      change("VERSION", { padding: "hidden" }),
      `tar_invalid: ${name("Data in the padding of an entry")}`,
    ],
    [
      "data after the end",
      { outerEnd: Buffer.concat([Buffer.alloc(1024), Buffer.from("hidden")]) },
      `tar_invalid: ${name("Invalid end of archive")}`,
    ],
    [
      "another tar after the end",
      { outerEnd: Buffer.concat([Buffer.alloc(1024), packageTarball()]) },
      `tar_invalid: ${name("Invalid end of archive")}`,
    ],
    ["no end", { outerEnd: Buffer.alloc(0) }, `tar_invalid: ${name("Unexpected end of file")}`],
    ["half an end", { outerEnd: Buffer.alloc(512) }, `tar_invalid: ${name("Unexpected end of file")}`],
    ["a broken end", { outerEnd: Buffer.alloc(1100) }, `tar_invalid: ${name("Unexpected end of file")}`],
    [
      "a size beyond the end",
      change("contents.tar.gz", { size: 1_000_000 }),
      `tar_invalid: ${name("Unexpected end of file")}`,
    ],
    [
      "a size of 10 GiB",
      change("contents.tar.gz", { fields: [["size", base256(10n * 2n ** 30n)]] }),
      `too_big: ${name("Extraction size exceeds the configured max_size limit")}`,
    ],
  ];

  it.each(refused)("refuses %s", async (_what, overrides, expected) => {
    expect((await verdict(packageTarball(overrides))).slice(0, expected.length)).toBe(expected);
  });

  it("refuses what is no tar", async () => {
    const eof = `tar_invalid: ${name("Unexpected end of file")}`;
    expect(await verdict(Buffer.alloc(0))).toBe(eof);
    expect(await verdict(Buffer.from("badtar"))).toBe(eof);
    expect(await verdict(Buffer.alloc(600, "a"))).toBe(`tar_invalid: ${name("Checksum failed")}`);
  });

  it("refuses more than 16 MiB, and not one byte less", async () => {
    const end = (total: number): Buffer =>
      Buffer.alloc(total - packageTarball({ outerEnd: Buffer.alloc(0) }).length);
    const limit = 16_777_216;
    expect(await verdict(packageTarball({ outerEnd: end(limit) }))).toBe(ACCEPTED);
    expect(await verdict(packageTarball({ outerEnd: end(limit + 1) }))).toBe(
      `too_big: ${name("Extraction size exceeds the configured max_size limit")}`,
    );
  });

  it("does not look at the contents for the metadata alone", async () => {
    const tarball = packageTarball({ contents: () => Buffer.from("no gzip") });
    expect(readTarballMetadata(tarball).metadata.name).toBe("example");
    expect(await verdict(tarball)).toBe("contents_gzip: inner tarball error, not in gzip format");
  });
});

const shared = join(import.meta.dirname, "../../../shared/data");

describe.runIf(optionalData(shared))("real packages", () => {
  const folders = [shared, join(shared, "small-private-registry/tarballs")];
  // Read also where the suite is left out, when there is nothing to read.
  const tarballs = folders
    .filter(existsSync)
    .flatMap((folder) =>
      readdirSync(folder).flatMap((file) => (file.endsWith(".tar") ? [join(folder, file)] : [])),
    );

  it("finds some", () => expect(tarballs.length).toBeGreaterThan(2));

  it.each(tarballs)("reads %s", async (path) => {
    const { metadata, files } = await readTarball(readFileSync(path));
    expect(path).toContain(`${String(metadata.name)}-${String(metadata.version)}`);
    const listed = Array.isArray(metadata.files) ? metadata.files : [];
    expect(files.map((file) => file.path).sort()).toEqual(listed.filter((file) => file !== "lib").sort());
  });
});

function base256(value: bigint): Buffer {
  return Buffer.from(`80${value.toString(16).padStart(22, "0")}`, "hex");
}
