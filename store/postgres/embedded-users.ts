/**
 * Who uses an embedded Postgres. Each user holds a lock in the server itself, for as long as its connection
 * lives, so that nothing is left behind by one that was killed; the last one stops the server.
 */
import postgres from "postgres";
import { SkepError } from "../../schemas/errors.ts";

const USERS = 7_365_707_101;
const SOLE = 7_365_707_102;

export interface ServerUser {
  /** Gives the lock back. @returns whether nobody else uses the server, who then is kept from beginning to. */
  leave(): Promise<boolean>;
  /** Ends the connection, and with it every lock. */
  close(): Promise<void>;
}

export interface UserOptions {
  /** What the program is, with its process id: for messages. */
  readonly name: string;
  /** Refuses to be the second one with this wish. */
  readonly sole: boolean;
}

/**
 * @throws SkepError `already_exists` when another program is the sole one; `database_unavailable` when the
 *   server goes away, as it may when its last user left at this moment.
 */
export async function useServer(url: string, options: UserOptions): Promise<ServerUser> {
  // Never recycled, unlike those of a pool: the locks live and die with this one connection.
  const sql = postgres(url, {
    max: 1,
    max_lifetime: null,
    idle_timeout: 0,
    connect_timeout: 10,
    onnotice: () => undefined,
    connection: { application_name: options.name },
  });
  const close = () => sql.end({ timeout: 1 });
  try {
    // Tried and not waited for: whoever holds it exclusively is stopping the server.
    const [entry] = await sql`select pg_try_advisory_lock_shared(${USERS}) as taken`;
    if (!entry?.taken) throw new SkepError("database_unavailable", "the embedded Postgres is being stopped");
    if (options.sole) await takeSole(sql);
  } catch (error) {
    await close();
    if (error instanceof SkepError) throw error;
    throw new SkepError("database_unavailable", "the embedded Postgres went away", { cause: error });
  }
  return {
    async leave() {
      await sql`select pg_advisory_unlock_shared(${USERS})`;
      const [last] = await sql`select pg_try_advisory_lock(${USERS}) as taken`;
      return last?.taken === true;
    },
    close,
  };
}

async function takeSole(sql: postgres.Sql): Promise<void> {
  const [sole] = await sql`select pg_try_advisory_lock(${SOLE}) as taken`;
  if (sole?.taken) return;
  const [holder] = await sql<{ name: string }[]>`
    select a.application_name as name
    from pg_locks l join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'advisory' and l.granted
      and (l.classid::bigint << 32 | l.objid::bigint) = ${SOLE}`;
  throw new SkepError("already_exists", `${holder?.name ?? "another program"} already uses this folder`);
}
