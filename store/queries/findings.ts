/** What the sampler has found amiss, for people: it is mended by the ordinary path whoever looks. */
import type { Micros } from "../../schemas/time.ts";
import type { Queryable } from "../postgres/pool.ts";

/** `store`: another object than was recorded; `cdn`: that one is stored, and another is served. */
export type FindingPlace = "store" | "cdn";

export interface SampleFinding {
  readonly key: string;
  readonly place: FindingPlace;
  readonly foundAt: Micros;
}

export async function recordFinding(
  sql: Queryable,
  repositoryId: number,
  key: string,
  place: FindingPlace,
): Promise<void> {
  await sql`insert into sample_findings (repository_id, key, place) values (${repositoryId}, ${key}, ${place})`;
}

/** @returns those of the last day, the latest first, at most `limit`. */
export function latestFindings(sql: Queryable, limit: number): Promise<readonly SampleFinding[]> {
  return sql<SampleFinding[]>`
    select key, place, found_at as "foundAt" from sample_findings
    where found_at > now() - interval '1 day' order by found_at desc limit ${limit}`;
}

/** Removes what is older than a week. */
export async function forgetFindings(sql: Queryable): Promise<void> {
  await sql`delete from sample_findings where found_at < now() - interval '7 days'`;
}
