import { createHash } from "node:crypto";
import { Hono } from "hono";
import { beforeEach, describe, expect, it } from "vitest";
import { repositoryName, trusted } from "../hex/ids.ts";
import { SkepError } from "../schemas/errors.ts";
import { MemoryStore } from "../store/objects/memory.ts";
import type { ObjectStore } from "../store/objects/store.ts";
import { createEdge, type EdgeSettings, type ServedRequest } from "./app.ts";

const repository = { name: trusted(repositoryName, "local"), public: true };
const FILE = Buffer.from("\x1f\x8bsigned file", "latin1");
const TARBALL = "tarballs/foo-1.0.0.tar";
const etagOf = (body: Uint8Array) => `"${createHash("md5").update(body).digest("hex")}"`;

let store: MemoryStore;
let served: ServedRequest[];
beforeEach(async () => {
  store = new MemoryStore();
  served = [];
  for (const key of ["names", "packages/foo", TARBALL, "public_key", "repos/acme/packages/foo"])
    await put(key, FILE);
});

/** Without headers: the edge must not need what a driver may lose. */
async function put(key: string, body: Uint8Array): Promise<void> {
  await store.put(key, body, { precondition: { kind: "none" } });
}

function edge(changes: Partial<EdgeSettings> = {}) {
  const onRequest = (request: ServedRequest) => void served.push(request);
  return createEdge({ store, repository, onRequest, ...changes });
}

const get = (path: string, headers: Record<string, string> = {}) => edge().request(path, { headers });
const bytes = async (response: Response) => Buffer.from(await response.arrayBuffer());

describe("an object", () => {
  it("comes with its bytes and every header that clients and caches need", async () => {
    const response = await get("/packages/foo");
    expect(response.status).toBe(200);
    expect(await bytes(response)).toEqual(FILE);
    expect(Object.fromEntries(response.headers)).toEqual({
      "content-type": "application/octet-stream",
      "content-length": String(FILE.length),
      "cache-control": "public, max-age=3600",
      etag: etagOf(FILE),
      "last-modified": (await store.head("packages/foo"))?.lastModified.toUTCString(),
      "accept-ranges": "bytes",
      "x-content-type-options": "nosniff",
    });
  });

  it.each([
    [`/${TARBALL}`, "public, max-age=604800", "application/octet-stream"],
    ["/names", "public, max-age=3600", "application/octet-stream"],
    ["/public_key", "public, max-age=3600", "text/plain; charset=utf-8"],
  ])("%s", async (path, cacheControl, contentType) => {
    const { headers } = await get(path);
    expect([headers.get("cache-control"), headers.get("content-type")]).toEqual([cacheControl, contentType]);
  });

  it("comes with surrogate headers for a CDN in front, on 304 as well", async () => {
    for (const headers of [{}, { "if-none-match": etagOf(FILE) }]) {
      const response = await edge({ surrogateHeaders: true }).request("/packages/foo", { headers });
      expect(response.headers.get("surrogate-key")).toBe("public:package:foo public:all");
      expect(response.headers.get("surrogate-control")).toBe("public, max-age=604800");
    }
  });

  it("is never encoded, whatever the client accepts", async () => {
    const response = await get("/packages/foo", {
      "accept-encoding": "gzip, br",
      accept: "application/json",
    });
    expect(response.headers.has("content-encoding")).toBe(false);
    expect(response.headers.has("vary")).toBe(false);
    expect(await bytes(response)).toEqual(FILE);
  });

  it("HEAD: the same headers, no body", async () => {
    const [whole, head] = [await get("/names"), await edge().request("/names", { method: "HEAD" })];
    expect(head.status).toBe(200);
    expect(Object.fromEntries(head.headers)).toEqual(Object.fromEntries(whole.headers));
    expect(await bytes(head)).toHaveLength(0);
  });

  it("may be empty", async () => {
    await put("versions", Buffer.alloc(0));
    const response = await get("/versions");
    expect([response.status, response.headers.get("content-length")]).toEqual([200, "0"]);
  });

  it("is another one as soon as the store holds another", async () => {
    const app = edge();
    for (const text of ["one", "two", "three"]) {
      await put("names", Buffer.from(text));
      const response = await app.request("/names");
      expect([await response.text(), response.headers.get("etag")]).toEqual([
        text,
        etagOf(Buffer.from(text)),
      ]);
    }
    await store.delete("names");
    expect((await app.request("/names")).status).toBe(404);
  });
});

