/**
 * The API as one fetch handler: the pipeline in the order that the contract gives it, then the route's
 * handler. Mounted below `/api`.
 */
import { randomUUID } from "node:crypto";
import { type Context, Hono } from "hono";
import { authenticate } from "./auth/authentication.ts";
import type { Principal } from "./auth/principal.ts";
import type { Call } from "./call.ts";
import { BODY_BYTES, type Parameters, parseBody, withoutBlanks } from "./http/body.ts";
import { clientAddress, type NodeBindings, singleHeader } from "./http/client.ts";
import { collectBody } from "./http/collect.ts";
import { ApiError, badRequest } from "./http/errors.ts";
import { type Format, negotiate } from "./http/format.ts";
import { respond, respondError } from "./http/respond.ts";
import { expectsContinue, readUpload } from "./http/upload.ts";
import type { Route } from "./route.ts";
import { ROUTES } from "./routes.ts";
import { Semaphore } from "./semaphore.ts";
import type { ApiDependencies } from "./settings.ts";

type ApiContext = Context<{ Bindings: NodeBindings }>;

// Each open tarball may cost its 16 MiB several times over; two keep both processors of a small machine busy.
const OPEN_TARBALLS = 2;
const LONGEST_QUEUE_MILLISECONDS = 10_000;

/** @returns the API below the path `/api`. */
export function createApi(deps: ApiDependencies): Hono<{ Bindings: NodeBindings }> {
  const app = new Hono<{ Bindings: NodeBindings }>({ strict: false });
  const unpacking = new Semaphore(OPEN_TARBALLS, LONGEST_QUEUE_MILLISECONDS);
  for (const route of ROUTES) {
    const paths = route.scoped ? [route.path, `/repos/:repository${route.path}`] : [route.path];
    for (const path of paths) {
      app.on(route.method, `/api${path === "/" ? "" : path}`, (c) => serve(deps, route, unpacking, c));
    }
  }
  app.notFound((c) => handle(deps, c, undefined, async () => Promise.reject(new ApiError(404))));
  return app;
}

function serve(deps: ApiDependencies, route: Route, unpacking: Semaphore, c: ApiContext): Promise<Response> {
  return handle(deps, c, route, async (format, requestId) => {
    const { request, call } = await prepare(deps, route, unpacking, c, format, requestId);
    const answered = overridden(call);
    return respond(await answered.route.handler(answered), { request, route: answered.route, format });
  });
}

/** Logs, turns errors into answers and adds what every answer has. */
async function handle(
  deps: ApiDependencies,
  c: ApiContext,
  route: Route | undefined,
  work: (format: Format, requestId: string) => Promise<Response>,
): Promise<Response> {
  const start = performance.now();
  const requestId = randomUUID();
  let format: Format = "json";
  let response: Response;
  try {
    format = negotiate(c.req.header("accept"), c.req.query("_format"));
    response = await work(format, requestId);
  } catch (error) {
    response = respondError(error, format, deps.log, requestId);
  }
  response.headers.set("x-request-id", requestId);
  if (c.req.header("origin") !== undefined && !route?.upload) {
    response.headers.set("access-control-allow-origin", "*");
  }
  const milliseconds = Math.round(performance.now() - start);
  const path = route?.path ?? "unknown";
  deps.log.info(
    { requestId, method: c.req.method, route: path, status: response.status, milliseconds },
    "request",
  );
  return response;
}

async function prepare(
  deps: ApiDependencies,
  route: Route,
  unpacking: Semaphore,
  c: ApiContext,
  format: Format,
  requestId: string,
): Promise<{ readonly request: Request; readonly call: Call }> {
  const request = c.req.raw;
  const node: NodeBindings = c.env ?? {};
  const userAgent = request.headers.get("user-agent") ?? "";
  const peer = node.incoming?.socket.remoteAddress ?? "127.0.0.1";
  const ip = clientAddress(request.headers.get("x-forwarded-for"), peer, deps.settings.trustedProxies);

  // A malformed body is told first, whoever sent it.
  const body = route.upload ? undefined : await readBody(request, deps.settings.uploadPieceMilliseconds);
  if (userAgent === "" && deps.settings.requireUserAgent) throw badRequest("User-Agent header is required");
  const header = singleHeader("authorization", request.headers, node);
  const principal: Principal = await authenticate(deps, header, { ip, userAgent });
  if (request.url.includes("%00")) throw badRequest();
  const upload =
    route.upload && !expectsContinue(request.headers)
      ? await readUpload({
          headers: request.headers,
          body: request.body,
          outgoing: node.outgoing,
          pieceMilliseconds: deps.settings.uploadPieceMilliseconds,
        })
      : undefined;
  const call: Call = {
    deps,
    route,
    request,
    requestId,
    principal,
    format,
    params: parametersOf(c, body),
    ip,
    userAgent,
    upload,
    outgoing: node.outgoing,
    unpacking,
  };
  return { request, call };
}

/** Query, then body, then path; later ones win. */
function parametersOf(c: ApiContext, body: Parameters | undefined): Parameters {
  return Object.assign(Object.create(null), withoutBlanks(c.req.query()), body, c.req.param());
}

async function readBody(request: Request, pieceMilliseconds: number): Promise<Parameters | undefined> {
  if (request.method === "GET" || request.method === "HEAD") return undefined;
  const limits = { mostBytes: BODY_BYTES, pieceMilliseconds };
  const bytes = await collectBody(request.body, request.headers.get("content-length"), limits);
  return parseBody(request.headers.get("content-type") ?? undefined, bytes);
}

/** A POST may carry the method it means, for clients behind proxies that know no other. */
function overridden(call: Call): Call {
  const wanted = call.params._method;
  if (call.request.method !== "POST" || typeof wanted !== "string") return call;
  const method = wanted.toUpperCase();
  const route = ROUTES.find((other) => other.method === method && other.path === call.route.path);
  return route === undefined ? call : { ...call, route };
}
