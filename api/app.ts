/**
 * The API as one fetch handler: the pipeline in the order that the contract gives it, then the route's
 * handler. Mounted below `/api`.
 */
import { type Context, Hono } from "hono";
import { authenticate } from "./auth/authentication.ts";
import type { Principal } from "./auth/principal.ts";
import type { Call } from "./call.ts";
import { PackageAnswers } from "./handlers/package-answers.ts";
import { PackageEntries } from "./handlers/package-entries.ts";
import { BODY_BYTES, type Parameters, parseBody, withoutBlanks } from "./http/body.ts";
import { ByteBudget, type ByteLease } from "./http/budget.ts";
import { clientAddress, type NodeBindings, singleHeader } from "./http/client.ts";
import { ApiError, badRequest } from "./http/errors.ts";
import { type Format, negotiate } from "./http/format.ts";
import { requestIdOf } from "./http/request-id.ts";
import { respond, respondError } from "./http/respond.ts";
import { expectsContinue, readBody, readUpload, type UploadRequest } from "./http/upload.ts";
import { plainAddress } from "./limits/address.ts";
import { Admission } from "./limits/admission.ts";
import { readOnlyError } from "./read-only.ts";
import type { Route } from "./route.ts";
import { ROUTES } from "./routes.ts";
import { Semaphore } from "./semaphore.ts";
import type { ApiDependencies } from "./settings.ts";

type ApiContext = Context<{ Bindings: NodeBindings }>;

// Each open tarball may cost its 16 MiB several times over; two keep both processors of a small machine busy.
const OPEN_TARBALLS = 2;
const LONGEST_QUEUE_MILLISECONDS = 10_000;
// Ten of the largest uploads.
const BODY_BUDGET_BYTES = 200 << 20;

/** What all requests share: who the API works with, and what bounds them together. */
interface Shared {
  readonly deps: ApiDependencies;
  readonly unpacking: Semaphore;
  readonly entries: PackageEntries;
  readonly answers: PackageAnswers;
  readonly budget: ByteBudget;
  readonly admission: Admission;
}

/** @returns the API below the path `/api`. */
export function createApi(deps: ApiDependencies): Hono<{ Bindings: NodeBindings }> {
  const app = new Hono<{ Bindings: NodeBindings }>({ strict: false });
  const shared = {
    deps,
    entries: new PackageEntries(deps),
    answers: new PackageAnswers(deps),
    unpacking: new Semaphore(OPEN_TARBALLS, LONGEST_QUEUE_MILLISECONDS),
    budget: new ByteBudget(BODY_BUDGET_BYTES),
    admission: new Admission(deps),
  };
  for (const route of [...ROUTES, ...onlyOverridden(ROUTES)]) {
    const method = ROUTES.includes(route) ? route.method : "POST";
    for (const path of pathsOf(route)) {
      app.on(method, `/api${path === "/" ? "" : path}`, (c) => serve(shared, route, c));
    }
  }
  app.notFound((c) =>
    handle(shared, c, undefined, async (format) => {
      if (format === undefined) return pageNotFound();
      throw new ApiError(404);
    }),
  );
  return app;
}

function serve(shared: Shared, route: Route, c: ApiContext): Promise<Response> {
  return handle(shared, c, route, async (format, requestId, lease, headers) => {
    const prepared = await prepare(shared, route, c, format, requestId, lease, headers);
    const call = overridden(prepared.call, prepared.body);
    return respond(await call.route.handler(call), call);
  });
}

/** For browsers, which accept none of the formats of the API. */
function pageNotFound(): Response {
  const headers = { "content-type": "text/html; charset=utf-8", vary: "accept, accept-encoding" };
  return new Response("<!doctype html><title>Page not found</title><h1>Page not found</h1>", {
    status: 404,
    headers,
  });
}

/** Logs, turns errors into answers and adds what every answer has. */
async function handle(
  { deps, budget }: Shared,
  c: ApiContext,
  route: Route | undefined,
  work: (
    format: Format | undefined,
    requestId: string,
    lease: ByteLease,
    headers: Headers,
  ) => Promise<Response>,
): Promise<Response> {
  const start = performance.now();
  const requestId = requestIdOf(c.req.header("x-request-id"));
  const lease = budget.lease();
  // What the answer carries whatever becomes of the request.
  const headers = new Headers();
  const format = negotiate(c.req.header("accept"), c.req.query("_format"));
  let response: Response;
  try {
    response = await work(format, requestId, lease, headers);
  } catch (error) {
    response = respondError(error, format ?? "json", deps.log, requestId);
  } finally {
    lease.end();
  }
  response.headers.set("x-request-id", requestId);
  for (const [name, value] of headers) response.headers.set(name, value);
  if (c.req.header("origin") !== undefined && !route?.upload) {
    response.headers.set("access-control-allow-origin", "*");
  }
  const { status } = response;
  const about = { method: c.req.method, route: route?.path ?? "unknown", status };
  const taken = performance.now() - start;
  deps.log.info({ requestId, ...about, milliseconds: Math.round(taken) }, "request");
  const pattern = route === undefined ? "unknown" : `/api${route.path}`;
  deps.onRequest?.({ ...about, route: pattern, seconds: taken / 1000 });
  return response;
}

