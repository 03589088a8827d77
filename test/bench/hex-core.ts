/** Every `packages/NAME` of a registry to its bytes, beside the modules that rebar3 has of hex_core, from the same rows. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { packageObjects } from "../../generator/build/objects.ts";
import { signedFile } from "../../generator/build/signed-file.ts";
import { inParallel } from "../../generator/parallel.ts";
import { gzipOneMember } from "../../proto/gzip.ts";
import type { PackageRow, ReleaseRow } from "../../store/queries/registry.ts";
import { privateKeyOfTests, testSigner } from "../support/signing.ts";
import { requireTool } from "../support/tools.ts";
import { corpus, REPOSITORY } from "./corpus.ts";
import { median, type Row, seconds } from "./report.ts";

const PACKAGES = 3_000;
const RELEASES = 28_500;
const RUNS = 5;
const CONCURRENCY = 16;

export async function benchHexCore(): Promise<readonly Row[]> {
  if (!requireTool("rebar3") || !requireTool("escript")) return [];
  const rows = corpus(PACKAGES, RELEASES);
  const signer = testSigner();
  const each = (work: (row: PackageRow) => Promise<unknown>) =>
    repeated(() =>
      inParallel(CONCURRENCY, rows, async (row) => {
        await work(row);
      }),
    );
  const sourceOf = (row: PackageRow) => {
    const source = packageObjects(REPOSITORY, row, signer).find(
      ({ object }) => object.kind === "package",
    )?.source;
    if (source?.kind !== "sign") throw new TypeError("no file of the package");
    return source;
  };
  const plain = await each(async (row) => gzipOneMember(sourceOf(row).payload));
  const signed = await each((row) => signedFile(sourceOf(row), signer));
  const theirs = await hexCoreSeconds(rows);
  const row = (what: string, ours: number, limit: number): Row => ({
    what: `${what}, ${PACKAGES.toLocaleString("en")} packages / ${RELEASES.toLocaleString("en")} releases`,
    ours: `${ours.toFixed(2)} s`,
    limit: `${limit.toFixed(2)} s`,
    beside: "rebar3's hex_core on all cores",
    ratio: ours / limit,
    goal: "at most 0.5",
  });
  return [
    row("encoding and gzip", plain, theirs.plain),
    row("encoding, signatures and gzip", signed, theirs.signed),
  ];
}

async function repeated(work: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) times.push(await seconds(work));
  return median(times);
}

async function hexCoreSeconds(
  rows: readonly PackageRow[],
): Promise<{ readonly plain: number; readonly signed: number }> {
  const folder = await mkdtemp(join(tmpdir(), "skep-bench-"));
  try {
    const file = join(folder, "packages");
    const key = `<<${JSON.stringify(privateKeyOfTests())}>>`;
    await writeFile(file, `[${rows.map(packageTerm).join(",\n")}].\n${key}.\n`);
    const script = join(import.meta.dirname, "hex-core.escript");
    const { stdout } = await promisify(execFile)("escript", [script, file]);
    const [plain = Number.NaN, signed = Number.NaN] = stdout.split(" ").map(Number);
    return { plain, signed };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function packageTerm(row: PackageRow): string {
  const releases = row.releases.map(releaseTerm).join(",");
  return `#{repository => ${binary(REPOSITORY.name)}, name => ${binary(row.name)}, releases => [${releases}]}`;
}

function releaseTerm(release: ReleaseRow): string {
  const dependencies = release.requirements.map(
    ({ package: name, requirement, optional }) =>
      `#{package => ${binary(name)}, requirement => ${binary(requirement)}${optional ? ", optional => true" : ""}}`,
  );
  const retired =
    release.retirement === null
      ? ""
      : `, retired => #{reason => 'RETIRED_DEPRECATED', message => ${binary(release.retirement.message ?? "")}}`;
  return `#{version => ${binary(release.version)}, inner_checksum => ${binary(release.innerChecksum)},
    outer_checksum => ${binary(release.outerChecksum)}, dependencies => [${dependencies.join(",")}]${retired}}`;
}

function binary(text: string): string {
  return `<<${JSON.stringify(text)}>>`;
}
