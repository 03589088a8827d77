import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { inspect } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createEdgeReader, normalEtag } from "./edge-reader.ts";

describe("normalEtag", () => {
  it.each([
    ['"abc"', "abc"],
    ['W/"abc"', "abc"],
    ["abc", "abc"],
    [' "abc" ', "abc"],
    ['""', ""],
    ['"a"b"', 'a"b'],
  ])("makes %j %j", (etag, expected) => {
    expect(normalEtag(etag)).toBe(expected);
  });
});

describe("createEdgeReader", () => {
  const seen: IncomingMessage[] = [];
  let respond: (request: IncomingMessage, response: ServerResponse) => void;
  const server = createServer((request, response) => {
    seen.push(request);
    respond(request, response);
  });
  let baseUrl = "";
  beforeAll(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    baseUrl = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/repo/`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    seen.length = 0;
    respond = (_request, response) => void response.writeHead(200, { etag: 'W/"abc"' }).end();
  });
  const reader = (timeoutMs = 5_000) =>
    createEdgeReader({ baseUrl, timeoutMs, token: async () => "reader-token-5d" });
  const code = (promise: Promise<unknown>) =>
    promise.then(
      () => "no error",
      (error: { code?: unknown; message: string }) => {
        expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("reader-token-5d");
        return `${error.code}: ${error.message}`;
      },
    );

  it("asks with HEAD as a client would, without anything that would pass by the caches", async () => {
    expect(await reader().etag("tarballs/plug-1.0.0-rc.1.tar")).toBe("abc");
    expect(seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "HEAD /repo/tarballs/plug-1.0.0-rc.1.tar",
    ]);
    for (const name of ["cache-control", "pragma", "if-none-match", "authorization"]) {
      expect(seen[0]?.headers).not.toHaveProperty(name);
    }
    expect(seen[0]?.headers["accept-encoding"]).toBe("identity");
  });

  it("shows its token on private paths only", async () => {
    await reader().etag("repos/acme/packages/plug");
    await reader().etag("packages/repos");
    await createEdgeReader({ baseUrl, timeoutMs: 5_000 }).etag("repos/acme/names");
    expect(seen.map((request) => request.headers.authorization)).toEqual([
      "Bearer reader-token-5d",
      undefined,
      undefined,
    ]);
  });

  it.each([404, 410])("takes %i for no object", async (status) => {
    respond = (_request, response) => void response.writeHead(status, { etag: '"of-the-page"' }).end();
    expect(await reader().etag("names")).toBeUndefined();
  });

  it.each([405, 501])("asks with GET where HEAD is answered %i", async (status) => {
    respond = ({ method }, response) =>
      void response.writeHead(method === "HEAD" ? status : 200, { etag: '"abc"' }).end("body");
    expect(await reader().etag("names")).toBe("abc");
  });

  it("asks with GET where HEAD brings no ETag", async () => {
    respond = ({ method }, response) =>
      void response.writeHead(200, method === "GET" ? { etag: '"abc"' } : {}).end();
    expect(await reader().etag("names")).toBe("abc");
    respond = (_request, response) => void response.writeHead(200).end();
    expect(await code(reader().etag("names"))).toMatch(/^store_unavailable: .*no ETag$/);
  });

  it.each([500, 503, 403, 401, 301, 206])(
    "does not know what is served when the answer is %i",
    async (status) => {
      respond = (_request, response) =>
        void response.writeHead(status, { etag: '"abc"', location: "/x" }).end();
      expect(await code(reader().etag("repos/acme/names"))).toBe(
        `store_unavailable: cannot read ${baseUrl}repos/acme/names: HTTP ${status}`,
      );
      expect(seen).toHaveLength(1);
    },
  );

  it("says which keys it is let in to", () => {
    expect([reader().reads?.("names"), reader().reads?.("repos/acme/names")]).toEqual([true, true]);
    const open = createEdgeReader({ baseUrl, timeoutMs: 5_000 });
    expect([open.reads?.("names"), open.reads?.("repos/acme/names")]).toEqual([true, false]);
  });

  it("waits no longer than its timeout, and says when it cannot connect", async () => {
    respond = () => {};
    expect(await code(reader(50).etag("repos/acme/names"))).toMatch(
      /^store_unavailable: .*no answer in time$/,
    );
    const nowhere = createEdgeReader({ baseUrl: "http://127.0.0.1:9", timeoutMs: 5_000 });
    expect(await code(nowhere.etag("names"))).toMatch(
      /^store_unavailable: cannot read http:\/\/127\.0\.0\.1:9\/names/,
    );
  });

  it.each(["", "cdn.example", "ftp://cdn.example", "https://user:hidden-pw@cdn.example"])(
    "is not made for the URL %j",
    (url) => {
      const make = () => createEdgeReader({ baseUrl: url, timeoutMs: 1 });
      expect(make).toThrow(expect.objectContaining({ code: "config_invalid" }));
      expect(make).not.toThrow(/hidden-pw/);
    },
  );
});
