/** The connection pool, and what every query relies on: UTC, microseconds, safe integers. */
import postgres from "postgres";
import { SkepError } from "../../schemas/errors.ts";
import { isoMicros, type Micros, parseTimestamp } from "../../schemas/time.ts";

/** The Postgres types that this project reads and writes in its own way. */
export interface OwnTypes extends Record<string, unknown> {
  bigint: number;
  timestamptz: Micros;
}

export type Sql = postgres.Sql<OwnTypes>;
export type Transaction = postgres.TransactionSql<OwnTypes>;
/** Either: a query that is one statement does not care. */
export type Queryable = Sql | Transaction;

export interface PoolOptions {
  /** Connections at most. */
  readonly max?: number;
  /** The role to work as; the login must be a member of it. Absent: the login itself. */
  readonly role?: "skep_api" | "skep_generator" | "skep_edge";
  readonly applicationName?: string;
  /** Told of server notices; ignored otherwise. */
  readonly onNotice?: (message: string) => void;
}

function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`integer beyond 2^53 from Postgres: ${text}`);
  return value;
}

/**
 * Opens a pool; connections are made when they are needed.
 * @param url `postgres://user:password@host:port/database`
 */
export function openPool(url: string, options: PoolOptions = {}): Sql {
  return postgres(url, {
    max: options.max ?? 10,
    connect_timeout: 10,
    // A recycled connection cannot keep a plan of an older schema for ever.
    max_lifetime: 60 * 30,
    onnotice: (notice) => options.onNotice?.(notice.message ?? ""),
    connection: {
      application_name: options.applicationName ?? "skep",
      TimeZone: "UTC",
      DateStyle: "ISO",
      ...(options.role === undefined ? {} : { role: options.role }),
    },
    types: {
      bigint: { to: 20, from: [20], parse: safeInteger, serialize: (value: number) => String(value) },
      timestamptz: {
        to: 1184,
        from: [1184],
        parse: parseTimestamp,
        // A parameter may also be given as text that Postgres reads itself.
        serialize: (value: Micros) => (typeof value === "number" ? isoMicros(value) : String(value)),
      },
    },
  });
}

/** @returns whether a query failed because Postgres could not be reached or went away. */
export function isUnavailable(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return (
    typeof code === "string" && /^(ECONN|ENOENT|EPIPE|ETIMEDOUT|CONNECT|CONNECTION_|57P0|08|53300)/.test(code)
  );
}

/** @returns whether a statement failed because Postgres takes no writes: a standby, or by its settings. */
export function isReadOnly(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === "25006";
}

/** @returns whether a statement failed because the unique index already holds such a row. */
export function isDuplicate(error: unknown, index: string): boolean {
  const { code, constraint_name: name } = (error ?? {}) as { code?: unknown; constraint_name?: unknown };
  return code === "23505" && name === index;
}

/**
 * Waits until Postgres answers.
 * @param seconds how long at most
 * @throws SkepError `database_unavailable` after that.
 */
export async function waitForPostgres(sql: Sql, seconds: number): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    try {
      await sql`select 1`;
      return;
    } catch (cause) {
      if (!isUnavailable(cause) || performance.now() > deadline) {
        throw new SkepError(
          "database_unavailable",
          `Postgres cannot be reached: ${(cause as Error).message}`,
          {
            cause,
          },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
