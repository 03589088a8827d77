/** Downloads of a whole log. */
import type { DownloadCount } from "../../store/queries/downloads.ts";
import { fetchedTarball, parseLogLine } from "./log-line.ts";

export interface LogCounts {
  /** By release and day. */
  readonly counts: readonly DownloadCount[];
  /** Every day of which the log says anything, also without a download. */
  readonly days: readonly string[];
  readonly lines: number;
  /** Lines that could not be read. */
  readonly unread: number;
}

/** Counts line by line; only the sums are kept. */
export async function countDownloads(lines: AsyncIterable<string>): Promise<LogCounts> {
  const counts = new Map<string, DownloadCount & { downloads: number }>();
  const days = new Set<string>();
  let [read, unread] = [0, 0];
  for await (const text of lines) {
    if (text.trim() === "") continue;
    read += 1;
    const line = parseLogLine(text);
    if (line === undefined) {
      unread += 1;
      continue;
    }
    days.add(line.day);
    const tarball = fetchedTarball(line);
    if (tarball === undefined) continue;
    const { repository, package: name, version } = tarball;
    const key = [line.day, repository ?? "", name, version].join(" ");
    const count = counts.get(key);
    if (count !== undefined) count.downloads += 1;
    else
      counts.set(key, {
        day: line.day,
        repository: repository ?? null,
        package: name,
        version,
        downloads: 1,
      });
  }
  return { counts: [...counts.values()], days: [...days].sort(), lines: read, unread };
}