async function prepare(
  { deps, unpacking, entries, answers, admission }: Shared,
  route: Route,
  c: ApiContext,
  format: Format | undefined,
  requestId: string,
  lease: ByteLease,
  answerHeaders: Headers,
): Promise<{ readonly call: Call; readonly body: Parameters | undefined }> {
  const request = c.req.raw;
  const node: NodeBindings = c.env ?? {};
  const userAgent = request.headers.get("user-agent") ?? "";
  const peer = node.incoming?.socket.remoteAddress ?? "127.0.0.1";
  const ip = plainAddress(
    clientAddress(request.headers.get("x-forwarded-for"), peer, deps.settings.trustedProxies),
  );
  const { outgoing } = node;
  const { headers, body: stream } = request;
  const source = {
    headers,
    body: stream,
    outgoing,
    pieceMilliseconds: deps.settings.uploadPieceMilliseconds,
    lease,
  };

  // A malformed body is told first, whoever sent it.
  const body = route.upload ? undefined : await readParameters(request.method, source);
  if (format === undefined) throw new ApiError(406);
  if (userAgent === "" && deps.settings.requireUserAgent) throw badRequest("User-Agent header is required");
  const header = singleHeader("authorization", headers, node);
  const principal: Principal = await authenticate(deps, header, { ip, userAgent });
  if (request.url.includes("%00")) throw badRequest();
  // The index without its slash is not counted.
  if (new URL(request.url).pathname !== "/api") {
    const counted = await admission.admit(principal, ip);
    for (const [name, value] of Object.entries(counted)) answerHeaders.set(name, value);
  }
  const readOnly = deps.readOnly.current();
  if (readOnly !== undefined && route.method !== "GET" && !route.inReadOnly) throw readOnlyError(readOnly);
  const upload = route.upload && !expectsContinue(headers) ? await readUpload(source) : undefined;
  const params = parametersOf(c, body);
  const call = {
    deps,
    route,
    request,
    requestId,
    principal,
    format,
    params,
    ip,
    userAgent,
    upload,
    outgoing,
    lease,
    entries,
    answers,
    unpacking,
  };
  return { call, body };
}

/** Query, then body, then path; later ones win. */
function parametersOf(c: ApiContext, body: Parameters | undefined): Parameters {
  return Object.assign(Object.create(null), withoutBlanks(c.req.query()), body, c.req.param());
}

async function readParameters(method: string, source: UploadRequest): Promise<Parameters | undefined> {
  if (method === "GET" || method === "HEAD") return undefined;
  const bytes = await readBody(source, BODY_BYTES);
  return parseBody(source.headers.get("content-type") ?? undefined, bytes);
}

function pathsOf(route: Route): readonly string[] {
  return route.scoped ? [route.path, `/repos/:repository${route.path}`] : [route.path];
}

/** Routes whose path takes no POST of its own, but one that says which method it means. */
function onlyOverridden(routes: readonly Route[]): readonly Route[] {
  const posted = new Set(routes.filter((route) => route.method === "POST").map((route) => route.path));
  const others = routes.filter((route) => route.method !== "GET" && !posted.has(route.path));
  const copies = new Map(others.map((route) => [route.path, { ...route }]));
  return [...copies.values()];
}

const OVERRIDING: ReadonlySet<string> = new Set(["PUT", "PATCH", "DELETE"]);

/** A POST may carry in its body the method it means, for clients behind proxies that know no other. */
function overridden(call: Call, body: Parameters | undefined): Call {
  if (call.request.method !== "POST") return call;
  const said = typeof body?._method === "string" ? body._method.toUpperCase() : "POST";
  const method = OVERRIDING.has(said) ? said : "POST";
  const meant = ROUTES.find((route) => route.method === method && route.path === call.route.path);
  if (meant === undefined) throw new ApiError(404);
  return { ...call, route: meant };
}
