import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareText } from "../build/order.ts";
import { ChunkList } from "./chunks.ts";

const EVERY = 3;
const KIB = 1_024;
const empty = new ChunkList(EVERY, []);

// Some are as long as a chunk at its least, so that a few of them are many chunks.
const bytes = fc
  .tuple(fc.constantFrom(1, 3 * KIB, 20 * KIB, 60 * KIB), fc.nat({ max: 255 }))
  .map(([length, fill]) => Buffer.alloc(length, fill));
const name = fc.string({ unit: fc.constantFrom("a", "b", "c", "_"), minLength: 1, maxLength: 4 });
const change = fc.dictionary(name, fc.option(bytes, { nil: undefined, freq: 3 }), { maxKeys: 20 });

/** What is to be equal; bytes by their digest, as they are long. */
function shape({ chunks }: ChunkList): readonly object[] {
  return chunks.map(({ names, ends, bytes: whole, crc, shift }) => ({
    names,
    ends,
    digest: digest(whole),
    crc,
    shift,
  }));
}

function digest(whole: Uint8Array): string {
  return createHash("sha256").update(whole).digest("hex");
}

function full(packages: ReadonlyMap<string, Uint8Array>): ChunkList {
  return empty.with(packages);
}

describe("a list of chunks", () => {
  it("is cut as one made at once, after any changes", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 6 }), (history) => {
        const packages = new Map<string, Uint8Array>();
        let list = empty;
        for (const step of history) {
          for (const [key, value] of Object.entries(step)) {
            if (value === undefined) packages.delete(key);
            else packages.set(key, value);
          }
          list = list.with(new Map(Object.entries(step)));
          expect(shape(list)).toEqual(shape(full(packages)));
        }
      }),
    );
  });

  it("holds every package in the order of their names, with its bytes", () => {
    fc.assert(
      fc.property(fc.dictionary(name, bytes), (given) => {
        const { chunks, byteLength } = full(new Map(Object.entries(given)));
        const held = chunks.flatMap((chunk) =>
          chunk.names.map((each, index) => [
            each,
            digest(chunk.bytes.subarray(chunk.ends[index - 1] ?? 0, chunk.ends[index])),
          ]),
        );
        const sorted = Object.entries(given).sort(([a], [b]) => compareText(a, b));
        expect(held).toEqual(sorted.map(([each, value]) => [each, digest(value)]));
        expect(byteLength).toBe(Object.values(given).reduce((sum, each) => sum + each.length, 0));
        for (const chunk of chunks) expect(chunk.crc).toBe(crc32(chunk.bytes));
      }),
    );
  });

  const names = Array.from({ length: 2_000 }, (_, index) => `package_${String(index).padStart(4, "0")}`);
  const many = full(new Map(names.map((each) => [each, Buffer.alloc(KIB, each)])));

  it("keeps the chunks that a change does not touch", () => {
    const next = many.with(new Map([["package_1000", Buffer.from("other")]]));
    const kept = next.chunks.filter((chunk) => many.chunks.includes(chunk));
    expect(many.chunks.length).toBeGreaterThan(10);
    expect(kept.length).toBeGreaterThan(many.chunks.length - 4);
  });

  it("keeps the chunks in which nothing is new", () => {
    const same = new Map(names.map((each) => [each, Buffer.alloc(KIB, each)]));
    expect(many.with(same).chunks.every((chunk, index) => chunk === many.chunks[index])).toBe(true);
  });

  it("has bounds whatever the names are", () => {
    const ends = (every: number) =>
      new ChunkList(every, [])
        .with(new Map(names.map((each) => [each, Buffer.alloc(KIB)])))
        .chunks.slice(0, -1)
        .map((chunk) => chunk.bytes.length);
    // As if somebody had chosen names of which each ends a chunk, or none.
    expect(new Set(ends(1))).toEqual(new Set([48 * KIB]));
    expect(new Set(ends(2 ** 40))).toEqual(new Set([256 * KIB]));
  });
});
