import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { packageName, trusted } from "../../hex/ids.ts";
import { packageTarball } from "../../test/support/package-builder.ts";
import { readTarballs, threadReaders } from "./readers.ts";
import { listTarballs } from "./tarballs.ts";

const PEAR = trusted(packageName, "pear");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "skep-readers-"));
  await mkdir(folder, { recursive: true });
  for (const version of ["1.0.0", "1.1.0"]) {
    await writeFile(
      join(folder, `pear-${version}.tar`),
      packageTarball({ metadata: { name: "pear", version } }),
    );
  }
  await writeFile(join(folder, "pear-2.0.0.tar"), "no tar");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it("reads in threads as it does without", async () => {
  const files = listTarballs(folder).packages.get(PEAR) ?? [];
  const readers = threadReaders(2);
  try {
    const results = await Promise.all([readers.read(PEAR, files), readers.read(PEAR, files)]);
    expect(results).toEqual([readTarballs(PEAR, files), readTarballs(PEAR, files)]);
    expect(results[0]).toEqual([
      { release: expect.objectContaining({ requirements: [] }) },
      { release: expect.objectContaining({ requirements: [] }) },
      { problem: expect.stringContaining("pear-2.0.0.tar: tarball error") },
    ]);
  } finally {
    await readers.close();
  }
});

it("leaves nobody waiting when the threads end", async () => {
  const readers = threadReaders(1);
  const reading = readers.read(PEAR, []);
  const refused = expect(reading).rejects.toThrow("a thread that reads tarballs has ended");
  await readers.close();
  await refused;
  await expect(readers.read(PEAR, [])).rejects.toThrow("has ended");
});
