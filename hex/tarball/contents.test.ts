import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  contentsVerdict,
  entriesVerdict,
  type RawEntry,
  rawTar,
} from "../../test/support/package-builder.ts";
import { gzipMember } from "./build.ts";

describe("readContents", () => {
  const accepted: [what: string, entries: RawEntry[], paths: string][] = [
    ["nothing", [], ""],
    ["files", [{ name: "a", content: "1" }, { name: "b/c" }], "a b/c"],
    [
      "folders, which it does not list",
      [{ name: "a/", type: "5" }, { name: "a/b" }, { name: "c", type: "5" }],
      "a/b",
    ],
    ["a folder twice", [{ name: "a/b" }, { name: "a/", type: "5" }, { name: "a", type: "5" }], "a/b"],
    ["the package's own folder", [{ name: "./", type: "5" }, { name: "./a" }], "a"],
    ["doubled slashes", [{ name: "a//b/./c" }], "a/b/c"],
    ["a prefix", [{ name: "c", prefix: "a/b" }], "a/b/c"],
    ["dots that are no folders", [{ name: "..a" }, { name: "b.." }, { name: "..." }], "..a b.. ..."],
    ["letters of all scripts", [{ name: "żółć/日本語.ex" }], "żółć/日本語.ex"],
    [
      "the same file twice",
      [
        { name: "a", content: "1" },
        { name: "./a", content: "1" },
      ],
      "a",
    ],
    ["an old plain file", [{ name: "a", type: "\0" }], "a"],
    ["links inside", [{ name: "a/l", type: "2", linkName: "../b" }, { name: "b" }], "a/l@ b"],
  ];

  it.each(accepted)("accepts %s", async (_what, entries, paths) => {
    expect(await entriesVerdict(entries)).toBe(paths);
  });

  const refused: [what: string, entries: RawEntry[], refusal: string][] = [
    [
      "a hard link",
      [{ name: "a" }, { name: "b", type: "1", linkName: "a" }],
      "type: b: unsupported entry: hard link",
    ],
    ["a character device", [{ name: "a", type: "3" }], "type: a: unsupported entry: character device"],
    ["a block device", [{ name: "a", type: "4" }], "type: a: unsupported entry: block device"],
    ["a fifo", [{ name: "a", type: "6" }], "type: a: unsupported entry: fifo"],
    ["a contiguous file", [{ name: "a", type: "7" }], 'type: a: unsupported entry: type "7"'],
    ["a GNU sparse file", [{ name: "a", type: "S" }], "type: a: unsupported entry: sparse file"],
    ["an incremental dump", [{ name: "a", type: "D" }], 'type: a: unsupported entry: type "D"'],
    ["a PAX global header", [{ name: "a", type: "g" }], "type: a: unsupported entry: global header"],
    [
      "a folder with data",
      [{ name: "a/", type: "5", content: "x" }],
      "type: a/: a directory cannot have data",
    ],
    ["a link with data", [{ name: "a", type: "2", content: "x" }], "type: a: a symlink cannot have data"],
    ["a wrong header checksum", [{ name: "a", badChecksum: true }], "invalid: Checksum failed"],
    ["NUL in a name", [{ name: "a\0b" }], "invalid: Unrecognized tar header format: NUL in the name"],
    [
      "data in the padding",
      [{ name: "a", content: "x", padding: "y" }],
      "invalid: Data in the padding of an entry",
    ],
    ["a size beyond the end", [{ name: "a", size: 5_000 }], "invalid: Unexpected end of file"],
    [
      "the same name with other content",
      [
        { name: "a", content: "1" },
        { name: "a", content: "2" },
      ],
      "conflict: a: Duplicate entry with other content",
    ],
    [
      "the same name with more content",
      [
        { name: "a", content: "1" },
        { name: "a", content: "12" },
      ],
      "conflict: a: Duplicate entry with other content",
    ],
    [
      "a link that is also a file",
      [{ name: "a" }, { name: "a", type: "2", linkName: "b" }],
      "conflict: a: Duplicate entry",
    ],
    [
      "a link twice",
      [
        { name: "a", type: "2", linkName: "b" },
        { name: "a", type: "2", linkName: "b" },
      ],
      "conflict: a: Duplicate entry",
    ],
    [
      "a folder that is also a file",
      [{ name: "a/", type: "5" }, { name: "a" }],
      "conflict: a: Duplicate entry",
    ],
    ["a file that is also a folder", [{ name: "a/b" }, { name: "a" }], "conflict: a: Duplicate entry"],
    ["a file in a file", [{ name: "a" }, { name: "a/b" }], "conflict: a/b: The path goes through a file"],
    [
      "a file in a link",
      [{ name: "a", type: "2", linkName: "." }, { name: "a/b" }],
      "conflict: a/b: The path goes through a symlink",
    ],
    [
      "a link where a folder is",
      [{ name: "a/b" }, { name: "a", type: "2", linkName: "." }],
      "conflict: a: Duplicate entry",
    ],
    [
      "a path in other case",
      [{ name: "Readme" }, { name: "README" }],
      "conflict: README: The path differs from another one only in case or encoding (Readme)",
    ],
    [
      "a folder in other case",
      [{ name: "Lib/a" }, { name: "lib/b" }],
      "conflict: lib/b: The path differs from another one only in case or encoding (Lib)",
    ],
    [
      "another accent",
      [{ name: "caf\u00e9" }, { name: "cafe\u0301" }],
      "conflict: cafe\u0301: The path differs from another one only in case or encoding (caf\u00e9)",
    ],
    [
      "case folding",
      [{ name: "STRASSE" }, { name: "straße" }],
      "conflict: straße: The path differs from another one only in case or encoding (STRASSE)",
    ],
    [
      "the Kelvin sign",
      [{ name: "\u212a" }, { name: "k" }],
      "conflict: k: The path differs from another one only in case or encoding (\u212a)",
    ],
  ];

  it.each(refused)("refuses %s", async (_what, entries, expected) => {
    const [code, ...reason] = expected.split(": ");
    expect(await entriesVerdict(entries)).toBe(`contents_${code}: inner tarball error, ${reason.join(": ")}`);
  });

  const tar = rawTar([{ name: "a", content: "x" }]);
  const gzipped = gzipMember(tar);
  const framings: [what: string, bytes: Uint8Array, refusal: string][] = [
    ["nothing", Buffer.alloc(0), "gzip: Unexpected end of file"],
    ["a plain tar", tar, "gzip: not in gzip format"],
    [
      "a tar in two members",
      Buffer.concat([gzipMember(tar.subarray(0, 700)), gzipMember(tar.subarray(700))]),
      "gzip: more than one gzip member",
    ],
    [
      "an empty second member",
      Buffer.concat([gzipped, gzipMember(Buffer.alloc(0))]),
      "gzip: more than one gzip member",
    ],
    [
      "bytes after the member",
      Buffer.concat([gzipped, Buffer.from("x")]),
      "gzip: trailing bytes after the gzip data",
    ],
    [
      "zeros after the member",
      Buffer.concat([gzipped, Buffer.alloc(512)]),
      "gzip: trailing bytes after the gzip data",
    ],
    [
      "bytes after the tar",
      gzipMember(Buffer.concat([tar, Buffer.from("x")])),
      "invalid: Invalid end of archive",
    ],
    ["a second tar", gzipMember(Buffer.concat([tar, tar])), "invalid: Invalid end of archive"],
    ["a tar that is cut", gzipMember(tar.subarray(0, -512)), "invalid: Unexpected end of file"],
  ];

  it.each(framings)("refuses %s", async (_what, bytes, expected) => {
    const [code, reason] = expected.split(": ");
    expect(await contentsVerdict(bytes)).toBe(`contents_${code}: inner tarball error, ${reason}`);
  });

  it("accepts what gzip programs write, and zeros at the end of the tar", async () => {
    expect(await contentsVerdict(gzipSync(tar, { level: 9 }))).toBe("a");
    expect(await contentsVerdict(gzipMember(Buffer.concat([tar, Buffer.alloc(10_240)])))).toBe("a");
  });

  it("refuses sizes over the limit, real or claimed", async () => {
    const tooBig =
      "contents_too_big: inner tarball error, package exceeds max uncompressed size 134.217728 MB";
    const size = Buffer.from(`80${(10n * 2n ** 30n).toString(16).padStart(22, "0")}`, "hex");
    expect(await entriesVerdict([{ name: "a", fields: [["size", size]] }])).toBe(tooBig);
    expect(await entriesVerdict([{ name: "a", size: 2 ** 27 + 1 }])).toBe(tooBig);
    expect(
      await entriesVerdict([
        { name: "a", content: "x" },
        { name: "b", size: 2 ** 27 },
      ]),
    ).toBe(tooBig);
    const small = { limits: { uncompressed: 2_048 } };
    expect(await contentsVerdict(gzipped, small)).toBe("a");
    expect(await contentsVerdict(gzipMember(Buffer.concat([tar, Buffer.alloc(512)])), small)).toBe(
      "contents_too_big: inner tarball error, package exceeds max uncompressed size 0.002048 MB",
    );
  });

  it("refuses more entries than it has memory for", async () => {
    const entries = Array.from({ length: 50 }, (_, index) => ({ name: `f${index}` }));
    const tooMany = "contents_too_big: inner tarball error, too many entries";
    expect(await entriesVerdict(entries, { limits: { index: 4_000 } })).toBe(tooMany);
    expect(await entriesVerdict([{ name: `${"d/".repeat(44)}ff` }], { limits: { index: 4_000 } })).toBe(
      tooMany,
    );
    expect(await entriesVerdict(entries, { limits: { index: 6_000 } })).toMatch(/^f0 f1 /);
  });
});
