import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packageName, repositoryName, trusted, version } from "../../hex/ids.ts";
import { type RepositoryRef, repositorySurrogateKey, surrogateKey } from "../../hex/keys.ts";
import { inBatches, purgeableKeys } from "./surrogate-keys.ts";

describe("purgeableKeys", () => {
  it("takes every kind of key that this project makes", () => {
    const repositories: RepositoryRef[] = [
      { name: trusted(repositoryName, "local"), public: true },
      { name: trusted(repositoryName, "a_b-c.d"), public: false },
    ];
    const name = trusted(packageName, "plug_crypto2");
    const keys = repositories.flatMap((repository) => [
      repositorySurrogateKey(repository),
      surrogateKey(repository, { kind: "names" }),
      surrogateKey(repository, { kind: "public_key" }),
      surrogateKey(repository, { kind: "package", package: name }),
      ...["1.0.0", "1.0.0-rc.1+build-7"].map((text) =>
        surrogateKey(repository, { kind: "tarball", package: name, version: trusted(version, text) }),
      ),
    ]);
    expect(purgeableKeys(keys)).toEqual(keys);
  });

  it("leaves repetitions out", () => {
    expect(purgeableKeys(["a", "b", "a"])).toEqual(["a", "b"]);
  });

  it.each([
    "",
    "a/b",
    ".",
    "..",
    "a b",
    "a,b",
    "a?b",
    "a#b",
    "a+b",
    "-a",
    "a\n",
    "a\u0000",
    "é",
    "a".repeat(1_025),
  ])("refuses %j", (key) => {
    expect(() => purgeableKeys(["fine", key])).toThrow(
      expect.objectContaining({ code: "purge_refused", message: expect.stringContaining("surrogate key") }),
    );
  });
});

describe("inBatches", () => {
  it("keeps every key in its place and every batch within its limits", () => {
    const key = fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom("a", "b", ":") });
    fc.assert(
      fc.property(
        fc.array(key),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 30 }),
        (keys, n, bytes) => {
          const batches = inBatches(keys, { keys: n, bytes });
          expect(batches.flat()).toEqual(keys);
          for (const batch of batches) {
            expect(batch.length).toBeGreaterThan(0);
            expect(batch.length).toBeLessThanOrEqual(n);
            expect(batch.length === 1 || batch.join(" ").length <= bytes).toBe(true);
          }
        },
      ),
    );
  });
});
