/** A whole registry on a loopback port: API, generator and static server, as `skep serve` puts them together. */
import { createPublicKey, randomBytes } from "node:crypto";
import { Hono } from "hono";
import { createApi } from "../../api/app.ts";
import type { NodeBindings } from "../../api/http/client.ts";
import { type BlockList, openBlockList } from "../../api/limits/block-list.ts";
import { PostgresCounters } from "../../api/limits/counters.ts";
import { openReadOnlySwitch, type ReadOnlySwitch } from "../../api/read-only.ts";
import { startServer } from "../../api/server.ts";
import type { ApiDependencies, ApiSettings } from "../../api/settings.ts";
import { createEdge } from "../../edge/app.ts";
import { createPrivateReaders } from "../../edge/readers.ts";
import { fixedKeys } from "../../edge/renewed-keys.ts";
import { type Cdn, type GeneratorContext, newCounters } from "../../generator/context.ts";
import { Generator } from "../../generator/generator.ts";
import { openChangeWaiter } from "../../store/change-waiter.ts";
import { MemoryStore } from "../../store/objects/memory.ts";
import type { ObjectStore } from "../../store/objects/store.ts";
import type { KeyPermission } from "../../store/queries/keys.ts";
import type { Role } from "../../store/queries/memberships.ts";
import { setOwner } from "../../store/queries/owners.ts";
import { ensurePublicRepository } from "../../store/queries/repositories.ts";
import { urlsOf } from "../../views/urls.ts";
import { createWeb } from "../../web/app.ts";
import { type AccountOptions, makeKey, makeOrganization, makeOrganizationKey, makeUser } from "./accounts.ts";
import { KEY_SECRET, NAME, SETTINGS, TOKEN_KEYS } from "./api-settings.ts";
import type { TestDatabase } from "./open-database.ts";
import { QUICK } from "./quick.ts";
import { testSigner } from "./signing.ts";

export interface RegistryOptions {
  /** A migrated database; a fresh one of the test server unless given. */
  readonly database?: TestDatabase;
  readonly settings?: Partial<ApiSettings>;
  readonly publicStore?: ObjectStore;
  readonly privateStore?: ObjectStore;
  readonly cdn?: Cdn;
  /** Also write the API's answers as files. */
  readonly twins?: boolean;
  /** False leaves the generator out: then publishes wait in vain. */
  readonly generator?: boolean;
  readonly clock?: () => Date;
  readonly onStep?: ApiDependencies["onStep"];
  readonly log?: ApiDependencies["log"];
}

export interface TestRegistry {
  /** Without a trailing slash; the API is at `/api`, the repository at `/repo`. */
  readonly url: string;
  readonly database: TestDatabase;
  /** What the API works with. */
  readonly deps: ApiDependencies;
  readonly publicStore: ObjectStore;
  readonly privateStore: ObjectStore;
  readonly generator: GeneratorContext;
  readonly blockList: BlockList;
  readonly readOnly: ReadOnlySwitch;
  /** Requests that reached the API. */
  readonly apiRequests: () => number;
  /** @returns the secret of a new key of the user, who is made when not there. */
  key(username: string, permissions?: readonly KeyPermission[], options?: AccountOptions): Promise<string>;
  /** @returns the id of the user, who is made when not there, with the password `password`. */
  user(username: string, options?: AccountOptions): Promise<number>;
  /** Makes the organization with its members, who are made when not there. @returns its id. */
  organization(name: string, members: Readonly<Record<string, Role>>): Promise<number>;
  /** @returns the secret of a new key of the organization. */
  organizationKey(name: string, permissions?: readonly KeyPermission[]): Promise<string>;
  own(username: string, packageName: string, level: "maintainer" | "full"): Promise<void>;
  /** A request to the API, without the socket. */
  request(path: string, init?: RequestInit): Promise<Response>;
  stop(): Promise<void>;
}

