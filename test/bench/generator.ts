/**
 * A generator as it runs in production, in a registry of the size of hex.pm: how long it takes to start, what a publish
 * waits for it, and what memory it needs.
 */
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openChangeWaiter } from "../../store/change-waiter.ts";
import { openFolderStore } from "../../store/objects/folder.ts";
import { startEmbeddedPostgres } from "../../store/postgres/embedded.ts";
import { migrate } from "../../store/postgres/migrate.ts";
import type { Sql } from "../../store/postgres/pool.ts";
import { allIndexRows } from "../../store/queries/registry.ts";
import { ensurePublicRepository } from "../../store/queries/repositories.ts";
import { type RunningSkep, type SkepFolder, skepFolder } from "../cli/skep.ts";
import { openDatabase } from "../support/open-database.ts";
import { openRowPublisher } from "../support/rows.ts";
import { privateKeyOfTests } from "../support/signing.ts";
import { corpus, insertCorpus, REPOSITORY } from "./corpus.ts";
import { median, percentile, type Row, seconds } from "./report.ts";

const PACKAGES = 20_000;
const RELEASES = 190_000;
const PUBLISHES = 200;
const WARM_UP = 10;

export async function benchGenerator(): Promise<readonly Row[]> {
  const skep = await skepFolder();
  // As durable as in production: a commit is on the disk.
  const postgres = await startEmbeddedPostgres({ folder: join(skep.folder, "postgres") });
  const database = openDatabase(postgres.url);
  try {
    await migrate(database.sql);
    const { id } = await ensurePublicRepository(database.sql, REPOSITORY.name);
    await insertCorpus(database.sql, id, corpus(PACKAGES, RELEASES));
    await recordAll(database.sql, id);
    const loading = await seconds(() => loadRows(database.sql, id));
    const begun = performance.now();
    const generator = await startGenerator(skep, postgres.url);
    const start = (performance.now() - begun) / 1000;
    const times = await publishTimes(skep, database.sql);
    const sync = await syncTimes(skep);
    return [
      {
        what: `start of \`skep generator\`, ${PACKAGES} packages / ${RELEASES} releases`,
        ours: `${start.toFixed(2)} s`,
        limit: `${loading.toFixed(2)} s`,
        beside: "reading the rows of the indexes",
        ratio: start / loading,
        goal: "under 6 s",
      },
      {
        what: `commit to visible, folder store: p99 ${percentile(times, 0.99).toFixed(0)} ms`,
        ours: `${median(times).toFixed(0)} ms`,
        limit: `${median(sync).toFixed(1)} ms`,
        beside: "writing a file of 4 KiB durably",
        ratio: median(times) / median(sync),
        goal: "median 40 ms, p99 150 ms",
      },
      await memoryRow(generator),
    ];
  } finally {
    await skep.remove();
    await database.drop();
    await postgres.stop();
    await rm(skep.folder, { recursive: true, force: true });
  }
}

/** Books as large as they would be, of objects that nobody looks at here. */
async function recordAll(sql: Sql, repositoryId: number): Promise<void> {
  await sql`
    insert into objects (repository_id, key, package, generation, payload_hash, etag, header_version)
    select ${repositoryId}::bigint, 'tarballs/' || p.name || '-' || r.version || '.tar', p.name, 1, r.outer_checksum, md5(p.name), 1
    from releases r join packages p on p.id = r.package_id
    union all
    select ${repositoryId}::bigint, 'packages/' || name, name, 1, sha256(name::bytea), md5(name), 1 from packages`;
}

async function loadRows(sql: Sql, repositoryId: number): Promise<void> {
  await sql.begin(async (tx) => {
    for await (const _ of allIndexRows(tx, repositoryId)) {
      // Only read.
    }
  });
}

async function startGenerator(skep: SkepFolder, databaseUrl: string): Promise<RunningSkep> {
  const keyFile = join(skep.folder, "key.pem");
  await writeFile(keyFile, privateKeyOfTests(), { mode: 0o600 });
  const generator = skep.start(["generator"], {
    DATABASE_URL: databaseUrl,
    SKEP_SIGNING_KEY_FILE: keyFile,
    SKEP_PUBLIC_STORE: `folder:${join(skep.folder, "public")}`,
    SKEP_PRIVATE_STORE: `folder:${join(skep.folder, "private")}`,
    SKEP_REPOSITORY: REPOSITORY.name,
    SKEP_REPOSITORY_URL: "http://repo.example",
  });
  await generator.until("the indexes are in memory");
  return generator;
}

/** @returns milliseconds from the commit of a publish until it is told to be visible, one publish after the other. */
async function publishTimes(skep: SkepFolder, sql: Sql): Promise<readonly number[]> {
  const privateStore = await openFolderStore(join(skep.folder, "private"));
  const rows = await openRowPublisher(sql, privateStore, { name: REPOSITORY.name, public: true });
  const waiter = await openChangeWaiter(sql);
  const times: number[] = [];
  try {
    for (let turn = 0; turn < WARM_UP + PUBLISHES; turn++) {
      // Anywhere in the order of names.
      const change = await rows.publish(`package_${((turn * 7_919) % PACKAGES).toString(36)}_new`, "1.0.0");
      const begun = performance.now();
      if (!(await waiter.wait(change, 10_000))) throw new Error("not visible within 10 s");
      if (turn >= WARM_UP) times.push(performance.now() - begun);
    }
  } finally {
    await waiter.close();
  }
  return times;
}

async function syncTimes({ folder }: SkepFolder): Promise<readonly number[]> {
  const times: number[] = [];
  for (let turn = 0; turn < 50; turn++) {
    const write = () => writeFile(join(folder, `sync-${turn}`), Buffer.alloc(4_096, turn), { flush: true });
    times.push((await seconds(write)) * 1000);
  }
  return times;
}

async function memoryRow({ child }: RunningSkep): Promise<Row> {
  const status = await readFile(`/proc/${child.pid}/status`, "utf8");
  const mebibytes = (field: string) => Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
  return {
    what: "the generator's memory after that, at its most",
    ours: `${mebibytes("VmHWM").toFixed(0)} MiB`,
    limit: `${mebibytes("VmRSS").toFixed(0)} MiB`,
    beside: "now",
    ratio: mebibytes("VmHWM") / mebibytes("VmRSS"),
    goal: "under 400 MB",
  };
}
