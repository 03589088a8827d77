/**
 * The repositories over HTTP, for clients or as the origin of a CDN. For the public one it reads the object store and
 * nothing else, so it goes on serving while database, API and generator are down. Private ones are for those only
 * whom the readers let in.
 */
import { Hono } from "hono";
import { baseRoutePath } from "hono/route";
import type { RepositoryName } from "../hex/ids.ts";
import type { RepositoryRef } from "../hex/keys.ts";
import { SkepError } from "../schemas/errors.ts";
import type { ObjectStore } from "../store/objects/store.ts";
import { answerRequest, type EdgeAnswer, failure, failureOf, ReadersError } from "./answer.ts";
import type { RequestHeader } from "./conditional.ts";
import { type RequestedObject, requestedObject } from "./path.ts";
import { isPublicPolicy } from "./policy.ts";
import { EdgeReader } from "./reader.ts";
import type { PrivateReaders } from "./readers.ts";

/** What the edge uses of a logger; pino's has it. */
export interface EdgeLogger {
  error(fields: object, message: string): void;
}

export interface EdgeSettings {
  readonly store: ObjectStore;
  /** The public repository. */
  readonly repository: RepositoryRef;
  /** Who may read private repositories; without it none is served. */
  readonly readers?: PrivateReaders;
  /** Send Surrogate-Key and Surrogate-Control, for a CDN in front that takes them off. Default false. */
  readonly surrogateHeaders?: boolean;
  /** How much memory to keep bodies in, in bytes. Default 64 MiB; 0 for none. */
  readonly cacheBytes?: number;
  readonly logger?: EdgeLogger;
  /** Called after each answer was made, for counters and access logs. Must not throw. */
  readonly onRequest?: (request: ServedRequest) => void;
}

export interface ServedRequest {
  readonly method: string;
  /** Undefined when the path names no object. */
  readonly key: string | undefined;
  readonly status: number;
  /** Of the body. */
  readonly bytes: number;
  readonly milliseconds: number;
}

/** What a server of Node gives along with a request; other servers and tests give nothing. */
interface NodeBindings {
  readonly incoming?: { readonly url?: string | undefined };
}
export type EdgeApp = Hono<{ Bindings: NodeBindings }>;

const CACHE_BYTES = 64 * 1024 * 1024;

/**
 * @returns an app to be mounted with `app.route("/repo", edge)`, or to be served by itself.
 * @throws SkepError `config_invalid` when the repository at the root is a private one.
 */
export function createEdge(settings: EdgeSettings): EdgeApp {
  const { store, repository, surrogateHeaders = false, cacheBytes = CACHE_BYTES } = settings;
  if (!repository.public) throw new SkepError("config_invalid", "the repository at the root is a public one");
  const reader = new EdgeReader(store, cacheBytes);
  const rules = { repository, surrogateHeaders };
  const edge: EdgeApp = new Hono();

  /**
   * A policy that says that it is public is given to everybody.
   * @returns undefined for every other, and for one that is not there.
   */
  async function answerPublicPolicy(
    name: RepositoryName,
    method: "GET" | "HEAD",
    requested: RequestedObject,
    header: RequestHeader,
  ): Promise<EdgeAnswer | undefined> {
    if (requested.object.kind !== "policy") return undefined;
    const head = await reader.head(requested.key);
    const object = head && (await reader.body(requested.key, head));
    if (object === undefined || !isPublicPolicy(object.body)) return undefined;
    // These very bytes and no others: the one that is stored next may be private.
    const same = { head: async () => object, body: async () => object };
    const rules = { repository: { name, public: false }, surrogateHeaders };
    const shown = { ...requested, object: { ...requested.object, visibility: "public" } as const };
    return answerRequest(same, rules, method, shown, header);
  }

  /** Who may not read is refused before anything of what is there shows: it is nobody else's business. */
  async function answerPrivately(
    name: RepositoryName,
    method: "GET" | "HEAD",
    requested: RequestedObject,
    header: RequestHeader,
  ): Promise<EdgeAnswer> {
    const open = await answerPublicPolicy(name, method, requested, header);
    if (open !== undefined) return open;
    if (settings.readers === undefined) return failure(404, "not found");
    const refusal = await settings.readers.refusal(name, header("authorization")).catch((cause: unknown) => {
      throw new ReadersError("who may read cannot be found out", { cause });
    });
    if (refusal !== undefined) {
      const challenge = refusal.status === 401 ? { "www-authenticate": 'Bearer realm="hex"' } : undefined;
      return failure(refusal.status, refusal.reason, challenge);
    }
    // Not for a CDN to keep: it would give it to whoever asks next.
    const rules = { repository: { name, public: false }, surrogateHeaders: false };
    const answer = await answerRequest(reader, rules, method, requested, header);
    answer.headers.vary = "authorization";
    return answer;
  }

  edge.all("/*", async (context) => {
    const start = performance.now();
    const { method, url } = context.req;
    // As it was sent: a URL object has already undone `%2e%2e`.
    const target = context.env?.incoming?.url ?? url;
    const requested = requestedObject(target, mountOf(baseRoutePath(context)));
    let answer: EdgeAnswer;
    try {
      if (method !== "GET" && method !== "HEAD")
        answer = failure(405, "only GET and HEAD", { allow: "GET, HEAD" });
      else if (requested === undefined) answer = failure(404, "not found");
      else if (requested.privateRepository !== undefined)
        answer = await answerPrivately(requested.privateRepository, method, requested, (name) =>
          context.req.header(name),
        );
      else answer = await answerRequest(reader, rules, method, requested, (name) => context.req.header(name));
    } catch (error) {
      settings.logger?.error({ key: requested?.key, err: error }, "an object cannot be served");
      answer = failureOf(error);
    }
    settings.onRequest?.({
      method,
      key: requested?.key,
      status: answer.status,
      bytes: method === "HEAD" ? 0 : (answer.body?.length ?? 0),
      milliseconds: performance.now() - start,
    });
    return new Response(answer.body, answer);
  });
  return edge;
}

function mountOf(base: string): string {
  return base.replace(/\/+$/, "");
}
