import { describe, expect, it } from "vitest";
import { entriesVerdict } from "../../test/support/package-builder.ts";

describe("the paths of a package", () => {
  const above = "The path points above the current working directory";
  const paths: [name: string | Buffer, reason: string][] = [
    ["../x", above],
    ["a/../../x", above],
    ["..", above],
    ["..\\x", above],
    ["a\\..\\..\\x", above],
    ["a/../b", "The path contains .."],
    ["a/..", "The path contains .."],
    ["/etc/passwd", "The path is absolute"],
    ["//a", "The path is absolute"],
    ["\\windows", "The path is absolute"],
    ["C:\\windows", "The path names a drive"],
    ["c:a", "The path names a drive"],
    ["a\\b", "The path contains a backslash"],
    ["", "The path is empty"],
    [".", "The path is empty"],
    ["a/", "The path of a file ends in a slash"],
    ["a\nb", "The path contains a control character"],
    ["a\u0085b", "The path contains a control character"],
    [Buffer.from([0x61, 0xff]), "The path is not valid UTF-8"],
    [Buffer.from([0xc0, 0xae, 0xc0, 0xae, 0x2f, 0x61]), "The path is not valid UTF-8"],
  ];

  it.each(paths)("refuses the path %j", async (name, reason) => {
    const result = await entriesVerdict([{ name }]);
    expect(result).toMatch(/^contents_path: inner tarball error, /);
    expect(result.endsWith(`: ${reason}`), result).toBe(true);
  });

  it("names the path in the words of Hex clients", async () => {
    expect(await entriesVerdict([{ name: "../x" }])).toBe(
      `contents_path: inner tarball error, ../x: ${above}`,
    );
    expect(await entriesVerdict([{ name: "a\u001bb" }])).toContain("a\\u{1b}b");
  });

  it("refuses long paths and components", async () => {
    for (const path of [`${"d/".repeat(513)}f`, "f".repeat(256), `${"é".repeat(128)}/a`]) {
      expect(await entriesVerdict([{ name: "", pax: { path } }])).toMatch(
        /^contents_path: .*: The path is too long$/,
      );
    }
    expect(await entriesVerdict([{ name: "", pax: { path: `${"f".repeat(255)}` } }])).toMatch(/^f+$/);
  });

  it("strips a leading slash for an import of old packages only", async () => {
    const old = { allowLeadingSlash: true };
    expect(await entriesVerdict([{ name: "/a/b" }], old)).toBe("a/b");
    expect(await entriesVerdict([{ name: "/../b" }], old)).toMatch(/^contents_path: /);
    expect(await entriesVerdict([{ name: "/" }], old)).toMatch(/^contents_path: .*: The path is empty$/);
  });
});
