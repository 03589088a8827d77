/** The pages as one fetch handler: beside the API, in the same process. */
import { Hono } from "hono";
import { ByteBudget } from "../api/http/budget.ts";
import type { NodeBindings } from "../api/http/client.ts";
import { ApiError, forbidden } from "../api/http/errors.ts";
import { requestIdOf } from "../api/http/request-id.ts";
import { Admission } from "../api/limits/admission.ts";
import type { ApiDependencies } from "../api/settings.ts";
import { isUnavailable } from "../store/postgres/pool.ts";
import { readForm } from "./form.ts";
import type { Page } from "./page.ts";
import { showNotFound, showProblem } from "./pages/problem.tsx";
import { PAGES } from "./pages.ts";
import { ICON } from "./parts/frame.tsx";
import { Visit, type WebContext } from "./visit.ts";

// Forms are small; this is some two hundred of the largest at a time.
const FORM_BUDGET_BYTES = 16 << 20;

/** What all requests share. */
interface Shared {
  readonly deps: ApiDependencies;
  readonly budget: ByteBudget;
  readonly admission: Admission;
}

/** @returns the pages at `/`. What is no page answers 404, in HTML for whoever asks for that. */
export function createWeb(deps: ApiDependencies): Hono<{ Bindings: NodeBindings }> {
  const app = new Hono<{ Bindings: NodeBindings }>();
  const shared = { deps, budget: new ByteBudget(FORM_BUDGET_BYTES), admission: new Admission(deps) };
  for (const page of PAGES) {
    app.on(page.method, page.path, (c) => serve(c, shared, page));
  }
  app.get("/favicon.svg", (c) =>
    c.body(ICON, 200, { "content-type": "image/svg+xml", "cache-control": "public, max-age=86400" }),
  );
  app.notFound((c) => serve(c, shared, undefined));
  return app;
}

/** Whether a browser asks: tools that fetch things are told in a line of text. */
export function wantsHtml(accept: string | undefined): boolean {
  return /\b(text\/html|application\/xhtml\+xml)\b/i.test(accept ?? "");
}

async function serve(c: WebContext, shared: Shared, page: Page | undefined): Promise<Response> {
  if (page === undefined && !wantsHtml(c.req.header("accept"))) {
    return c.text("not found\n", 404, { "cache-control": "no-store", vary: "accept" });
  }
  const start = performance.now();
  const requestId = requestIdOf(c.req.header("x-request-id"));
  const response = await answer(c, shared, page, requestId);
  response.headers.set("x-request-id", requestId);
  const { log, onRequest } = shared.deps;
  const about = { method: c.req.method, route: page?.path ?? "unknown", status: response.status };
  const taken = performance.now() - start;
  log.info({ requestId, ...about, milliseconds: Math.round(taken) }, "request");
  onRequest?.({ ...about, seconds: taken / 1000 });
  return response;
}

async function answer(
  c: WebContext,
  shared: Shared,
  page: Page | undefined,
  requestId: string,
): Promise<Response> {
  const { deps, admission } = shared;
  const lease = shared.budget.lease();
  let visit: Visit | undefined;
  try {
    visit = await Visit.open(c, deps, requestId);
    const { ip } = visit;
    if (!admission.isTrusted(ip) && deps.blockList.blocks(ip)) throw forbidden("Blocked");
    if (page === undefined) return await showNotFound(visit);
    // A link from a mail changes something, too.
    const changes = page.method === "POST" || page.path === "/email/verify";
    const readOnly = changes ? deps.readOnly.current() : undefined;
    if (readOnly !== undefined) {
      return await showProblem(visit, {
        status: 503,
        title: "Read-only for a while",
        text: readOnly.message,
      });
    }
    if (page.method === "POST") {
      const { headers, body } = c.req.raw;
      const { outgoing } = c.env ?? {};
      const pieceMilliseconds = deps.settings.uploadPieceMilliseconds;
      visit.form = await readForm({ headers, body, outgoing, pieceMilliseconds, lease });
      if (!visit.hasCsrf(visit.form.raw("csrf"))) return await showProblem(visit, STALE_FORM);
    }
    return refuse(visit, page) ?? (await page.handler(visit));
  } catch (error) {
    return await fail(c, deps, visit, error, requestId);
  } finally {
    lease.end();
  }
}

const STALE_FORM = {
  status: 403,
  title: "This form has run out",
  text: "It was made for another sign-in, or your browser keeps no cookies. Go back, load the page again and send it once more.",
};

/** @returns where to go first, undefined for who may go on. */
function refuse(visit: Visit, page: Page): Response | undefined {
  if (page.access === "anyone") return undefined;
  if (visit.user === undefined)
    return visit.redirect(`/login?return=${encodeURIComponent(here(visit, page))}`);
  if (page.access === "sudo" && !visit.isSudo)
    return visit.redirect(`/sudo?return=${encodeURIComponent(here(visit, page))}`);
  return undefined;
}

/** The page itself; of a form the page that shows it, at its address or above, since what was typed in cannot be sent again from here. */
function here(visit: Visit, page: Page): string {
  const url = new URL(visit.c.req.url);
  if (page.method === "GET") return url.pathname + url.search;
  for (
    let [path, shown] = [url.pathname, page.path];
    shown !== "";
    path = parent(path), shown = parent(shown)
  ) {
    if (PAGES.some((other) => other.method === "GET" && other.path === shown)) return path;
  }
  return "/account";
}

function parent(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

async function fail(
  c: WebContext,
  deps: ApiDependencies,
  visit: Visit | undefined,
  error: unknown,
  requestId: string,
): Promise<Response> {
  if (error instanceof ApiError && error.status === 404 && visit !== undefined) return showNotFound(visit);
  const status = error instanceof ApiError ? error.status : isUnavailable(error) ? 503 : 500;
  if (status >= 500) deps.log.error({ requestId, err: error }, "request failed");
  const known = STATUS_TEXTS[status] ?? STATUS_TEXTS[500];
  // Without a database there is nobody to greet; the frame of a page needs a visit.
  if (visit === undefined || known === undefined)
    return c.text(`${known?.title ?? "Something went wrong"} (${requestId})\n`, status as 500);
  const text =
    status >= 500 ? `${known.text} If it goes on, tell whoever runs this registry: ${requestId}` : known.text;
  return showProblem(visit, { status, title: known.title, text });
}

const STATUS_TEXTS: Readonly<Record<number, { readonly title: string; readonly text: string }>> = {
  400: { title: "That was not understood", text: "What your browser sent is not what this page expects." },
  403: { title: "Not allowed", text: "Your account may not do that." },
  408: { title: "Too slow", text: "The form took too long to arrive. Try again." },
  413: { title: "Too large", text: "The form holds more than this page takes." },
  415: { title: "That was not understood", text: "What your browser sent is not a form." },
  422: { title: "Not possible", text: "What you asked for is not possible." },
  500: { title: "Something went wrong", text: "It is our fault, not yours. Try again in a moment." },
  503: { title: "Not at the moment", text: "The registry cannot do that right now. Try again in a moment." },
};
