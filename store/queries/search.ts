/** Which packages a search finds, and in what order. */
import type { Micros } from "../../schemas/time.ts";
import type { Queryable } from "../postgres/pool.ts";
import { downloadsColumn, type PackageDownloads } from "./downloads.ts";

/** A name, `%` standing for anything at either end. */
export interface NameCondition {
  readonly text: string;
  readonly openStart: boolean;
  readonly openEnd: boolean;
}

/** All conditions that are there must hold. */
export interface PackageSearch {
  /** In these repositories, and nowhere else. */
  readonly repositoryIds: readonly number[];
  /** The name, in one of the repositories; or any of the words in the description. */
  readonly text?: {
    readonly name: NameCondition;
    readonly repositoryIds: readonly number[];
    readonly words: readonly string[];
  };
  readonly name?: NameCondition;
  readonly description?: readonly string[];
  /** The latest release depends on it. */
  readonly depends?: { readonly package: string; readonly repositories: readonly string[] };
  readonly buildTool?: string;
  readonly updatedAfter?: Micros;
  readonly extra?: readonly object[];
  readonly sort: PackageOrder;
  readonly offset: number;
  readonly limit: number;
}

export const PACKAGE_ORDERS = [
  "name",
  "inserted_at",
  "updated_at",
  "recent_downloads",
  "total_downloads",
] as const;
export type PackageOrder = (typeof PACKAGE_ORDERS)[number];

/** A package of a page, with all that tells whether its entry in a list is still what it was. */
export interface FoundPackage {
  readonly id: number;
  readonly repository: string;
  /** Raised by every change of the package, its releases and their documentation. */
  readonly revision: number;
  /** Beside the revision, which begins anew when an older backup of the database is restored. */
  readonly updatedAt: Micros;
  /** Null for a package of which none were counted. */
  readonly downloads: PackageDownloads | null;
}

/** @returns a page of what was found. */
export function searchPackages(sql: Queryable, search: PackageSearch): Promise<readonly FoundPackage[]> {
  return sql<FoundPackage[]>`
    select p.id, r.name as repository, coalesce(v.revision, 0) as revision, p.updated_at as "updatedAt",
      ${downloadsColumn(sql)}
    from unnest(array(${foundIds(sql, search)})) with ordinality as page (id, position)
      join packages p on p.id = page.id join repositories r on r.id = p.repository_id
      left join package_revisions v on v.repository_id = p.repository_id and v.name = p.name
      left join package_downloads d on d.package_id = p.id
    order by page.position`;
}

/** The query for the page's ids alone; also for tests that ask how it is carried out. */
export function foundIds(sql: Queryable, search: PackageSearch) {
  const { text, name, description, depends, buildTool, updatedAfter, extra = [] } = search;
  const all = [
    sql`p.repository_id = any(${search.repositoryIds as number[]}::bigint[])`,
    ...(text === undefined ? [] : [matchesText(sql, search, text)]),
    ...(name === undefined ? [] : [matchesName(sql, name)]),
    ...(description === undefined ? [] : [matchesWords(sql, description)]),
    ...(depends === undefined
      ? []
      : [
          sql`p.latest_release_id in (
            select q.release_id from requirements q
            where q.package = ${depends.package} and q.repository = any(${depends.repositories as string[]}))`,
        ]),
    ...(buildTool === undefined ? [] : [sql`p.build_tools @> ${[buildTool]}::text[]`]),
    ...(updatedAfter === undefined ? [] : [sql`p.updated_at >= ${updatedAfter}`]),
    ...extra.map((structure) => sql`p.meta->'extra' @> ${sql.json(structure as never)}`),
  ];
  const conditions = all.reduce((before, condition) => sql`${before} and ${condition}`);
  const downloads = search.sort === "recent_downloads" || search.sort === "total_downloads";
  return sql`
    select p.id from packages p ${downloads ? sql`left join package_downloads d on d.package_id = p.id` : sql``}
    where ${conditions} order by ${orderOf(sql, search)} limit ${search.limit} offset ${search.offset}`;
}

function orderOf(sql: Queryable, search: PackageSearch) {
  if (search.updatedAfter !== undefined) return sql`p.updated_at, p.id`;
  switch (search.sort) {
    case "name":
      return sql`p.name collate "C", p.id`;
    case "inserted_at":
      return sql`p.inserted_at desc, p.id`;
    case "updated_at":
      return sql`p.updated_at desc, p.id`;
    case "recent_downloads":
      return sql`d.recent desc nulls last, p.name collate "C", p.id`;
    case "total_downloads":
      return sql`d.total desc nulls last, p.name collate "C", p.id`;
  }
}

function matchesText(sql: Queryable, search: PackageSearch, text: NonNullable<PackageSearch["text"]>) {
  const everywhere = text.repositoryIds.length === search.repositoryIds.length;
  const byName = everywhere
    ? matchesName(sql, text.name)
    : sql`(${matchesName(sql, text.name)} and p.repository_id = any(${text.repositoryIds as number[]}::bigint[]))`;
  return sql`(${byName} or ${matchesWords(sql, text.words)})`;
}

function matchesName(sql: Queryable, { text, openStart, openEnd }: NameCondition) {
  if (!openStart && !openEnd) return sql`p.name = ${text}`;
  const literal = text.replace(/[\\%_]/g, "\\$&");
  return sql`p.name like ${`${openStart ? "%" : ""}${literal}${openEnd ? "%" : ""}`}`;
}

/** Words are letters and digits, so they cannot be operators. */
function matchesWords(sql: Queryable, words: readonly string[]) {
  return sql`p.description_words @@ to_tsquery('english', ${words.join(" | ")})`;
}
