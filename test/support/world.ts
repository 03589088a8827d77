/**
 * A whole registry in one process for tests of the generator: a database, two stores that can fail, a
 * signing key, optionally a cache in front, and a reader that goes over everything afterwards.
 */
import { expect } from "vitest";
import { checkBucket } from "../../generator/check.ts";
import { type GeneratorContext, type GeneratorSettings, newCounters } from "../../generator/context.ts";
import { Generator } from "../../generator/generator.ts";
import type { StepHook } from "../../generator/steps.ts";
import { repositoryName, trusted } from "../../hex/ids.ts";
import { storeSource } from "../../mirror/source-store.ts";
import { verifyRepository } from "../../mirror/verify.ts";
import { pemSigner } from "../../proto/pem-signer.ts";
import type { Signer } from "../../proto/signer.ts";
import { hasCode } from "../../schemas/errors.ts";
import { MemoryStore } from "../../store/objects/memory.ts";
import type { ObjectStore } from "../../store/objects/store.ts";
import type { Sql } from "../../store/postgres/pool.ts";
import { urlsOf } from "../../views/urls.ts";
import { Cache } from "./cache.ts";
import { createTestDatabase } from "./database.ts";
import { FaultyStore } from "./faulty-store.ts";
import { openDatabase, type TestDatabase } from "./open-database.ts";
import { QUICK } from "./quick.ts";
import { openRowPublisher, type RowPublisher } from "./rows.ts";
import { newPrivateKeyPem, testSigner } from "./signing.ts";

export interface World {
  readonly database: TestDatabase;
  readonly sql: Sql;
  readonly publicStore: FaultyStore;
  readonly privateStore: FaultyStore;
  readonly cache: Cache | undefined;
  readonly rows: RowPublisher;
  /** A generator of its own, as if in another process. */
  generator(options?: GeneratorOptions): {
    readonly generator: Generator;
    readonly context: GeneratorContext;
  };
  /** Lets a healthy generator finish what is left, then checks everything that must hold. */
  expectWhole(expected: Readonly<Record<string, readonly string[]>>): Promise<void>;
  /** Whatever state a build is in: a client that reads the store now is not misled. */
  expectClean(): Promise<void>;
  /** As {@link expectClean}, but in the middle of a build, when one file may know more than another. */
  expectNothingDangling(): Promise<void>;
  /** A signer with a key of its own. */
  foreignSigner(): Signer;
  close(): Promise<void>;
}

export interface GeneratorOptions {
  readonly onStep?: StepHook;
  readonly settings?: Partial<GeneratorSettings>;
  readonly publicStore?: ObjectStore;
  readonly signer?: Signer;
}

export interface WorldOptions {
  /** In memory unless given. */
  readonly stores?: { readonly publicStore: ObjectStore; readonly privateStore: ObjectStore };
  readonly cache?: boolean;
  /** A migrated database that the test made itself; a fresh one on the shared server unless given. */
  readonly databaseUrl?: string;
  readonly settings?: Partial<GeneratorSettings>;
  /** Also write the API's answers as files. */
  readonly twins?: boolean;
}

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const database =
    options.databaseUrl === undefined ? await createTestDatabase() : openDatabase(options.databaseUrl);
  const publicStore = new FaultyStore(options.stores?.publicStore ?? new MemoryStore());
  const privateStore = new FaultyStore(options.stores?.privateStore ?? new MemoryStore());
  const cache = options.cache ? new Cache(publicStore) : undefined;
  const rows = await openRowPublisher(database.sql, privateStore);
  const signer = testSigner();
  const sql = database.pool({ role: "skep_generator", max: 6 });
  const findings = async (store: ObjectStore) => {
    const options = { repositoryName: "local", publicKeyPem: signer.publicKeyPem };
    return (await verifyRepository(storeSource(store), options)).findings;
  };
  let made = 0;

  const generator = (own: GeneratorOptions = {}) => {
    made += 1;
    const context: GeneratorContext = {
      sql,
      publicStore: own.publicStore ?? publicStore,
      privateStore,
      signer: own.signer ?? signer,
      cdn: cache && { purger: cache, reader: cache },
      settings: { ...QUICK, ...options.settings, ...own.settings },
      twins: options.twins ? urlsOf(TWIN_URLS) : undefined,
      log: quiet,
      holder: `generator ${made}`,
      counters: newCounters(),
      random: () => 0,
      onStep: own.onStep,
    };
    return { generator: new Generator(context), context };
  };

  return {
    database,
    sql: database.sql,
    publicStore,
    privateStore,
    cache,
    rows,
    generator,
    async expectWhole(expected) {
      publicStore.heal();
      privateStore.heal();
      const { generator: healthy, context } = generator();
      await settleAll(database.sql, healthy);
      await healthy.releaseClaims();
      expect(await liveReleases(database.sql)).toEqual(expected);
      await expectNothingOpen(database.sql);
      expect(await checkBucket(context)).toEqual([]);
      expect(await findings(cache ? cachedStore(publicStore, cache) : publicStore)).toEqual([]);
    },
    async expectClean() {
      expect(await findings(publicStore)).toEqual([]);
    },
    async expectNothingDangling() {
      publicStore.heal();
      const dangling = (await findings(publicStore)).filter(
        ({ check }) => check !== "agreement" && check !== "stray",
      );
      expect(dangling).toEqual([]);
    },
    foreignSigner: () => pemSigner(newPrivateKeyPem()),
    async close() {
      await database.drop();
    },
  };
}

