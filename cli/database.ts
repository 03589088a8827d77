/** The database of a command: the one that DATABASE_URL names, or the embedded one of the data folder. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { CommonConfig } from "../schemas/config/config.ts";
import { hasCode, SkepError } from "../schemas/errors.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../store/postgres/embedded.ts";
import { requireMigrated } from "../store/postgres/migrate.ts";
import { openPool, type PoolOptions, type Sql, waitForPostgres } from "../store/postgres/pool.ts";

export interface Database {
  readonly description: string;
  /** A pool that is closed with the database. */
  pool(options?: PoolOptions): Sql;
  /**
   * The same under a role, in a database that is known to be of this release.
   * @throws SkepError `database_outdated`, `database_newer`; `database_unavailable` when the login may not
   *   act as the role.
   */
  rolePool(role: Role, max: number): Promise<Sql>;
  /** Closes the pools, and stops an embedded server that nobody else uses. */
  close(): Promise<void>;
  /** Ends an embedded server without waiting for it: it recovers at its next start. */
  abandon(): void;
}

export type Role = NonNullable<PoolOptions["role"]>;

export interface DatabaseOptions {
  /** Names the program to Postgres, and to others that would use the embedded one. */
  readonly name: string;
  /** The embedded server is to have one such program at a time, and to be looked after by it. */
  readonly sole?: { readonly log: (message: string) => void };
  /** How long to wait for a server that does not answer. */
  readonly patienceSeconds: number;
}

/** @throws SkepError `database_unavailable`; `already_exists` when there is another sole program. */
export async function openDatabase(
  config: Pick<CommonConfig, "databaseUrl" | "dataFolder">,
  options: DatabaseOptions,
): Promise<Database> {
  const server =
    config.databaseUrl === undefined ? await openEmbedded(config.dataFolder, options) : undefined;
  const url = server?.url ?? config.databaseUrl?.reveal() ?? "";
  const pools: Sql[] = [];
  const pool = (wishes?: PoolOptions) => {
    const opened = openPool(url, { applicationName: options.name, ...wishes });
    pools.push(opened);
    return opened;
  };
  const close = async () => {
    await Promise.all(pools.map((opened) => opened.end({ timeout: 5 })));
    await server?.stop();
  };
  try {
    const probe = openPool(url, { max: 1, applicationName: options.name });
    await waitForPostgres(probe, options.patienceSeconds).finally(() => probe.end({ timeout: 1 }));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    description: server === undefined ? hostOf(url) : `embedded, in ${join(config.dataFolder, "postgres")}`,
    pool,
    rolePool: (role, max) => openRole(pool({ role, max }), role, url),
    close,
    abandon: () => server?.abandon(),
  };
}

/** @throws SkepError `config_invalid` when the folder cannot be made */
async function openEmbedded(dataFolder: string, { name, sole }: DatabaseOptions): Promise<EmbeddedPostgres> {
  try {
    await mkdir(dataFolder, { recursive: true });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SkepError("config_invalid", `SKEP_DATA_DIR cannot be used: ${reason}`, { cause });
  }
  const folder = join(dataFolder, "postgres");
  try {
    const server = await startEmbeddedPostgres({ folder, name, sole: sole !== undefined });
    if (sole !== undefined) server.keepRunning(sole.log);
    return server;
  } catch (cause) {
    if (!hasCode(cause, "already_exists")) throw cause;
    const message = `${cause.message}, ${dataFolder}: stop it, or give this one a folder of its own with SKEP_DATA_DIR`;
    throw new SkepError("already_exists", message, { cause });
  }
}

/**
 * @param sql a pool under the role
 * @returns the same pool, in a database that is known to be of this release.
 * @throws SkepError as {@link Database.rolePool}; what Postgres throws when it cannot be reached.
 */
export async function openRole(sql: Sql, role: Role, url: string): Promise<Sql> {
  try {
    await requireMigrated(sql);
    return sql;
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    // What Postgres says to a connection that asks for a role which is not there, or not its own.
    if (code === "22023") {
      throw new SkepError("database_outdated", `Postgres has no role ${role}; run \`skep migrate\``, {
        cause,
      });
    }
    if (code === "42501") {
      const login = decodeURIComponent(new URL(url).username);
      const message = `the login ${login} may not act as ${role}; let an administrator run: grant ${role} to "${login}"`;
      throw new SkepError("database_unavailable", message, { cause });
    }
    throw cause;
  }
}

function hostOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}

const TOOL_PATIENCE_SECONDS = 2;

/** For a command that does one thing: an embedded server runs for as long as the work, unless it runs anyway. */
export async function withDatabase(
  config: Pick<CommonConfig, "databaseUrl" | "dataFolder">,
  name: string,
  work: (database: Database) => Promise<void>,
): Promise<void> {
  const database = await openDatabase(config, {
    name: `${name} (pid ${process.pid})`,
    patienceSeconds: TOOL_PATIENCE_SECONDS,
  });
  try {
    await work(database);
  } finally {
    await database.close();
  }
}
