/** What else a server answers beside the API and the repository. */
import { Hono } from "hono";

interface Fetchable {
  fetch(request: Request, env?: unknown): Response | Promise<Response>;
}

export interface RootOptions {
  readonly api: Fetchable;
  /** Pages that a client or a mail opens, with paths from the root. */
  readonly pages?: Hono;
  readonly version: string;
  /** Text for whoever opens the server in a browser. */
  readonly page: string;
}

/** @returns an app with `/`, `/status`, and the API with everything below `/api`, unknown paths included. */
export function createRoot({ api, pages, version, page }: RootOptions): Hono {
  const root = new Hono();
  root.get("/", (c) => c.text(`${page}\n`));
  root.get("/status", (c) => c.json({ status: "ok", version }, 200, { "cache-control": "no-store" }));
  for (const path of ["/api", "/api/*"]) root.all(path, (c) => api.fetch(c.req.raw, c.env));
  if (pages !== undefined) root.route("/", pages);
  root.notFound((c) => c.text("not found\n", 404, { "cache-control": "no-store" }));
  return root;
}
