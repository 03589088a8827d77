/**
 * Publishes a second through one API process with a folder store, generation included, and how long each
 * takes, in a registry of the size of hex.pm. Beside it: how often Postgres commits a small transaction from as many clients.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildTarball } from "../../hex/tarball/build.ts";
import { openFolderStore } from "../../store/objects/folder.ts";
import { startEmbeddedPostgres } from "../../store/postgres/embedded.ts";
import { migrate } from "../../store/postgres/migrate.ts";
import { ensurePublicRepository } from "../../store/queries/repositories.ts";
import { NAME } from "../support/api-settings.ts";
import { openDatabase } from "../support/open-database.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { corpus, insertCorpus } from "./corpus.ts";
import { percentile, type Row } from "./report.ts";

const CLIENTS = [1, 8, 32];
const SECONDS = 8;
const PACKAGES = 20_000;
const RELEASES = 190_000;

export async function benchPublish(): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "skep-bench-"));
  // As durable as in production: a commit is on the disk.
  const postgres = await startEmbeddedPostgres({ folder: join(folder, "postgres") });
  const database = openDatabase(postgres.url);
  await migrate(database.sql);
  const { id } = await ensurePublicRepository(database.sql, NAME);
  await insertCorpus(database.sql, id, corpus(PACKAGES, RELEASES));
  const registry = await startRegistry({
    database,
    publicStore: await openFolderStore(join(folder, "public")),
    privateStore: await openFolderStore(join(folder, "private")),
  });
  try {
    const rows: Row[] = [];
    for (const clients of CLIENTS) rows.push(await publishWith(registry, clients));
    return rows;
  } finally {
    await registry.stop();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function publishWith(registry: TestRegistry, clients: number): Promise<Row> {
  const key = await registry.key("bench");
  const times: number[] = [];
  const puts = registry.generator.counters.builds;
  const start = performance.now();
  await each(clients, async (client, round) => {
    const begun = performance.now();
    const name = `p${clients}_${client}`;
    const body = tarball(name, `1.0.${round}`);
    const response = await fetch(`${registry.url}/api/packages/${name}/releases?replace=false`, {
      method: "POST",
      headers: { authorization: key, "user-agent": "bench", "content-type": "application/octet-stream" },
      body,
    });
    await response.arrayBuffer();
    if (response.status !== 201) throw new Error(`publish answered ${response.status}`);
    times.push(performance.now() - begun);
  });
  const rate = times.length / ((performance.now() - start) / 1000);
  const builds = registry.generator.counters.builds - puts;
  const commits = await commitsPerSecond(registry, clients);
  const p50 = percentile(times, 0.5).toFixed(0);
  const p99 = percentile(times, 0.99).toFixed(0);
  return {
    what: `publish, ${clients} client(s): p50 ${p50} ms, p99 ${p99} ms, ${(times.length / builds).toFixed(1)} a build`,
    ours: `${rate.toFixed(0)}/s`,
    limit: `${commits.toFixed(0)}/s`,
    beside: "Postgres commits",
    ratio: rate / commits,
    goal: clients === 32 ? "60/s, p99 under 1,500 ms" : "",
  };
}

function tarball(name: string, version: string): Uint8Array<ArrayBuffer> {
  const built = buildTarball({
    metadata: {
      name,
      version,
      app: name,
      description: "a package of the benchmark",
      licenses: ["MIT"],
      links: {},
      build_tools: ["rebar3"],
      files: ["src/a.erl"],
      requirements: {},
    },
    files: { "src/a.erl": randomBytes(4_000).toString("hex") },
  });
  return new Uint8Array(built.tarball);
}

async function commitsPerSecond(registry: TestRegistry, clients: number): Promise<number> {
  const sql = registry.database.pool({ max: Math.min(clients, 10) });
  await sql`create table if not exists bench (n int)`;
  let commits = 0;
  const start = performance.now();
  await each(
    clients,
    async () => {
      await sql.begin((tx) => tx`insert into bench values (1)`);
      commits += 1;
    },
    2,
  );
  return commits / ((performance.now() - start) / 1000);
}

/** Each client works one round after the other until the time is over. */
async function each(
  clients: number,
  work: (client: number, round: number) => Promise<void>,
  seconds = SECONDS,
): Promise<void> {
  const end = performance.now() + seconds * 1000;
  const client = async (index: number) => {
    for (let round = 0; performance.now() < end; round++) await work(index, round);
  };
  await Promise.all(Array.from({ length: clients }, (_, index) => client(index)));
}
