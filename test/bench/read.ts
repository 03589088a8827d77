/**
 * Reads a second of one API process over a registry of the size of hex.pm, beside the same rows fetched through a bare
 * pool of connections.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbeddedPostgres } from "../../store/postgres/embedded.ts";
import { migrate } from "../../store/postgres/migrate.ts";
import type { Sql } from "../../store/postgres/pool.ts";
import { packageAdvisories } from "../../store/queries/advisories.ts";
import { packageDownloads } from "../../store/queries/downloads.ts";
import { ownerReferences } from "../../store/queries/owners.ts";
import { packageByName, packagesById, releaseSummaries } from "../../store/queries/packages.ts";
import { searchPackages } from "../../store/queries/search.ts";
import { openDatabase } from "../support/open-database.ts";
import { startRegistry } from "../support/registry.ts";
import { corpus, insertCorpus, numbers, TOPICS } from "./corpus.ts";
import type { Load } from "./load.ts";
import { median, type Row } from "./report.ts";

const PACKAGES = 20_000;
const RELEASES = 190_000;
const CLIENTS = 16;
const SECONDS = 3;
const RUNS = 3;
/** Asked for in turn, so that no cache holds them all by chance. */
const DIFFERENT = 997;

export async function benchRead(): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "skep-bench-"));
  const postgres = await startEmbeddedPostgres({ folder: join(folder, "postgres") });
  const database = openDatabase(postgres.url);
  await migrate(database.sql);
  const registry = await startRegistry({ database, generator: false });
  try {
    const repositoryId = await insertCorpus(database.sql, corpus(PACKAGES, RELEASES));
    const pool = database.pool({ role: "skep_api", max: CLIENTS });
    const names = await someNames(pool);
    const port = Number(new URL(registry.url).port);
    const headers = { "user-agent": "bench" };
    const etags: string[] = [];
    for (const name of names) {
      const response = await fetch(`${registry.url}/api/packages/${name}`, { headers });
      await response.arrayBuffer();
      etags.push(response.headers.get("etag") ?? "");
    }
    const paths = names.map((name) => `/api/packages/${name}`);
    const load = { port, connections: CLIENTS, seconds: SECONDS };
    const fetchPackage = (sql: Sql, index: number) =>
      rowsOf(sql, repositoryId, names[index % names.length] ?? "");
    const fetchSearch = (sql: Sql, index: number) =>
      foundRows(sql, repositoryId, TOPICS[index % TOPICS.length] ?? "");
    return [
      await measure(
        `GET /packages/NAME, ${CLIENTS} clients`,
        { ...load, status: 200, requests: paths.map((path) => ({ path, headers })) },
        (index) => fetchPackage(pool, index),
        500,
      ),
      await measure(
        "the same, the client has it: 304",
        {
          ...load,
          status: 304,
          requests: paths.map((path, index) => ({
            path,
            headers: { ...headers, "if-none-match": etags[index] ?? "" },
          })),
        },
        (index) => fetchPackage(pool, index),
        1_000,
      ),
      await measure(
        "GET /packages?search=, the 100 most downloaded of 200",
        {
          ...load,
          status: 200,
          requests: TOPICS.map((word) => ({ path: `/api/packages?search=${word}&sort=downloads`, headers })),
        },
        (index) => fetchSearch(pool, index),
        150,
      ),
    ];
  } finally {
    await registry.stop();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function someNames(sql: Sql): Promise<readonly string[]> {
  const rows = await sql<{ name: string }[]>`select name from packages order by id`;
  const random = numbers(2);
  return Array.from({ length: DIFFERENT }, () => rows[Math.floor(random() * rows.length)]?.name ?? "");
}

/** What an answer about a package is made of. */
async function rowsOf(sql: Sql, repositoryId: number, name: string): Promise<unknown> {
  const row = await packageByName(sql, repositoryId, name);
  const id = row?.id ?? 0;
  return Promise.all([
    releaseSummaries(sql, [id]),
    ownerReferences(sql, id),
    packageAdvisories(sql, repositoryId, [name]),
    packageDownloads(sql, [id]),
  ]);
}

async function foundRows(sql: Sql, repositoryId: number, word: string): Promise<unknown> {
  const rows = await searchPackages(sql, {
    repositoryIds: [repositoryId],
    text: {
      name: { text: word, openStart: true, openEnd: true },
      words: [word],
      repositoryIds: [repositoryId],
    },
    sort: "total_downloads",
    offset: 0,
    limit: 100,
  });
  const ids = rows.map(({ id }) => id);
  return Promise.all([packagesById(sql, ids), releaseSummaries(sql, ids)]);
}

async function measure(
  what: string,
  load: Load,
  bare: (index: number) => Promise<unknown>,
  goal: number,
): Promise<Row> {
  const ours: number[] = [];
  const limit: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    ours.push(await loaded(load));
    limit.push(await fetched(bare));
  }
  return {
    what,
    ours: `${median(ours).toFixed(0)}/s`,
    limit: `${median(limit).toFixed(0)}/s`,
    beside: "the same rows through a bare pool",
    ratio: median(ours) / median(limit),
    goal: `${goal}/s`,
  };
}

async function loaded(load: Load): Promise<number> {
  const child = fork(join(import.meta.dirname, "load.ts"), { execArgv: ["--import", "tsx"] });
  child.send(load);
  const [{ rate, error }] = (await once(child, "message")) as [{ rate?: number; error?: string }];
  child.kill();
  if (rate === undefined) throw new Error(error);
  return rate;
}

async function fetched(fetchRows: (index: number) => Promise<unknown>): Promise<number> {
  const end = performance.now() + SECONDS * 1000;
  let count = 0;
  const client = async () => {
    while (performance.now() < end) await fetchRows(count++);
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return count / SECONDS;
}
