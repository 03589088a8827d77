import { constants, deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  contentsVerdict,
  packageTarball,
  type RawEntry,
  rawTar,
  verdict,
} from "../../test/support/package-builder.ts";
import { checkDocs } from "./docs.ts";

const MIB = 2 ** 20;
// A mebibyte of zeros in a kibibyte that can be repeated, as a full flush begins a new block.
const FLUSHED = { finishFlush: constants.Z_FULL_FLUSH };
const ZEROS = deflateRawSync(Buffer.alloc(MIB), FLUSHED);

/** A gzip member of the content and `mebibytes` of zeros, which a tar may end in. */
function bomb(content: Uint8Array, mebibytes: number): Buffer {
  const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0]);
  const zeros = Array.from({ length: mebibytes }, () => ZEROS);
  const end = [Buffer.from([3, 0]), Buffer.alloc(8)];
  return Buffer.concat([header, deflateRawSync(content, FLUSHED), ...zeros, ...end]);
}

interface Watched<Result> {
  readonly result: Result;
  /** How much the process grew at most, in MiB. */
  readonly growth: number;
  /** How often a timer of 5 ms came to its turn. */
  readonly turns: number;
}

async function watch<Result>(work: () => Promise<Result>): Promise<Watched<Result>> {
  const before = process.memoryUsage.rss();
  let [most, turns] = [before, 0];
  const look = (): void => {
    most = Math.max(most, process.memoryUsage.rss());
    turns += 1;
  };
  const timer = setInterval(look, 5);
  try {
    const result = await work();
    look();
    return { result, growth: (most - before) / MIB, turns };
  } finally {
    clearInterval(timer);
  }
}

const eight = <Result>(work: () => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: 8 }, work));

const tooBig = "contents_too_big: inner tarball error, package exceeds max uncompressed size 134.217728 MB";
const tooMany = "contents_too_big: inner tarball error, too many entries";

describe("a hostile upload costs no more than its limit", { timeout: 60_000 }, () => {
  const tar = rawTar([{ name: "a", content: "x" }]);

  it("a gibibyte in a mebibyte", async () => {
    const gzipped = bomb(tar, 1_024);
    const { result, growth, turns } = await watch(() => contentsVerdict(gzipped));
    expect(result).toBe(tooBig);
    expect(growth).toBeLessThan(64);
    expect(turns).toBeGreaterThan(5);
  });

  it("eight at once, each of 16 MiB that would be 15 GiB", async () => {
    const upload = packageTarball({ contents: () => bomb(tar, 15 * 1_024) });
    expect(upload.length).toBeGreaterThan(14 * MIB);
    expect(upload.length).toBeLessThanOrEqual(16 * MIB);
    const { result, growth } = await watch(() => eight(() => verdict(upload)));
    expect(new Set(result)).toEqual(new Set([tooBig]));
    expect(growth).toBeLessThan(150);
  });

  it("eight at once, each with more entries than there is memory for", async () => {
    const many = (count: number, entry: (index: number) => RawEntry): Buffer =>
      packageTarball({ entries: Array.from({ length: count }, (_, index) => entry(index)) });
    const uploads = [
      many(50_000, (index) => ({ name: `${"x".repeat(80)}${index}` })),
      many(20_000, (index) => ({ name: `${index}${"/y".repeat(45)}` })),
      many(30_000, (index) => ({ name: `l${index}`, type: "2", linkName: "x".repeat(100) })),
    ];
    for (const upload of uploads) {
      const { result, growth } = await watch(() => eight(() => verdict(upload)));
      expect(new Set(result)).toEqual(new Set([tooMany]));
      expect(growth).toBeLessThan(200);
    }
  });

  it("documentation that is a bomb", async () => {
    const { result, growth } = await watch(() => checkDocs(bomb(tar, 1_024)).catch(String));
    expect(result).toBe("TarballError: too big (uncompressed)");
    expect(growth).toBeLessThan(64);
  });
});
