/** Asks the database for all that `skep status` tells; what this login may not see is left out, and named. */

import type { Sql } from "../../store/postgres/pool.ts";
import { latestFindings } from "../../store/queries/findings.ts";
import { isReadOnlyServer, readOnlyMode } from "../../store/queries/operations.ts";
import { changeQueue, heldCount, mailQueue, purgeQueue } from "../../store/queries/queues.ts";
import { claims, lastDone, recentLag } from "../../store/queries/status.ts";
import { lookAtObjects, type ObjectSources } from "./objects.ts";
import type { Status } from "./report.ts";

const FINDINGS = 5;
/** What Postgres says to whoever may not see a table. */
const FORBIDDEN = "42501";

export interface StatusSources extends Pick<ObjectSources, "store" | "reader"> {
  readonly sql: Sql;
  /** Why there is no store, or no reader. */
  readonly missing: readonly string[];
  /** Of random objects to look at. */
  readonly samples: number;
  /** Whether the settings demand read-only mode. */
  readonly readOnly: boolean;
}

/** @throws whatever Postgres throws, when it cannot be asked at all. */
export async function gatherStatus(sources: StatusSources): Promise<Status> {
  const { sql, store, reader, missing, samples } = sources;
  const unchecked = [...missing];
  const permitted = async <T>(what: string, work: Promise<T>): Promise<T | undefined> => {
    try {
      return await work;
    } catch (error) {
      if ((error as { code?: unknown }).code !== FORBIDDEN) throw error;
      unchecked.push(`${what}: this login may not see it`);
      return undefined;
    }
  };
  const onUnread: ObjectSources["onUnread"] = (what, reason) => unchecked.push(`${what}: ${reason}`);
  return {
    lag: await permitted("lag", recentLag(sql)),
    changes: await permitted("changes", changeQueue(sql)),
    last: await permitted("last build", lastDone(sql)),
    purges: await permitted("purges", purgeQueue(sql)),
    claims: await permitted("claims", claims(sql)),
    mails: await permitted("mails", mailQueue(sql)),
    held: await permitted("lost bytes", heldCount(sql)),
    findings: await permitted("sampler", latestFindings(sql, FINDINGS)),
    objects: await permitted("objects", lookAtObjects({ sql, store, reader, onUnread }, samples)),
    readOnly: await permitted("read-only", readOnlyNow(sources)),
    unchecked,
  };
}

/** As the API judges it. */
async function readOnlyNow({ sql, readOnly }: StatusSources): Promise<Status["readOnly"]> {
  const row = await readOnlyMode(sql);
  if (row !== undefined) return row;
  if (readOnly) return { message: "SKEP_READ_ONLY is on", since: null };
  return (await isReadOnlyServer(sql)) ? { message: "Postgres takes no writes", since: null } : null;
}
