import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { PrefixHash } from "./prefix-hash.ts";

const digest = (parts: readonly Uint8Array[]) => createHash("sha512").update(Buffer.concat(parts)).digest();
const parts = fc.array(fc.uint8Array());

it("is the digest of all parts, whatever the one before began with and was asked", () => {
  fc.assert(
    fc.property(parts, parts, parts, fc.uint8Array(), fc.boolean(), (start, old, now, end, asked) => {
      const earlier = new PrefixHash("sha512", [...start, ...old]);
      if (asked) expect(earlier.digest(end)).toEqual(digest([...start, ...old, end]));
      const later = new PrefixHash("sha512", [...start, ...now], earlier);
      expect(later.digest(end)).toEqual(digest([...start, ...now, end]));
      // What went on from it has not changed it.
      expect(earlier.digest(end)).toEqual(digest([...start, ...old, end]));
    }),
  );
});
