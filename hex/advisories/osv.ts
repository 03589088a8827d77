/** Advisories as the OSV database exports them (OSV schema 1.x), as far as they are about packages of Hex. */
import { z } from "zod";
import { type PackageName, packageName } from "../ids.ts";
import { compareVersions, parseVersion } from "../versions/version.ts";
import { type CvssScore, cvssScore } from "./cvss.ts";
import { type Affected, EVERY, type RangeEvent } from "./ranges.ts";

/** What is wrong with a record, and where in it. */
export class OsvError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "OsvError";
  }
}

export interface Advisory {
  readonly id: string;
  /** One line. */
  readonly summary: string;
  readonly aliases: readonly string[];
  /** ISO 8601 in UTC, as all of these. */
  readonly publishedAt: string;
  readonly modifiedAt: string;
  readonly withdrawnAt: string | null;
  readonly cvssVector: string | null;
  /** Null: no vector, or none that says how severe it is. */
  readonly cvss: CvssScore | null;
  readonly references: readonly { readonly type: string; readonly url: string }[];
  /** By package of Hex; of those that are in other ecosystems there are none. */
  readonly affected: ReadonlyMap<PackageName, Affected>;
}

const LONGEST_SUMMARY = 500;
// What a hostile or broken feed could bring must not end up in every client's registry files.
const MOST_ALIASES = 50;
const MOST_REFERENCES = 100;
const MOST_EVENTS = 1_000;
const MOST_VERSIONS = 10_000;

const time = z.iso.datetime({ offset: true }).refine((value) => value >= "0002", "is no time");
const text = z.string().max(1_000_000);
// Postgres keeps neither.
const clean = (most: number) =>
  z
    .string()
    .max(most)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, "has control characters");
const severity = z.array(z.object({ type: text, score: clean(512) })).nullish();
const event = z
  .object({ introduced: text, fixed: text, last_affected: text, limit: text })
  .partial()
  .refine(
    (value) => Object.keys(value).length === 1,
    "must have exactly one of introduced, fixed, last_affected, limit",
  );

const Osv = z.object({
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/, "is no identifier"),
  modified: time,
  published: time.nullish(),
  withdrawn: time.nullish(),
  aliases: z.array(clean(128)).max(MOST_ALIASES).nullish(),
  summary: text.nullish(),
  details: text.nullish(),
  severity,
  references: z.array(z.object({ type: clean(32), url: clean(2_048) })).nullish(),
  affected: z
    .array(
      z.object({
        package: z.object({ ecosystem: text, name: text }).nullish(),
        severity,
        ranges: z.array(z.object({ type: text, events: z.array(event).max(MOST_EVENTS) })).nullish(),
        versions: z.array(text).max(MOST_VERSIONS).nullish(),
      }),
    )
    .nullish(),
});
type Osv = z.output<typeof Osv>;

/**
 * @param value what JSON.parse made of a record
 * @throws {OsvError} which says what is wrong where
 */
export function readOsv(value: unknown): Advisory {
  const parsed = Osv.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = (issue?.path ?? [])
      .map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
      .join("");
    throw new OsvError(`${path.replace(/^\./, "") || "the record"}: ${issue?.message ?? "is malformed"}`);
  }
  const osv = parsed.data;
  const affected = affectedPackages(osv);
  const cvssVector = vectorOf(osv);
  return {
    id: osv.id,
    summary: summaryOf(osv),
    aliases: [...new Set(osv.aliases ?? [])].sort(),
    publishedAt: utc(osv.published ?? osv.modified),
    modifiedAt: utc(osv.modified),
    withdrawnAt: osv.withdrawn == null ? null : utc(osv.withdrawn),
    cvssVector,
    cvss: (cvssVector === null ? undefined : cvssScore(cvssVector)) ?? null,
    references: (osv.references ?? [])
      .filter(({ url }) => /^https?:\/\//.test(url) && URL.canParse(url))
      .slice(0, MOST_REFERENCES)
      .map(({ type, url }) => ({ type, url })),
    affected,
  };
}

