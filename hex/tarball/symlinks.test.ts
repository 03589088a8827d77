import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TarballError } from "./errors.ts";
import { checkSymlinks } from "./symlinks.ts";
import { ContentsTree } from "./tree.ts";

type Links = Readonly<Record<string, string>>;

function check(links: Links, files: readonly string[] = []): string {
  try {
    const tree = new ContentsTree(1e7);
    for (const file of files) tree.add(file.split("/"), "file");
    for (const [path, target] of Object.entries(links)) tree.add(path.split("/"), "symlink", target);
    checkSymlinks(tree);
    return "safe";
  } catch (error) {
    if (!(error instanceof TarballError)) throw error;
    return error.message;
  }
}

const CIRCLE = "it leads in a circle, or through more than 40 links";

describe("checkSymlinks", () => {
  const safe: Links[] = [
    { a: "b" },
    { a: "." },
    { a: "x/../b" },
    { "a/b": ".." },
    { "a/b/c": "../../d/e" },
    { a: "b", b: "c/d" },
    { "a/b": "../c", c: "d" },
    { "d/up": "..", "d/round": "up/d/up/d/x" },
  ];

  it.each(safe)("accepts %j", (links) => {
    expect(check(links, ["file"])).toBe("safe");
  });

  const unsafe: [links: Links, link: string, reason: string][] = [
    [{ a: "../x" }, "a", "it points out of the package"],
    [{ a: ".." }, "a", "it points out of the package"],
    [{ "a/b": "../../x" }, "a/b", "it points out of the package"],
    [{ a: "b/../../x" }, "a", "it points out of the package"],
    [{ a: "/etc/passwd" }, "a", "its target is absolute"],
    [{ a: "C:/x" }, "a", "its target is absolute"],
    [{ a: "..\\x" }, "a", "its target contains a backslash or a control character"],
    [{ a: "" }, "a", "it points nowhere"],
    [{ a: "a" }, "a", CIRCLE],
    [{ a: "b", b: "a" }, "a", CIRCLE],
    [{ a: "b/x", b: "a/y" }, "a", CIRCLE],
    // Inside as written: `a/b` is the package's own folder, and its parent is not in the package.
    [{ "a/b": "..", c: "a/b/.." }, "c", "it points out of the package through another link"],
    // The same with the links the other way around.
    [{ c: "a/b/..", "a/b": ".." }, "c", "it points out of the package through another link"],
    [{ "a/b/c": "../..", "a/d": "b/c/../x" }, "a/d", "it points out of the package through another link"],
    // On a file system that ignores case, `A` is the link `a`.
    [{ "x/a": "..", b: "x/A/.." }, "b", "its target differs in case or encoding"],
  ];

  it.each(unsafe)("refuses %j", (links, link, reason) => {
    const target = links[link];
    expect(check(links)).toBe(`inner tarball error, ${target}: unsafe_symlink ${link}: ${reason}`);
  });

  it("bounds the work for many links through long chains", () => {
    const step = (index: number): string => (index % 30 === 0 ? "end" : `l${index + 1}`);
    const chains = Object.fromEntries(
      Array.from({ length: 2_000 }, (_, index) => [`l${index}`, `${"d/../".repeat(200)}${step(index)}`]),
    );
    expect(check(chains)).toContain("the package has too many links");
    const long = Object.fromEntries(Array.from({ length: 45 }, (_, index) => [`l${index}`, `l${index + 1}`]));
    expect(check(long)).toContain(CIRCLE);
  });

  it("lets nothing out that a file system would", () => {
    const part = fc.constantFrom("a", "b", "c", "..", ".");
    const path = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));
    const name = fc.constantFrom("a", "b", "c", "a/a", "a/b", "b/a", "b/c", "c/b/a");
    const links = fc.dictionary(name, path, { maxKeys: 4, noNullPrototype: true });
    fc.assert(
      fc.property(links, (some) => {
        fc.pre(check(some) === "safe");
        for (const escaped of escapes(some)) expect(escaped).toBe("nothing escapes");
      }),
      { numRuns: 300 },
    );
  });
});

/** Makes the links, and a folder for each missing one that they name, and asks the system where they lead. */
function escapes(links: Links): string[] {
  const outside = realpathSync(mkdtempSync(join(tmpdir(), "links-")));
  const root = join(outside, "deps", "package");
  try {
    for (const folder of ["", "a", "b", "c", "a/a", "a/b", "b/a", "b/c", "c/b"]) {
      const through = Object.keys(links).some((link) => `${folder}/`.startsWith(`${link}/`));
      if (!through) mkdirSync(join(root, folder), { recursive: true });
    }
    for (const [path, target] of Object.entries(links)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      symlinkSync(target, join(root, path));
    }
    return Object.keys(links).filter((path) => !resolve(join(root, path), root).startsWith(root));
  } finally {
    rmSync(outside, { recursive: true });
  }
}

function resolve(path: string, otherwise: string): string {
  try {
    // As the system does it: Node's own one undoes `link/..` by the text, and may then go round for ever.
    return realpathSync.native(path);
  } catch {
    return otherwise;
  }
}