describe("conditional and partial requests", () => {
  // What rebar3 does: it keeps the ETag beside a tarball and asks with it the next time.
  it("a tarball that a client has is not sent again, until it is another", async () => {
    const first = await get(`/${TARBALL}`);
    const etag = first.headers.get("etag") ?? "";
    expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
    const second = await get(`/${TARBALL}`, { "if-none-match": etag });
    expect(second.status).toBe(304);
    expect(await bytes(second)).toHaveLength(0);
    expect(second.headers.get("etag")).toBe(etag);
    expect(second.headers.get("cache-control")).toBe("public, max-age=604800");
    await put(TARBALL, Buffer.from("replaced"));
    const third = await get(`/${TARBALL}`, { "if-none-match": etag });
    expect([third.status, await third.text()]).toEqual([200, "replaced"]);
  });

  it("HEAD is answered 304 as well, and by date", async () => {
    const lastModified = (await get("/names")).headers.get("last-modified") ?? "";
    const headers = { "if-modified-since": lastModified };
    expect((await edge().request("/names", { method: "HEAD", headers })).status).toBe(304);
    expect((await get("/names", { ...headers, "if-none-match": '"other"' })).status).toBe(200);
  });

  it("a part", async () => {
    const response = await get("/names", { range: "bytes=2-7" });
    expect(response.status).toBe(206);
    expect(await response.text()).toBe("signed");
    expect(response.headers.get("content-range")).toBe(`bytes 2-7/${FILE.length}`);
    expect(response.headers.get("content-length")).toBe("6");
    expect(response.headers.get("etag")).toBe(etagOf(FILE));
  });

  it("a part that is not there", async () => {
    const response = await get("/names", { range: "bytes=1000-" });
    expect(response.status).toBe(416);
    expect(response.headers.get("content-range")).toBe(`bytes */${FILE.length}`);
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  it("HEAD and several parts: the whole", async () => {
    const headers = { range: "bytes=0-0" };
    const head = await edge().request("/names", { method: "HEAD", headers });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, String(FILE.length)]);
    expect((await get("/names", { range: "bytes=0-0,2-3" })).status).toBe(200);
  });
});

describe("what is not served", () => {
  async function expectFailure(response: Response, status: number): Promise<void> {
    expect(response.status).toBe(status);
    expect(response.headers.get("cache-control")).toBe("no-store");
    for (const name of ["etag", "surrogate-key", "surrogate-control", "last-modified"])
      expect(response.headers.has(name)).toBe(false);
    expect(await response.text()).not.toContain("signed file");
  }

  it.each([
    "/",
    "/packages/none",
    "/repos/acme/packages/foo",
    "/%72epos/acme/packages/foo",
    "/packages/foo/",
    "/packages%2ffoo",
    "/packages/%252e%252e/names",
    "/blobs/00",
    "/.skep-meta/x",
  ])("%s", async (path) => {
    const app = edge({ surrogateHeaders: true });
    await expectFailure(await app.request(path), 404);
    await expectFailure(await app.request(path, { headers: { "if-none-match": "*" } }), 404);
    expect((await app.request(path, { method: "HEAD" })).status).toBe(404);
  });

  it.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "PURGE"])("%s", async (method) => {
    for (const path of ["/names", "/none", "/repos/acme/packages/foo"]) {
      const response = await edge().request(path, { method });
      await expectFailure(response, 405);
      expect(response.headers.get("allow")).toBe("GET, HEAD");
    }
    expect((await store.get("names"))?.body).toEqual(FILE);
  });

  it("anything, while the store is down", async () => {
    const down: ObjectStore = Object.assign(new MemoryStore(), {
      head: () => Promise.reject(new SkepError("store_unavailable", "secret detail")),
    });
    const logged: unknown[] = [];
    const logger = { error: (fields: object, message: string) => void logged.push([fields, message]) };
    const response = await edge({ store: down, logger }).request("/names");
    expect(response.headers.get("retry-after")).toBe("5");
    expect(await response.clone().text()).not.toContain("secret detail");
    await expectFailure(response, 503);
    expect(logged).toEqual([[{ key: "names", err: expect.any(SkepError) }, expect.any(String)]]);
  });

  it("a key that the store will not touch", async () => {
    const refusing: ObjectStore = Object.assign(new MemoryStore(), {
      head: () => Promise.reject(new SkepError("store_key_invalid", "a link")),
    });
    await expectFailure(await edge({ store: refusing }).request("/names"), 404);
  });

  it("a private repository at all", () => {
    expect(() => edge({ repository: { ...repository, public: false } })).toThrow(SkepError);
  });
});

describe("mounted", () => {
  it.each(["/repo", "/repo/", "/deep/er/repo"])("at %s", async (path) => {
    const app = new Hono().route(path, edge());
    const base = path.replace(/\/$/, "");
    expect((await app.request(`${base}/packages/foo`)).status).toBe(200);
    expect((await app.request(`${base}/none`)).status).toBe(404);
    expect((await app.request("/packages/foo")).status).toBe(404);
    expect((await app.request(base)).status).toBe(404);
  });
});

it("reports each request", async () => {
  const app = edge();
  await app.request("/names");
  await app.request("/names", { headers: { "if-none-match": etagOf(FILE) } });
  await app.request("/names", { method: "HEAD" });
  await app.request("/repos/acme/names");
  expect(served).toMatchObject([
    { method: "GET", key: "names", status: 200, bytes: FILE.length },
    { method: "GET", key: "names", status: 304, bytes: 0 },
    { method: "HEAD", key: "names", status: 200, bytes: 0 },
    { method: "GET", key: "repos/acme/names", status: 404 },
  ]);
  for (const { milliseconds } of served) expect(milliseconds).toBeGreaterThanOrEqual(0);
});