const TWIN_URLS = {
  publicUrl: "http://skep.example",
  repositoryUrl: "http://repo.example",
  docsUrl: "http://docs.example",
  privateDocsUrl: "http://docs.example",
  repositoryName: trusted(repositoryName, "local"),
};

const quiet = { info() {}, warn() {}, error() {} };

/** Settles again until nothing is pending: a lease of a dead generator has to run out first. */
async function settleAll(sql: Sql, generator: Generator): Promise<void> {
  const deadline = performance.now() + 50_000;
  for (;;) {
    try {
      await generator.settle();
    } catch (error) {
      // On a busy machine a lease of a second runs out now and then: a generator that runs begins again, too.
      if (!hasCode(error, "lease_lost") || performance.now() > deadline) throw error;
    }
    if ((await openWork(sql)).length === 0) return;
    if (performance.now() > deadline)
      throw new Error(`does not settle: ${JSON.stringify(await openWork(sql))}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** @returns everything that a healthy generator would still have to do. */
async function openWork(sql: Sql): Promise<readonly object[]> {
  return sql`
    select 'change' as what, package as key from changes where finished_at is null
    union all select 'hidden change', package from changes where visible_at is null
    union all select 'intent', key from intents
    union all select 'purge', target_keys[1] from purges
    union all select 'deletion', key from deletions`;
}

async function expectNothingOpen(sql: Sql): Promise<void> {
  expect(await openWork(sql)).toEqual([]);
}

async function liveReleases(sql: Sql): Promise<Record<string, string[]>> {
  const rows = await sql<{ name: string; versions: string[] }[]>`
    select p.name, array_agg(r.version order by r.version) as versions
    from packages p join releases r on r.package_id = p.id group by p.name order by p.name`;
  return Object.fromEntries(rows.map((row) => [row.name, row.versions]));
}

/** What clients get through the cache, and what is listed behind it. */
function cachedStore(store: ObjectStore, cache: Cache): ObjectStore {
  return {
    ...bound(store),
    get: (key) => cache.get(key),
    head: (key) => cache.get(key),
  };
}

function bound(store: ObjectStore): ObjectStore {
  return {
    get: (key) => store.get(key),
    head: (key) => store.head(key),
    put: (key, body, options) => store.put(key, body, options),
    delete: (key, options) => store.delete(key, options),
    list: (prefix) => store.list(prefix),
    conditionalDelete: store.conditionalDelete,
    description: store.description,
    close: () => store.close(),
  };
}

/** A point that a generator reaches, and waits at until it is let go. */
export class Gate {
  readonly #open = deferred<void>();
  readonly #reached = deferred<void>();

  /** Resolves when somebody stands at the gate. */
  get reached(): Promise<void> {
    return this.#reached.promise;
  }

  async pass(): Promise<void> {
    this.#reached.resolve();
    await this.#open.promise;
  }

  open(): void {
    this.#open.resolve();
  }
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T | PromiseLike<T>) => void } {
  let resolve: (value: T | PromiseLike<T>) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