const quiet = { info() {}, warn() {}, error() {} };

export async function startRegistry(options: RegistryOptions = {}): Promise<TestRegistry> {
  // Loaded only here: it belongs to the test runner, and benchmarks have none.
  const database = options.database ?? (await (await import("./database.ts")).createTestDatabase());
  const publicStore = options.publicStore ?? new MemoryStore();
  const privateStore = options.privateStore ?? new MemoryStore();
  const sql = database.pool({ role: "skep_api", max: 10 });
  const waiter = await openChangeWaiter(sql);
  await ensurePublicRepository(sql, NAME);

  const root = new Hono();
  const server = await startServer(root.fetch, { host: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${server.port}`;
  const clock = options.clock ?? (() => new Date());
  const log = options.log ?? quiet;
  const settings = { publicUrl: url, repositoryUrl: `${url}/repo`, ...SETTINGS, ...options.settings };
  const blockList = await openBlockList(sql, log);
  const readOnly = await openReadOnlySwitch(sql, settings, log);
  const deps: ApiDependencies = {
    sql,
    counters: new PostgresCounters(sql, clock),
    blockList,
    readOnly,
    blobs: privateStore,
    waiter,
    settings,
    keySecret: KEY_SECRET,
    tokenKeys: TOKEN_KEYS,
    clock,
    random: randomBytes,
    log,
    onStep: options.onStep,
  };
  const api = createApi(deps);
  let apiRequests = 0;
  root.use("/api/*", async (_, next) => {
    apiRequests += 1;
    await next();
  });
  for (const path of ["/api", "/api/*"]) root.all(path, (c) => api.fetch(c.req.raw, c.env as NodeBindings));
  const readers = createPrivateReaders({
    apiKeys: { sql, secret: KEY_SECRET },
    tokenKeys: fixedKeys(TOKEN_KEYS),
    registryKeys: fixedKeys({ publicKeys: [createPublicKey(testSigner().publicKeyPem)] }),
    clock,
  });
  root.route("/repo", createEdge({ store: publicStore, repository: { name: NAME, public: true }, readers }));
  const web = createWeb(deps);
  root.notFound((c) => web.fetch(c.req.raw, c.env as NodeBindings));

  const context: GeneratorContext = {
    sql: database.pool({ role: "skep_generator", max: 6 }),
    publicStore,
    privateStore,
    signer: testSigner(),
    twins: options.twins ? urlsOf(settings) : undefined,
    cdn: options.cdn,
    settings: { ...QUICK, leaseSeconds: 10, renewSeconds: 3, deletionGraceSeconds: 3_600 },
    log: options.log ?? quiet,
    holder: "test",
    counters: newCounters(),
    random: Math.random,
  };
  const stopping = new AbortController();
  const running = options.generator === false ? undefined : new Generator(context).run(stopping.signal);

  return {
    url,
    database,
    deps,
    publicStore,
    privateStore,
    generator: context,
    blockList,
    readOnly,
    apiRequests: () => apiRequests,
    user: (username, account) => makeUser(database.sql, username, account),
    key: (username, permissions, account) => makeKey(database.sql, username, permissions, account),
    organization: (name, members) => makeOrganization(database.sql, name, members),
    organizationKey: (name, permissions) => makeOrganizationKey(database.sql, name, permissions),
    async own(username, packageName, level) {
      const userId = await makeUser(database.sql, username);
      const [row] = await database.sql<{ id: number }[]>`select id from packages where name = ${packageName}`;
      await database.sql.begin((tx) => setOwner(tx, row?.id ?? 0, userId, level));
    },
    request: async (path, init) =>
      api.request(`/api${path}`, { ...init, headers: { "user-agent": "test", ...init?.headers } }),
    async stop() {
      await server.stop(1_000);
      stopping.abort();
      await running;
      await waiter.close();
      blockList.close();
      readOnly.close();
      await database.drop();
    },
  };
}
