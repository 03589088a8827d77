import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { MemoryStore } from "../store/objects/memory.ts";
import { listenOnLoopback } from "../test/support/loopback.ts";
import { buildRepository } from "../test/support/sample-repository.ts";
import { testSigner } from "../test/support/signing.ts";
import type { Source } from "./source.ts";
import { directorySource } from "./source-directory.ts";
import { type HttpSourceOptions, httpSource } from "./source-http.ts";
import { storeSource } from "./source-store.ts";
import { verifyRepository } from "./verify.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "skep-source-"));
  cleanups.push(() => rm(folder, { recursive: true }));
  return folder;
}

async function folderOf(files: ReadonlyMap<string, Uint8Array>): Promise<string> {
  const folder = await newFolder();
  for (const [key, body] of files) {
    await mkdir(dirname(join(folder, key)), { recursive: true });
    await writeFile(join(folder, key), body);
  }
  return folder;
}

async function serve(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  const port = await listenOnLoopback(server);
  cleanups.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${port}`;
}

async function keysOf(source: Source, prefix: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const key of source.list?.(prefix) ?? []) keys.push(key);
  return keys;
}

function refusal(code: string) {
  return expect.objectContaining({ name: "SourceError", code });
}

const FILES = new Map([
  ["names", Buffer.from("n")],
  ["names.bak", Buffer.from("")],
  ["packages/pear", Buffer.from("pear")],
  ["packages/.pear.tmp", Buffer.from("")],
]);

describe("a folder", () => {
  it("gives files up to their bound, and lists what is not hidden", async () => {
    const source = directorySource(await folderOf(FILES));
    expect(await source.read("packages/pear", 4)).toEqual({ body: Buffer.from("pear") });
    await expect(source.read("packages/pear", 3)).rejects.toEqual(refusal("too_large"));
    expect(await source.read("packages/plum", 9)).toBeUndefined();
    expect(await source.read("names/pear", 9)).toBeUndefined();
    expect(await keysOf(source, "names")).toEqual(["names", "names.bak"]);
    expect(await keysOf(source, "packages/")).toEqual(["packages/pear"]);
    expect(await keysOf(source, "tarballs/")).toEqual([]);
  });

  it("does not wait for what is no file", async () => {
    const folder = await newFolder();
    execFileSync("mkfifo", [join(folder, "names")]);
    await mkdir(join(folder, "versions"));
    for (const key of ["names", "versions"]) {
      await expect(directorySource(folder).read(key, 9)).rejects.toEqual(refusal("unreachable"));
    }
  });
});

describe("an object store", () => {
  it("gives objects up to their bound, below a prefix", async () => {
    const store = new MemoryStore();
    for (const key of ["repos/acme/names", "repos/acme2/names", "names"]) {
      await store.put(key, Buffer.from(key), { precondition: { kind: "none" } });
    }
    const source = storeSource(store, "repos/acme/");
    expect(await source.read("names", 16)).toEqual({ body: Buffer.from("repos/acme/names") });
    await expect(source.read("names", 15)).rejects.toEqual(refusal("too_large"));
    expect(await source.read("versions", 9)).toBeUndefined();
    expect(await keysOf(source, "names")).toEqual(["names"]);
    await expect(source.read("../names", 9)).rejects.toEqual(refusal("unreachable"));
  });
});

describe("a server", () => {
  async function answers(listener: RequestListener, options: HttpSourceOptions = {}): Promise<Source> {
    return httpSource(`${await serve(listener)}/repo/`, options);
  }

  it("is asked as a Hex client asks", async () => {
    const seen: unknown[] = [];
    const source = await answers(
      ({ url, headers }, response) => {
        seen.push(url, headers.authorization, headers["accept-encoding"]);
        response.setHeader("ETag", '"1"').end("body");
      },
      { authorization: "key" },
    );
    const object = await source.read("tarballs/pear-1.0.0+a.tar", 4);
    expect(seen).toEqual(["/repo/tarballs/pear-1.0.0%2Ba.tar", "key", "identity"]);
    expect(object?.body).toEqual(Buffer.from("body"));
    expect(object?.headers?.get("etag")).toBe('"1"');
  });

  it.each([
    [404, undefined],
    [403, undefined],
    [401, "status"],
    [206, "status"],
    [500, "unreachable"],
    [429, "unreachable"],
  ])("that answers %i: %s", async (status, code) => {
    const source = await answers((_, response) => void response.writeHead(status).end("x"), { retries: 0 });
    const reading = source.read("names", 9);
    if (code === undefined) expect(await reading).toBeUndefined();
    else await expect(reading).rejects.toEqual(refusal(code));
  });

  it("that sends without end is cut off, packed or not", async () => {
    const endless: RequestListener = (_, response) => {
      const write = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      };
      response.on("drain", write);
      write();
    };
    await expect((await answers(endless)).read("names", 100_000)).rejects.toEqual(refusal("too_large"));
    const bomb: RequestListener = (_, response) => {
      response.setHeader("Content-Encoding", "gzip").end(gzipSync(Buffer.alloc(1 << 20)));
    };
    await expect((await answers(bomb)).read("names", 100_000)).rejects.toEqual(refusal("too_large"));
  });

  it("that says nothing is waited for only so long", async () => {
    const source = await answers(() => undefined, { timeoutMilliseconds: 50, retries: 0 });
    await expect(source.read("names", 9)).rejects.toEqual(refusal("unreachable"));
  });

  it("that breaks off is asked again", async () => {
    let requests = 0;
    const source = await answers((_, response) => {
      requests += 1;
      if (requests === 1) response.destroy();
      else if (requests === 2)
        response.writeHead(200, { "content-length": 9 }).write("x", () => response.destroy());
      else response.end("third");
    });
    expect((await source.read("names", 9))?.body).toEqual(Buffer.from("third"));
    const closed = httpSource("http://127.0.0.1:1", { retries: 0 });
    await expect(closed.read("names", 9)).rejects.toEqual(refusal("unreachable"));
  });
});

describe("the same repository", () => {
  it("is without fault in a folder, in a store and over HTTP", async () => {
    const files = await buildRepository(testSigner());
    const store = new MemoryStore();
    for (const [key, body] of files) await store.put(key, body, { precondition: { kind: "none" } });
    const url = await serve(({ url = "" }, response) => {
      const body = files.get(url.slice(1));
      if (body === undefined) response.writeHead(404).end();
      else response.setHeader("ETag", '"1"').end(body);
    });
    for (const source of [directorySource(await folderOf(files)), storeSource(store), httpSource(url)]) {
      expect(await verifyRepository(source, { repositoryName: "local" }), source.description).toMatchObject({
        findings: [],
        files: 9,
      });
    }
  });

  it("is one finding a file when a CDN packs it once more", async () => {
    const files = await buildRepository(testSigner());
    const url = await serve(({ url = "" }, response) => {
      const body = files.get(url.slice(1));
      if (body === undefined) return void response.writeHead(404).end();
      // As a server does that takes a .gz for a page that is packed: the bytes are the same.
      const packed = /^\/(names|versions|packages)/.test(url);
      response.writeHead(200, { etag: '"1"', ...(packed && { "content-encoding": "gzip" }) }).end(body);
    });
    const { findings } = await verifyRepository(httpSource(url));
    expect(findings.map(({ key, check }) => `${key} ${check}`)).toEqual(
      ["names", "packages/pear", "packages/plum", "versions"].map((key) => `${key} headers`),
    );
  });
});
