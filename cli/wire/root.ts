/** What else a server answers beside the API and the repository. */
import { Hono } from "hono";
import type { JsonWebKeySet } from "../../schemas/access-token/keys.ts";
import { wantsHtml } from "../../web/app.ts";

interface Fetchable {
  fetch(request: Request, env?: unknown): Response | Promise<Response>;
}

export interface RootOptions {
  readonly api: Fetchable;
  /** The pages for people, and what is told of unknown paths. */
  readonly web: Fetchable;
  /** Where a short URL leads; undefined: nowhere. */
  readonly shortUrls: (code: string) => Promise<Response | undefined>;
  /** Public keys of access tokens, for services that judge them. */
  readonly keySet: JsonWebKeySet;
  readonly version: string;
  /** What `/` says to a tool that asks for no HTML. */
  readonly page: string;
}

/** @returns an app with `/`, `/status`, the API with everything below `/api`, and the pages with all the rest. */
export function createRoot({ api, web, shortUrls, keySet, version, page }: RootOptions): Hono {
  const root = new Hono();
  root.get("/", (c, next) =>
    wantsHtml(c.req.header("accept")) ? next() : c.text(`${page}\n`, 200, { vary: "accept" }),
  );
  root.get("/status", (c) => c.json({ status: "ok", version }, 200, { "cache-control": "no-store" }));
  root.get("/.well-known/jwks.json", (c) => c.json(keySet, 200, { "cache-control": "public, max-age=600" }));
  for (const path of ["/api", "/api/*"]) root.all(path, (c) => api.fetch(c.req.raw, c.env));
  root.get("/l/:code", async (c, next) => {
    const answer = await shortUrls(c.req.param("code"));
    return answer ?? next();
  });
  root.notFound((c) => web.fetch(c.req.raw, c.env));
  return root;
}
