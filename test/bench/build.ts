/**
 * `skep build` in a folder, as a process of its own. Its limit is what no builder can do without: reading and hashing
 * each tarball, and a signature for each file.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { inParallel } from "../../generator/parallel.ts";
import { buildTarball } from "../../hex/tarball/build.ts";
import type { PackageRow } from "../../store/queries/registry.ts";
import { privateKeyOfTests, testSigner } from "../support/signing.ts";
import { corpus } from "./corpus.ts";
import { type Row, seconds } from "./report.ts";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");
const SIZES = { small: [500, 4_600], full: [5_000, 46_000] } as const;
const CONCURRENCY = 16;

/** With SKEP_BENCH_FULL 5,000 packages and 46,000 tarballs, which takes minutes to make; else a tenth of it. */
export async function benchBuild(): Promise<readonly Row[]> {
  const [packages, releases] = process.env.SKEP_BENCH_FULL ? SIZES.full : SIZES.small;
  const folder = await mkdtemp(join(tmpdir(), "skep-bench-build-"));
  try {
    const rows = corpus(packages, releases);
    const tarballs = writeTarballs(join(folder, "tarballs"), rows);
    const key = join(folder, "key.pem");
    await writeFile(key, privateKeyOfTests(), { mode: 0o600 });
    await run("npm", ["run", "build"], { cwd: root });
    const build = () =>
      run(
        process.execPath,
        [join(root, "dist/cli/main.js"), "build", folder, "--name", "bench", "--private-key", key],
        {
          maxBuffer: 64 << 20,
        },
      );
    const limit = () => readHashAndSign(join(folder, "tarballs"), rows.length + 2);

    // Else each file that we sync waits for all of these.
    await run("sync");
    // Younger files are read again by the next run.
    await sleep(2_500);
    // Once before, so that both find the files in memory.
    await limit();
    const cold = await seconds(build);
    const least = await seconds(limit);
    const again = await seconds(build);
    const added = buildTarball({ metadata: metadataOf("added", "1.0.0", []), files: { a: "a" } });
    writeFileSync(join(folder, "tarballs/added-1.0.0.tar"), added.tarball);
    const one = await seconds(build);
    const size = `${rows.length} packages / ${tarballs} tarballs`;
    const beside = `reading and hashing them + ${rows.length + 2} RSA-2048 signatures`;
    const limitText = `${least.toFixed(2)} s`;
    const row = (what: string, time: number, goal: string): Row => ({
      what: `skep build, ${what}`,
      ours: `${time.toFixed(2)} s`,
      limit: limitText,
      beside,
      ratio: time / least,
      goal,
    });
    return [
      row(`${size}, cold`, cold, "at most 2.5"),
      row("nothing new", again, "under 1 s"),
      row("one tarball added", one, "under 1 s"),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @returns how many were written. */
function writeTarballs(folder: string, rows: readonly PackageRow[]): number {
  mkdirSync(folder, { recursive: true });
  let count = 0;
  for (const { name, releases } of rows) {
    for (const { version, requirements } of releases) {
      const metadata = metadataOf(name, version, requirements);
      // The size of a small library, which hardly compresses.
      const source = createHash("sha512").update(`${name} ${version}`).digest("hex").repeat(2);
      const { tarball } = buildTarball({ metadata, files: { "mix.exs": source, "lib/a.ex": source } });
      writeFileSync(join(folder, `${name}-${version}.tar`), tarball);
      count += 1;
    }
  }
  return count;
}

function metadataOf(
  name: string,
  version: string,
  requirements: PackageRow["releases"][number]["requirements"],
) {
  return {
    name,
    version,
    app: name,
    build_tools: ["mix"],
    files: ["mix.exs", "lib/a.ex"],
    requirements: Object.fromEntries(
      requirements.map(({ package: dependency, app, requirement, optional, repository }) => [
        dependency,
        { app, requirement, optional, repository },
      ]),
    ),
  };
}

async function readHashAndSign(folder: string, signatures: number): Promise<void> {
  const signer = testSigner();
  const payload = Buffer.alloc(2_000, 1);
  const signing = inParallel(CONCURRENCY, Array.from({ length: signatures }), async () => {
    await signer.sign(payload);
  });
  for (const file of readdirSync(folder))
    createHash("sha256")
      .update(readFileSync(join(folder, file)))
      .digest();
  await signing;
}
