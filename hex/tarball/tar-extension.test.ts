import { describe, expect, it } from "vitest";
import { entriesVerdict, type RawEntry } from "../../test/support/package-builder.ts";

const long = (length: number): string => `${"d/".repeat(length / 2 - 1)}ff`;

describe("extended headers", () => {
  const accepted: [what: string, entries: RawEntry[], paths: string][] = [
    ["a long path in PAX", [{ name: "", content: "1", pax: { path: long(400) } }], long(400)],
    ["the length that erl_tar gives for letters beyond ASCII", [{ name: "", pax: "10 path=é\n" }], "é"],
    ["a path in UTF-8 in PAX", [{ name: "", pax: { path: "é" } }], "é"],
    [
      "PAX records that agree",
      [{ name: "a", content: "12", pax: { path: "a", size: "2", mtime: "946684800.5", uid: "0" } }],
      "a",
    ],
    ["a long GNU name", [{ name: long(400).slice(0, 100), content: "1", longName: long(400) }], long(400)],
    [
      "long GNU names of a link",
      [{ name: "d/", type: "2", longName: "d/l", linkName: "d/", longLink: "d/t" }],
      "d/l@",
    ],
  ];

  it.each(accepted)("accepts %s", async (_what, entries, paths) => {
    expect(await entriesVerdict(entries)).toBe(paths);
  });

  const refused: [what: string, entries: RawEntry[], reason: string][] = [
    [
      "PAX sparse records",
      [{ name: "a", pax: { "GNU.sparse.size": "9" } }],
      "Unsupported PAX record: GNU.sparse.size",
    ],
    ["a PAX charset", [{ name: "a", pax: { hdrcharset: "BINARY" } }], "Unsupported PAX record: hdrcharset"],
    [
      "another PAX path",
      [{ name: "a", pax: { path: "b" } }],
      "Header and extended header name different files",
    ],
    [
      "a PAX path that is a beginning",
      [{ name: "ab", pax: { path: "a" } }],
      "Header and extended header name different files",
    ],
    [
      "another PAX size",
      [{ name: "a", content: "x", pax: { size: "513" } }],
      "Header and extended header give different sizes",
    ],
    [
      "a smaller PAX size",
      [{ name: "a", content: "x".repeat(600), pax: { size: "0" } }],
      "Header and extended header give different sizes",
    ],
    [
      "another PAX link",
      [{ name: "a", type: "2", linkName: "b", pax: { linkpath: "c" } }],
      "Header and extended header name different links",
    ],
    ["a PAX size that is none", [{ name: "a", pax: { size: "0x1" } }], "Malformed PAX record: size"],
    ["a negative PAX size", [{ name: "a", pax: { size: "-1" } }], "Malformed PAX record: size"],
    ["a PAX record twice", [{ name: "", pax: "9 path=a\n9 path=b\n" }], "Duplicate PAX record: path"],
    ["a PAX record that is too short", [{ name: "", pax: "8 path=a\n" }], "Malformed PAX record"],
    ["a PAX record that is too long", [{ name: "", pax: "99 path=a\n" }], "Malformed PAX record"],
    ["a PAX record without length", [{ name: "", pax: "path=a\n" }], "Malformed PAX record"],
    ["an empty PAX value", [{ name: "a", pax: "8 path=\n" }], "Malformed PAX record"],
    ["a PAX value with a line feed", [{ name: "", pax: "18 path=a\n7 path=b\n" }], "Malformed PAX record"],
    ["a PAX path with NUL", [{ name: "", pax: { path: "a\0b" } }], "Malformed PAX record"],
    ["another GNU name", [{ name: "b", longName: "a" }], "Header and extended header name different files"],
    ["a GNU name with NUL", [{ name: "a", longName: "a\0b" }], "Malformed long name"],
    ["an empty GNU name", [{ name: "a", longName: "" }], "Malformed long name"],
    [
      "GNU's and PAX's name",
      [{ name: "a", longName: "ab", pax: { path: "ac" } }],
      "Too many extended headers for one entry",
    ],
    [
      "two GNU names",
      [
        { name: "L", type: "L", content: "a" },
        { name: "a", longName: "ab" },
      ],
      "Too many extended headers for one entry",
    ],
    [
      "two PAX headers",
      [
        { name: "x", type: "x", content: "9 uid=12\n" },
        { name: "a", pax: { path: "a" } },
      ],
      "Too many extended headers for one entry",
    ],
    [
      "an extended header without entry",
      [{ name: "x", type: "x", content: "9 path=a\n" }],
      "An extended header without its entry",
    ],
    ["an empty extended header", [{ name: "x", type: "x" }], "An extended header is empty"],
    ["a long extended header", [{ name: "x", type: "x", size: 20_000 }], "An extended header is too long"],
  ];

  it.each(refused)("refuses %s", async (_what, entries, reason) => {
    expect(await entriesVerdict(entries)).toBe(`contents_invalid: inner tarball error, ${reason}`);
  });
});
