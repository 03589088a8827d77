/** Short names of long URLs. */
import type { Queryable } from "../postgres/pool.ts";

/** @returns the code that the URL has already. */
export async function shortCodeOf(sql: Queryable, url: string): Promise<string | undefined> {
  const [row] = await sql<{ code: string }[]>`
    select code from short_urls where md5(url) = md5(${url}::text) and url = ${url} limit 1`;
  return row?.code;
}

/** @returns whether the code was still free. */
export async function insertShortUrl(sql: Queryable, code: string, url: string): Promise<boolean> {
  const rows = await sql`
    insert into short_urls (code, url) values (${code}, ${url}) on conflict (code) do nothing returning code`;
  return rows.length > 0;
}

export async function longUrl(sql: Queryable, code: string): Promise<string | undefined> {
  const [row] = await sql<{ url: string }[]>`select url from short_urls where code = ${code}`;
  return row?.url;
}