function utc(instant: string): string {
  return new Date(instant).toISOString();
}

/** Not every source gives a summary, but every client shows one. */
function summaryOf({ summary, details, id }: Osv): string {
  const candidates = [summary, details?.split("\n").find((line) => line.trim() !== "")];
  const chosen = candidates.find((candidate) => candidate != null && candidate.trim() !== "") ?? id;
  const line = chosen.replace(/[\s\p{Cc}\p{Cs}]+/gu, " ").trim();
  const letters = [...line];
  return letters.length <= LONGEST_SUMMARY ? line : `${letters.slice(0, LONGEST_SUMMARY - 1).join("")}…`;
}

// The newest version of CVSS that there is a vector of.
const CVSS_TYPES = ["CVSS_V4", "CVSS_V3", "CVSS_V2"];

function vectorOf(osv: Osv): string | null {
  const all = [osv.severity, ...(osv.affected ?? []).map((entry) => entry.severity)].flatMap(
    (list) => list ?? [],
  );
  for (const type of CVSS_TYPES) {
    const found = all.find((entry) => entry.type === type);
    if (found !== undefined) return found.score;
  }
  return null;
}

function affectedPackages(osv: Osv): ReadonlyMap<PackageName, Affected> {
  const packages = new Map<PackageName, Affected>();
  for (const [index, entry] of (osv.affected ?? []).entries()) {
    const at = `affected[${index}]`;
    if (entry.package?.ecosystem !== "Hex") continue;
    const name = packageName(entry.package.name);
    if (name === undefined)
      throw new OsvError(`${at}.package.name: is no name of a package: ${entry.package.name}`);
    const ranges = (entry.ranges ?? []).flatMap((range, number) =>
      // Ranges of commits say nothing about versions.
      range.type === "GIT" ? [] : [readEvents(range, `${at}.ranges[${number}]`)],
    );
    const versions = (entry.versions ?? []).map((version, number) =>
      readVersion(version, `${at}.versions[${number}]`),
    );
    const before = packages.get(name) ?? { ranges: [], versions: [] };
    packages.set(name, {
      ranges: [...before.ranges, ...ranges],
      versions: [...new Set([...before.versions, ...versions])].sort(compareVersions),
    });
  }
  return packages;
}

type OsvRange = { readonly type: string; readonly events: readonly z.output<typeof event>[] };

function readEvents({ type, events }: OsvRange, at: string): readonly RangeEvent[] {
  if (type !== "SEMVER" && type !== "ECOSYSTEM") throw new OsvError(`${at}.type: is not known: ${type}`);
  const read = events.map((value, index): RangeEvent => {
    const [[kind, version = ""] = ["introduced"]] = Object.entries(value);
    const place = `${at}.events[${index}].${kind}`;
    const open = (kind === "introduced" && version === EVERY) || (kind === "limit" && version === "*");
    return { [kind]: open ? version : readVersion(version, place) } as unknown as RangeEvent;
  });
  if (!read.some((value) => "introduced" in value)) throw new OsvError(`${at}.events: nothing is introduced`);
  return read.sort(compareEvents);
}

/** Ascending. At one version the order stays, but for the last that is affected, which must have been introduced. */
function compareEvents(a: RangeEvent, b: RangeEvent): number {
  const [left = "", right = ""] = [a, b].map((value) => Object.values(value)[0] as string);
  if (left === EVERY || right === EVERY) return Number(right === EVERY) - Number(left === EVERY);
  if (left === "*" || right === "*") return Number(left === "*") - Number(right === "*");
  return compareVersions(left, right) || Number("last_affected" in a) - Number("last_affected" in b);
}

/** Feeds leave out zeros at the end. @throws {OsvError} */
function readVersion(version: string, at: string): string {
  const full = /^\d+(\.\d+)?$/.test(version) ? `${version}${version.includes(".") ? ".0" : ".0.0"}` : version;
  if (parseVersion(full) === undefined) throw new OsvError(`${at}: is no version: ${version.slice(0, 100)}`);
  return full;
}
