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
import { fullPackageByName } from "../../store/queries/full-package.ts";
import { packagesById, releaseSummaries } from "../../store/queries/packages.ts";
import { ensurePublicRepository } from "../../store/queries/repositories.ts";
import { PACKAGE_ORDERS, type PackageSearch, searchPackages } from "../../store/queries/search.ts";
import { openDatabase } from "../support/open-database.ts";
import { startApiProcess } from "./api-process.ts";
import { corpus, insertCorpus, numbers, REPOSITORY, TOPICS } from "./corpus.ts";
import type { Load } from "./load.ts";
import { median, type Row } from "./report.ts";

const PACKAGES = 20_000;
const RELEASES = 190_000;
const CLIENTS = 16;
const SECONDS = 3;
const RUNS = 3;
/** Asked for in turn, so that no cache holds them all by chance. */
const DIFFERENT = 997;
const PAGE = 100;
const HEADERS = { "user-agent": "bench" };

export async function benchRead(): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "skep-bench-"));
  const postgres = await startEmbeddedPostgres({ folder: join(folder, "postgres") });
  const database = openDatabase(postgres.url);
  try {
    await migrate(database.sql);
    const { id } = await ensurePublicRepository(database.sql, REPOSITORY.name);
    await insertCorpus(database.sql, id, corpus(PACKAGES, RELEASES));
    const api = await startApiProcess(folder, postgres.url);
    try {
      return await measureReads(api.port, database.pool({ role: "skep_api", max: CLIENTS }), id);
    } finally {
      await api.stop();
    }
  } finally {
    await database.drop();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureReads(port: number, pool: Sql, repositoryId: number): Promise<readonly Row[]> {
  const names = await someNames(pool);
  const paths = names.map((name) => `/api/packages/${name}`);
  const etags: string[] = [];
  for (const path of paths) etags.push(await etagOf(`http://127.0.0.1:${port}${path}`));
  const load = { port, connections: CLIENTS, seconds: SECONDS, status: 200 };
  const plain = (path: string) => ({ path, headers: HEADERS });
  const fetchPackage = (index: number) => rowsOf(pool, repositoryId, names[index % names.length] ?? "");
  const pages = PACKAGE_ORDERS.flatMap((sort) =>
    Array.from({ length: PACKAGES / PAGE }, (_, index) => ({ sort, number: index + 1 })),
  );
  return [
    await measure(
      `GET /packages/NAME, ${CLIENTS} clients`,
      { ...load, requests: paths.map(plain) },
      fetchPackage,
      500,
    ),
    await measure(
      "the same, the client has it: 304",
      {
        ...load,
        status: 304,
        requests: paths.map((path, index) => ({
          path,
          headers: { ...HEADERS, "if-none-match": etags[index] ?? "" },
        })),
      },
      fetchPackage,
      1_000,
    ),
    await measure(
      `GET /packages?search=, the ${PAGE} most downloaded of 200`,
      { ...load, requests: TOPICS.map((word) => plain(`/api/packages?search=${word}&sort=downloads`)) },
      (index) => listed(pool, searchFor(repositoryId, TOPICS[index % TOPICS.length] ?? "")),
      150,
    ),
    await measure(
      "GET /packages?page=&sort=, every page by every order",
      {
        ...load,
        requests: pages.map(({ sort, number }) => plain(`/api/packages?page=${number}&sort=${sort}`)),
      },
      (index) => {
        const { sort, number } = pages[index % pages.length] ?? { sort: "name", number: 1 };
        return listed(pool, {
          repositoryIds: [repositoryId],
          sort,
          offset: (number - 1) * PAGE,
          limit: PAGE,
        });
      },
    ),
  ];
}

async function etagOf(url: string): Promise<string> {
  const response = await fetch(url, { headers: HEADERS });
  await response.arrayBuffer();
  return response.headers.get("etag") ?? "";
}

async function someNames(sql: Sql): Promise<readonly string[]> {
  const rows = await sql<{ name: string }[]>`select name from packages order by id`;
  const random = numbers(2);
  return Array.from({ length: DIFFERENT }, () => rows[Math.floor(random() * rows.length)]?.name ?? "");
}

/** What an answer about a package is made of. */
async function rowsOf(sql: Sql, repositoryId: number, name: string): Promise<unknown> {
  const row = await fullPackageByName(sql, repositoryId, name);
  return row && releaseSummaries(sql, [row.id]);
}

function searchFor(repositoryId: number, word: string): PackageSearch {
  const repositoryIds = [repositoryId];
  return {
    repositoryIds,
    text: { name: { text: word, openStart: true, openEnd: true }, words: [word], repositoryIds },
    sort: "total_downloads",
    offset: 0,
    limit: PAGE,
  };
}

/** What a page of a list is made of. */
async function listed(sql: Sql, search: PackageSearch): Promise<unknown> {
  const rows = await searchPackages(sql, search);
  const ids = rows.map(({ id }) => id);
  return Promise.all([packagesById(sql, ids), releaseSummaries(sql, ids)]);
}

async function measure(
  what: string,
  load: Load,
  bare: (index: number) => Promise<unknown>,
  goal?: number,
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
    goal: goal === undefined ? "" : `${goal}/s`,
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
