import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { PackageName } from "../../hex/ids.ts";
import { gunzipOneMember } from "../../proto/gzip.ts";
import { encodeNames, encodeVersions } from "../../proto/registry.ts";
import { verifySigned } from "../../proto/sign.ts";
import { micros } from "../../schemas/time.ts";
import type { IndexRow, RepositoryRow } from "../../store/queries/registry.ts";
import { REPOSITORY } from "../../test/bench/corpus.ts";
import { indexCorpus } from "../../test/bench/index-corpus.ts";
import { name, v } from "../../test/support/rows.ts";
import { testSigner } from "../../test/support/signing.ts";
import { namesPackage, versionsPackage } from "../build/indexes.ts";
import { repositoryObjects } from "../build/objects.ts";
import { compareText } from "../build/order.ts";
import { signedFile } from "../build/signed-file.ts";
import { type IndexFiles, indexFilesOf } from "./index-files.ts";

const signer = testSigner();
const LIMIT = 1 << 28;

/** @returns the two files as they are stored, by key. */
async function stored(
  files: IndexFiles,
  repository: RepositoryRow,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const bytes = new Map<string, Uint8Array>();
  for (const { key, source } of repositoryObjects(repository, files, signer)) {
    if (source.kind === "sign") bytes.set(key, await signedFile(source, signer));
  }
  return bytes;
}

type Rows = Map<PackageName, IndexRow>;
type Change = (row: IndexRow | undefined, at: number) => IndexRow | undefined;

const touched = (row: IndexRow, at: number): IndexRow => ({ ...row, updatedAt: micros(row.updatedAt + at) });
const CHANGES: Readonly<Record<string, Change>> = {
  publish: (row, at) => {
    const version = v(`9.${at}.0-new.${at}`);
    if (row === undefined) return undefined;
    return touched({ ...row, versions: [...row.versions, version], retired: [...row.retired, false] }, at);
  },
  replace: (row, at) => row && touched(row, at),
  revert: (row) =>
    row && row.versions.length > 1
      ? { ...row, versions: row.versions.slice(0, -1), retired: row.retired.slice(0, -1) }
      : undefined,
  retire: (row, at) =>
    row && touched({ ...row, retired: row.retired.map((_, index) => index % 2 === 0) }, at),
  unretire: (row, at) => row && touched({ ...row, retired: row.retired.map(() => false) }, at),
  advise: (row) => row && { ...row, advisories: [ADVISORY] },
  remove: () => undefined,
};
const ADVISORY = {
  affected: { ranges: [[{ introduced: "0" }, { fixed: "1.0.0" }]], versions: [] },
} as unknown as NonNullable<IndexRow["advisories"]>[number];

/** What is done to the package at that part of all names. */
interface Step {
  readonly where: number;
  readonly what: string;
}
const step: fc.Arbitrary<Step> = fc.record({
  where: fc.double({ min: 0, max: 0.999_999, noNaN: true }),
  what: fc.constantFrom(...Object.keys(CHANGES), "arrive"),
});
/** What each build takes in together. */
const history = (builds: number): fc.Arbitrary<readonly (readonly Step[])[]> =>
  fc.array(fc.array(step, { minLength: 1, maxLength: 5 }), { maxLength: builds });

function arrived(text: string, at: number): IndexRow {
  return { name: name(text), updatedAt: micros(at), versions: [v("0.1.0")], retired: [false] };
}

/** @returns the package that is changed, and its row then. What is gone is published again. */
function changed(
  rows: Rows,
  all: readonly PackageName[],
  { where, what }: Step,
  at: number,
): readonly [PackageName, IndexRow | undefined] {
  const chosen = all[Math.floor(where * all.length)] ?? name("a");
  if (what === "arrive") return [name(`${chosen}_${at}`), arrived(`${chosen}_${at}`, at)];
  const row = rows.get(chosen);
  return [chosen, row === undefined ? arrived(chosen, at) : CHANGES[what]?.(row, at)];
}

/** Goes through the history from these rows, and compares each build with a full one of what is then. */
async function follow(start: readonly IndexRow[], builds: readonly (readonly Step[])[]): Promise<void> {
  const all = start.map((row) => row.name);
  const rows: Rows = new Map(start.map((row) => [row.name, row]));
  let files = indexFilesOf(start);
  await files.deflate();
  for (const [at, steps] of builds.entries()) {
    const changes = new Map(steps.map((each) => changed(rows, all, each, at + 1)));
    for (const [key, row] of changes) {
      if (row === undefined) rows.delete(key);
      else rows.set(key, row);
    }
    files = files.with(changes);
    const repository = { ...REPOSITORY, revision: at };
    const full = await stored(indexFilesOf([...rows.values()]), repository);
    for (const [key, bytes] of await stored(files, repository)) {
      expect(Buffer.compare(bytes, full.get(key) ?? Buffer.alloc(0)), `${key}, build ${at}`).toBe(0);
    }
  }
}

describe("after any history the files are those of a full build", () => {
  it("of few packages, down to none", async () => {
    const start = indexCorpus(4, 12);
    await fc.assert(
      fc.asyncProperty(history(12), (builds) => follow(start, builds)),
      { numRuns: 100 },
    );
  });

  it("of many chunks", async () => {
    const start = indexCorpus(12_000, 60_000);
    await fc.assert(
      fc.asyncProperty(history(4), (builds) => follow(start, builds)),
      { numRuns: 8 },
    );
  });
});

describe("the files", () => {
  const rows = indexCorpus(20_000, 190_000);
  const sorted = [...rows].sort((a, b) => compareText(a.name, b.name));
  const files = indexFilesOf(rows);
  const whole = { repository: REPOSITORY.name, revision: REPOSITORY.revision };
  let bytes: ReadonlyMap<string, Uint8Array>;
  beforeAll(async () => {
    bytes = await stored(files, REPOSITORY);
  });
  const payloadOf = (key: string) =>
    Buffer.from(verifySigned(gunzipOneMember(bytes.get(key) ?? Buffer.alloc(0), LIMIT), signer.publicKeyPem));

  it("hold the bytes of Hex's encoder", () => {
    const names = encodeNames({ ...whole, packages: sorted.map(namesPackage) });
    const versions = encodeVersions({ ...whole, packages: sorted.map(versionsPackage) });
    expect(Buffer.compare(payloadOf("names"), names)).toBe(0);
    expect(Buffer.compare(payloadOf("versions"), versions)).toBe(0);
  });

  it.each([1, 30, 3_000, 9_000, 13_000, 20_000])(
    "of %i packages are no larger than gzip -6 makes them",
    async (count) => {
      const some = await stored(indexFilesOf(rows.slice(0, count)), REPOSITORY);
      for (const [key, file] of some) {
        expect(file.length, key).toBeLessThanOrEqual(gzipSync(gunzipSync(file), { level: 6 }).length);
      }
    },
  );
});
