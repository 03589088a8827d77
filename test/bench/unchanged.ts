/** A full rebuild of a registry of the size of hex.pm in which nothing has changed, beside reading its rows. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_GENERATOR_SETTINGS, type GeneratorContext, newCounters } from "../../generator/context.ts";
import { Generator } from "../../generator/generator.ts";
import { rebuild } from "../../generator/rebuild.ts";
import { MemoryStore } from "../../store/objects/memory.ts";
import { startEmbeddedPostgres } from "../../store/postgres/embedded.ts";
import { migrate } from "../../store/postgres/migrate.ts";
import type { Sql } from "../../store/postgres/pool.ts";
import { recordedObjects } from "../../store/queries/books.ts";
import { recordChanges } from "../../store/queries/changes.ts";
import { allIndexRows, allPackageNames, inSnapshot, packageRows } from "../../store/queries/registry.ts";
import { ensurePublicRepository } from "../../store/queries/repositories.ts";
import { openDatabase } from "../support/open-database.ts";
import { testSigner } from "../support/signing.ts";
import { blobOf, corpus, insertCorpus, REPOSITORY } from "./corpus.ts";
import { type Row, seconds } from "./report.ts";

const PACKAGES = 20_000;
const RELEASES = 190_000;
const AT_ONCE = 500;

export async function benchUnchanged(): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "skep-bench-"));
  const postgres = await startEmbeddedPostgres({ folder });
  const database = openDatabase(postgres.url);
  try {
    await migrate(database.sql);
    const { id } = await ensurePublicRepository(database.sql, REPOSITORY.name);
    const rows = corpus(PACKAGES, RELEASES);
    await insertCorpus(database.sql, id, rows);
    const context = contextOf(database.pool({ role: "skep_generator", max: 8 }));
    for (const row of rows) {
      for (const { blobKey, version } of row.releases) {
        await context.privateStore.put(blobKey, blobOf(row.name, version), {
          precondition: { kind: "none" },
        });
      }
    }
    await database.sql.begin((tx) =>
      recordChanges(
        tx,
        id,
        rows.map((row) => row.name),
      ),
    );
    const generator = new Generator(context);
    await generator.settle();
    const { puts } = context.counters;
    const loading = await seconds(() => loadRows(context.sql, id));
    const signal = new AbortController().signal;
    const time = await seconds(() => rebuild(context, generator, { strays: "few", signal }));
    await generator.releaseClaims();
    return [
      {
        what: `full rebuild, nothing changed: ${context.counters.puts - puts} PUTs`,
        ours: `${time.toFixed(1)} s`,
        limit: `${loading.toFixed(1)} s`,
        beside: "reading the rows and the books",
        ratio: time / loading,
        goal: "at most 2, no PUT",
      },
    ];
  } finally {
    await database.drop();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function contextOf(sql: Sql): GeneratorContext {
  return {
    sql,
    publicStore: new MemoryStore(),
    privateStore: new MemoryStore(),
    signer: testSigner(),
    settings: DEFAULT_GENERATOR_SETTINGS,
    log: { info() {}, warn: console.warn, error: console.error },
    holder: "bench",
    counters: newCounters(),
    random: Math.random,
  };
}

/** As much as a build reads of rows and books, as many packages at a time. */
async function loadRows(sql: Sql, repositoryId: number): Promise<void> {
  const names = await allPackageNames(sql, repositoryId);
  await inSnapshot(sql, async (tx) => {
    for (let start = 0; start < names.length; start += AT_ONCE) {
      const some = names.slice(start, start + AT_ONCE);
      await packageRows(tx, repositoryId, some);
      await recordedObjects(tx, repositoryId, some);
    }
    for await (const _ of allIndexRows(tx, repositoryId)) {
      // Only read.
    }
  });
}
