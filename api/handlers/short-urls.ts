/** Short names of long URLs. */
import { insertShortUrl, longUrl, shortCodeOf } from "../../store/queries/short-urls.ts";
import type { Handler } from "../call.ts";
import { newCode, readLongUrl } from "../rules/short-url.ts";
import type { ApiDependencies } from "../settings.ts";

export const createShortUrl: Handler = async (call) => {
  const { deps } = call;
  const url = readLongUrl(call.params.url, deps.settings);
  const code = (await shortCodeOf(deps.sql, url)) ?? (await shorten(deps, url));
  return { status: 201, body: { url: `${deps.settings.publicUrl}/l/${code}` } };
};

async function shorten(deps: Pick<ApiDependencies, "sql" | "random">, url: string): Promise<string> {
  for (;;) {
    const code = newCode(deps.random);
    if (await insertShortUrl(deps.sql, code, url)) return code;
  }
}

/** @returns the answer to whoever follows a short name; undefined: it leads nowhere. */
export async function followShortUrl(
  deps: Pick<ApiDependencies, "sql">,
  code: string,
): Promise<Response | undefined> {
  const url = /^[A-Za-z0-9]{5}$/.test(code) ? await longUrl(deps.sql, code) : undefined;
  return url === undefined ? undefined : new Response(null, { status: 301, headers: { location: url } });
}
