/**
 * One publish, rows in memory, to the three files that it changes. Beside it what no program can do without: SHA-512 of
 * the three payloads, and their signatures.
 */
import { createPrivateKey, sign } from "node:crypto";
import { packageObjects, repositoryObjects, type SignedSource } from "../../generator/build/objects.ts";
import { signedFile } from "../../generator/build/signed-file.ts";
import { type IndexFiles, indexFilesOf } from "../../generator/index/index-files.ts";
import { micros } from "../../schemas/time.ts";
import type { IndexRow, PackageRow } from "../../store/queries/registry.ts";
import { v } from "../support/rows.ts";
import { privateKeyOfTests, testSigner } from "../support/signing.ts";
import { corpus, numbers, REPOSITORY } from "./corpus.ts";
import { indexCorpus } from "./index-corpus.ts";
import { median, percentile, type Row, seconds } from "./report.ts";

const SIZES = [
  { packages: 20_000, releases: 190_000 },
  { packages: 200_000, releases: 1_900_000 },
];
const PUBLISHES = 41;
// V8 compiles what it runs often.
const WARM_UP = 10;

export async function benchIndexFiles(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const { packages, releases } of SIZES) rows.push(await publishes(packages, releases));
  return rows;
}

async function publishes(packages: number, releases: number): Promise<Row> {
  const signer = testSigner();
  const key = createPrivateKey(privateKeyOfTests());
  const random = numbers(11);
  const rows = indexCorpus(packages, releases);
  // Of the size that most packages have.
  const [plain] = corpus(1, 10);
  if (plain === undefined) throw new TypeError("no package");
  let files = indexFilesOf(rows);
  await files.deflate();
  const ours: number[] = [];
  const limit: number[] = [];
  for (let turn = 0; turn < WARM_UP + PUBLISHES; turn++) {
    const chosen = rows[Math.floor(random() * rows.length)];
    if (chosen === undefined) throw new TypeError("no row");
    let sources: readonly SignedSource[] = [];
    const time = await seconds(async () => {
      files = files.with(new Map([[chosen.name, published(chosen, turn)]]));
      // Begun as early in a build.
      void files.deflate();
      sources = desired({ ...plain, name: chosen.name }, files, turn);
      await Promise.all(sources.map((source) => signedFile(source, signer)));
    });
    const payloads = sources.map(({ payload }) => payload);
    const least = await seconds(async () => {
      for (const payload of payloads) sign("sha512", payload, key);
    });
    if (turn < WARM_UP) continue;
    ours.push(time * 1000);
    limit.push(least * 1000);
  }
  return {
    what: `one publish to bytes, ${packages.toLocaleString("en")} packages: p90 ${percentile(ours, 0.9).toFixed(0)} ms`,
    ours: `${median(ours).toFixed(1)} ms`,
    limit: `${median(limit).toFixed(1)} ms`,
    beside: "SHA-512 of the payloads, 3 RSA-2048 signatures",
    ratio: median(ours) / median(limit),
    goal: "at most 3",
  };
}

function published(row: IndexRow, turn: number): IndexRow {
  return {
    ...row,
    updatedAt: micros(row.updatedAt + turn),
    versions: [...row.versions, v(`99.${turn}.0`)],
    retired: [...row.retired, false],
  };
}

function desired(row: PackageRow, files: IndexFiles, turn: number): readonly SignedSource[] {
  const repository = { ...REPOSITORY, revision: turn };
  const signer = testSigner();
  const objects = [
    ...packageObjects(repository, row, signer),
    ...repositoryObjects(repository, files, signer),
  ];
  return objects.flatMap(({ source }) => (source.kind === "sign" ? [source] : []));
}
