/** Download counts in answers. */
import type { DownloadsWanted, PackageDownloads } from "../store/queries/downloads.ts";

/** @returns the sums that there are; none in a window in which nothing was counted. */
export function packageDownloadsView(row: PackageDownloads | undefined): object {
  if (row === undefined) return {};
  const windows = { all: row.total, recent: row.recent, week: row.week, day: row.day };
  return Object.fromEntries(Object.entries(windows).filter(([, count]) => count !== null));
}

/** @returns a sum, or a list of period and sum; an empty list where nothing was counted. */
export function releaseDownloadsView(
  by: DownloadsWanted["by"],
  rows: readonly { readonly period: string; readonly downloads: number }[],
): unknown {
  if (by === "all") return rows[0]?.downloads ?? [];
  return rows.map(({ period, downloads }) => [period, downloads]);
}
