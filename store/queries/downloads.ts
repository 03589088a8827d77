/** How often releases were fetched, by the day. */
import type { Queryable, Transaction } from "../postgres/pool.ts";

export interface DownloadCount {
  /** UTC, `YYYY-MM-DD`. */
  readonly day: string;
  /** Null: the public one. */
  readonly repository: string | null;
  readonly package: string;
  readonly version: string;
  readonly downloads: number;
}

/**
 * Replaces what the source has said of these days, so that the same log may come in again.
 * @returns how many downloads were taken in; those of releases that are not there are not.
 */
export async function replaceDownloads(
  tx: Transaction,
  source: string,
  days: readonly string[],
  counts: readonly DownloadCount[],
): Promise<number> {
  await tx`delete from download_counts where source = ${source} and day = any(${days as string[]}::date[])`;
  const column = (key: keyof DownloadCount): (string | null)[] =>
    counts.map((count) => (count[key] === null ? null : String(count[key])));
  const rows = await tx<{ downloads: number }[]>`
    insert into download_counts (release_id, day, source, downloads)
    select r.id, c.day::date, ${source}, sum(c.downloads::bigint)
    from unnest(${column("day")}::text[], ${column("repository")}::text[], ${column("package")}::text[],
        ${column("version")}::text[], ${column("downloads")}::text[])
        as c (day, repository, package, version, downloads)
      join repositories o on case when c.repository is null then o.public else o.name = c.repository end
      join packages p on p.repository_id = o.id and p.name = c.package
      join releases r on r.package_id = p.id and r.version = c.version
    group by r.id, c.day
    returning downloads`;
  return rows.reduce((sum, row) => sum + row.downloads, 0);
}

/**
 * Sums the counts up by package: all, and the last full 90 days, 7 days and day, each ending the day before.
 * @param today UTC, `YYYY-MM-DD`
 */
export async function refreshPackageDownloads(tx: Transaction, today: string): Promise<void> {
  // One at a time: of two, the later must have seen what the earlier counted.
  await tx`lock table package_downloads in share row exclusive mode`;
  await tx`
    with sums as (
      select r.package_id, sum(c.downloads) as total,
        sum(c.downloads) filter (where c.day >= ${today}::date - 90 and c.day < ${today}::date) as recent,
        sum(c.downloads) filter (where c.day >= ${today}::date - 7 and c.day < ${today}::date) as week,
        sum(c.downloads) filter (where c.day = ${today}::date - 1) as day
      from download_counts c join releases r on r.id = c.release_id group by r.package_id
    ), gone as (
      delete from package_downloads where package_id not in (select package_id from sums)
    )
    insert into package_downloads as old (package_id, total, recent, week, day)
    select package_id, total, recent, week, day from sums
    on conflict (package_id) do update
      set total = excluded.total, recent = excluded.recent, week = excluded.week, day = excluded.day
      where (old.total, old.recent, old.week, old.day)
        is distinct from (excluded.total, excluded.recent, excluded.week, excluded.day)`;
}

export interface PackageDownloads {
  readonly total: number;
  readonly recent: number | null;
  readonly week: number | null;
  readonly day: number | null;
}

/** Of a row `d` of `package_downloads` that an outer join may lack: {@link PackageDownloads} or null. */
export const downloadsColumn = (sql: Queryable) => sql`
  case when d.package_id is null then null
    else jsonb_build_object('total', d.total, 'recent', d.recent, 'week', d.week, 'day', d.day) end as downloads`;

export interface DownloadsWanted {
  readonly by: "all" | "day" | "month";
  /** Days, inclusive. */
  readonly after?: string | undefined;
  readonly before?: string | undefined;
}

/** @returns sums by period, ascending; no row where nothing was counted. */
export function releaseDownloads(
  sql: Queryable,
  releaseId: number,
  { by, after, before }: DownloadsWanted,
): Promise<readonly { readonly period: string; readonly downloads: number }[]> {
  const period = { all: sql`''`, day: sql`to_char(day, 'YYYY-MM-DD')`, month: sql`to_char(day, 'YYYY-MM')` }[
    by
  ];
  return sql<{ period: string; downloads: number }[]>`
    select ${period} as period, sum(downloads)::bigint as downloads from download_counts
    where release_id = ${releaseId}
      ${after === undefined ? sql`` : sql`and day >= ${after}::text::date`}
      ${before === undefined ? sql`` : sql`and day <= ${before}::text::date`}
    group by 1 order by 1`;
}
