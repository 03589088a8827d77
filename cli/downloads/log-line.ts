/** Lines of a CDN's or a web server's log: what they say of a request, and which tarball it was for. */
import {
  type PackageName,
  packageName,
  type RepositoryName,
  repositoryName,
  type Version,
  version,
} from "../../hex/ids.ts";

export interface LogLine {
  /** UTC, `YYYY-MM-DD`. */
  readonly day: string;
  readonly method: string;
  /** Path, or the whole URL. */
  readonly url: string;
  readonly status: number;
}

export interface Tarball {
  /** Undefined: the public one. */
  readonly repository: RepositoryName | undefined;
  readonly package: PackageName;
  readonly version: Version;
}

// What syslog puts in front: `<134>2026-08-21T10:00:00Z cache-fra1234 skep[42]: `.
const SYSLOG = /^<\d{1,3}>\S+ \S+ [^\s:]+: ?/;
// The common log format, and the combined one, which goes on after it.
const COMMON = /^\S+ \S+ .*?\[([^\]]+)\] "([A-Z]+) (\S+)(?: HTTP\/[\d.]+)?" (\d{3})(?: |$)/;

/**
 * Reads one line: a JSON object with `time`, `method`, `url` or `path`, and `status`; or the common or combined log
 * format of web servers; either with or without what syslog puts in front.
 * @returns undefined for any other.
 */
export function parseLogLine(text: string): LogLine | undefined {
  const line = text.replace(SYSLOG, "").trim();
  if (line.startsWith("{")) return parseJsonLine(line);
  const [, time, method, url, status] = COMMON.exec(line) ?? [];
  return logLine(time, method, url, status);
}

function parseJsonLine(line: string): LogLine | undefined {
  let value: Readonly<Record<string, unknown>>;
  try {
    value = JSON.parse(line) as typeof value;
  } catch {
    return undefined;
  }
  const { time, timestamp, method, url, path, status } = value;
  return logLine(time ?? timestamp, method, url ?? path, status);
}

function logLine(time: unknown, method: unknown, url: unknown, status: unknown): LogLine | undefined {
  const at = typeof time === "number" ? time * 1000 : typeof time === "string" ? instantOf(time) : Number.NaN;
  const code = Number(status);
  if (!(Math.abs(at) < 8.64e15) || typeof method !== "string" || typeof url !== "string") return undefined;
  if (!(Number.isInteger(code) && code >= 100 && code <= 999)) return undefined;
  return { day: new Date(at).toISOString().slice(0, 10), method, url, status: code };
}

const COMMON_TIME = /^\[?(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d\d)(\d\d)\]?$/;
const ISO_TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)$/;

function instantOf(text: string): number {
  const [, day, month, year, clock, hours, minutes] = COMMON_TIME.exec(text) ?? [];
  if (day !== undefined) return Date.parse(`${day} ${month} ${year} ${clock} GMT${hours}${minutes}`);
  // A time without an offset would be taken for this machine's.
  return ISO_TIME.test(text) ? Date.parse(text.replace(/([+-]\d\d)(\d\d)$/, "$1:$2")) : Number.NaN;
}

const TARBALL = /(?:^|\/)(?:repos\/([^/]+)\/)?tarballs\/([^/-]+)-([^/]+)\.tar$/;

/** @returns the tarball that the request fetched or had already, undefined when it did neither. */
export function fetchedTarball({ method, url, status }: LogLine): Tarball | undefined {
  if (method !== "GET" || (status !== 200 && status !== 304)) return undefined;
  const [, inRepository, name, text] = TARBALL.exec(pathOf(url)) ?? [];
  const repository = inRepository === undefined ? undefined : repositoryName(inRepository);
  const found = { package: packageName(name ?? ""), version: version(text ?? "") };
  if (found.package === undefined || found.version === undefined) return undefined;
  if (inRepository !== undefined && repository === undefined) return undefined;
  return { repository, package: found.package, version: found.version };
}

function pathOf(url: string): string {
  const [path = ""] = url.split(/[?#]/, 1);
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
