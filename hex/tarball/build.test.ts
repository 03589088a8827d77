import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildTarball } from "./build.ts";
import type { TarballError } from "./errors.ts";
import { readTarball } from "./tarball.ts";

describe("buildTarball", () => {
  const component = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 120 })
    .filter(
      (text) => !/[/\\\p{Cc}]|^\.{1,2}$|^[A-Za-z]:|^\d+$/u.test(text) && Buffer.byteLength(text) <= 255,
    );
  const path = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
  const files = fc.dictionary(path, fc.uint8Array({ maxLength: 1_500 }), {
    maxKeys: 6,
    noNullPrototype: true,
  });

  it("builds what is read back as it was", async () => {
    await fc.assert(
      fc.asyncProperty(files, fc.string(), async (content, description) => {
        const keys = { name: "example", description: description.replaceAll("\0", "") };
        const built = buildTarball({ metadata: keys, files: content });
        const read = await readTarball(built.tarball).catch((error: TarballError) => {
          // Names made at random may be the same to a file system, or a file and a folder at once.
          if (error.code === "contents_conflict") return undefined;
          throw error;
        });
        fc.pre(read !== undefined);
        expect(read.metadata).toEqual(keys);
        expect(read.files.map((file) => file.path).sort()).toEqual(Object.keys(content).sort());
        expect(read.outerChecksum).toBe(built.outerChecksum);
        expect(read.innerChecksum).toEqual(built.innerChecksum);
      }),
    );
  });

  it("gives the same bytes for the same input, with nothing of the machine in them", () => {
    const parts = { metadata: { version: "1.0.0", name: "example" }, files: { "a.txt": "a" } };
    const { tarball } = buildTarball(parts);
    expect(tarball.equals(buildTarball(parts).tarball)).toBe(true);
    expect(tarball.subarray(136, 147).toString()).toBe("07033241600");
    const gzip = tarball.indexOf(Buffer.from([0x1f, 0x8b, 8]));
    expect(tarball.subarray(gzip, gzip + 10).toString("hex")).toBe("1f8b0800000000000000");
    expect(tarball.toString("latin1")).toMatch(/CHECKSUM.*\0[0-9A-F]{64}\0/s);
  });
});
