/** The edge behind a real server, with requests as they are on the wire: `fetch` would tidy their paths. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { repositoryName, trusted } from "../hex/ids.ts";
import { openFolderStore } from "../store/objects/folder.ts";
import { listenOnLoopback } from "../test/support/loopback.ts";
import { createEdge } from "./app.ts";

const SECRET = "not for everybody";
const FILE = "a signed file";
let folder: string;
let server: Server;
let port: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "skep-edge-"));
  const store = await openFolderStore(join(folder, "store"));
  for (const [key, text] of Object.entries({ "packages/foo": FILE, "repos/acme/packages/foo": SECRET }))
    await store.put(key, Buffer.from(text), { precondition: { kind: "none" }, metadata: { n: SECRET } });
  await writeFile(join(folder, "names"), SECRET);
  await symlink(join(folder, "names"), join(folder, "store/names"));
  await mkdir(join(folder, "store/tarballs"));
  await symlink(join(folder, "names"), join(folder, "store/tarballs/foo-1.0.0.tar"));
  const repository = { name: trusted(repositoryName, "local"), public: true };
  const app = new Hono().route("/repo", createEdge({ store, repository }));
  app.get("/api", (context) => context.text("the api"));
  server = createServer(getRequestListener(app.fetch));
  port = await listenOnLoopback(server);
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true, force: true });
});

function raw(target: string, method = "GET", headers = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(`${method} ${target} HTTP/1.1\r\nHost: localhost\r\n${headers}Connection: close\r\n\r\n`);
    });
    let answer = "";
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      answer += chunk;
    });
    socket.on("end", () => resolve(answer)).on("error", reject);
  });
}

describe("on the wire", () => {
  it.each(["/repo/packages/foo", "/repo/packages/foo?a=b", "/repo/packages/%66oo"])("%s", async (target) => {
    const answer = await raw(target);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).toMatch(/\r\netag: "[0-9a-f]{32}"\r\n/i);
    expect(answer).toMatch(/\r\n\r\na signed file$/);
    expect(answer).not.toMatch(/content-encoding|transfer-encoding|surrogate/i);
  });

  it("HEAD has the length and no body", async () => {
    const answer = await raw("/repo/packages/foo", "HEAD");
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).toMatch(/\r\ncontent-length: 13\r\n/i);
    expect(answer).toMatch(/\r\n\r\n$/);
  });

  it("304 and 206", async () => {
    const etag = /etag: (".*")/i.exec(await raw("/repo/packages/foo", "HEAD"))?.[1];
    const unchanged = await raw("/repo/packages/foo", "GET", `If-None-Match: ${etag}\r\n`);
    expect(unchanged).toMatch(/^HTTP\/1\.1 304 Not Modified\r\n(?:.+\r\n)+\r\n$/);
    expect(await raw("/repo/packages/foo", "GET", "Range: bytes=2-7\r\n")).toMatch(
      /^HTTP\/1\.1 206 .*signed$/s,
    );
  });

  it.each([
    "/repo/../repo/packages/foo",
    "/repo/packages/../packages/foo",
    "/repo/./packages/foo",
    "/repo/packages/%2e%2e/packages/foo",
    "/repo/packages/%2e%2e%2f%2e%2e%2fnames",
    "/repo/packages/..%2f..%2fnames",
    "/repo/..%252f..%252fnames",
    "/repo/packages%2ffoo",
    "/repo/packages/foo%00",
    "/repo/packages/..%5c..%5cnames",
    "/repo/..\\..\\names",
    "/repo/packages\\foo",
    "/repo/%c0%ae%c0%ae/names",
    "/repo/%ff",
    "/repo/%",
    "/repo//packages/foo",
    "/%72epo/packages/foo",
    "/repo/repos/acme/packages/foo",
    "/repo/%72epos/acme/packages/foo",
    "/repo/packages/../repos/acme/packages/foo",
    "/repo/REPOS/acme/packages/foo",
    "/repo/.skep-meta/",
    "/repo/.skep-lock/",
    "/repo/packages",
    "/repo/packages/",
    "/repo",
    "/repo/",
    "/repo/names",
    "/repo/tarballs/foo-1.0.0.tar",
  ])("nothing at %s", async (target) => {
    for (const method of ["GET", "HEAD"]) {
      const answer = await raw(target, method);
      // The server itself answers 400 to a backslash.
      expect(answer).toMatch(target.includes("\\") ? /^HTTP\/1\.1 40[04] / : /^HTTP\/1\.1 404 /);
      if (!answer.startsWith("HTTP/1.1 400")) expect(answer).toMatch(/\r\ncache-control: no-store\r\n/i);
      expect(answer).not.toContain(SECRET);
      expect(answer).not.toContain(FILE);
      expect(answer).not.toMatch(/etag/i);
    }
  });

  it("a whole URL as target, as to a proxy", async () => {
    expect(await raw("http://localhost/repo/packages/foo")).toMatch(/^HTTP\/1\.1 200 /);
    expect(await raw("http://localhost/repo/packages/../packages/foo")).toMatch(/^HTTP\/1\.1 404 /);
  });

  it("leaves other paths to others", async () => {
    expect(await raw("/api")).toMatch(/the api$/);
    for (const target of ["/repo/%2e%2e/%2e%2e/names", "//repo/packages/foo", "/packages/foo"])
      expect(await raw(target)).toMatch(/^HTTP\/1\.1 404 .*404 Not Found$/s);
  });

  it("405 without reading a body", async () => {
    const answer = await raw("/repo/packages/foo", "PUT", "Content-Length: 1000000\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 405 /);
    expect(answer).toMatch(/\r\nallow: GET, HEAD\r\n/i);
  });
});
