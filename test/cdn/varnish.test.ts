/** What `deploy/varnish/skep.vcl` caches, purges, serves while the origin is down, and refuses. */
import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { packageName, repositoryName, trusted, version } from "../../hex/ids.ts";
import {
  objectKey,
  type RepositoryObject,
  type RepositoryRef,
  repositorySurrogateKey,
  surrogateKey,
} from "../../hex/keys.ts";
import { requireTool } from "../support/tools.ts";
import { checkVcl, type RunningVarnish, settingsVcl, startVarnish } from "../support/varnish.ts";
import { purge, request } from "./client.ts";
import { type Origin, startOrigin } from "./origin.ts";

const repository: RepositoryRef = { name: trusted(repositoryName, "local"), public: true };
const everything = repositorySurrogateKey(repository);
const names: RepositoryObject = { kind: "names" };
const versions: RepositoryObject = { kind: "versions" };

function packageObject(name: string): RepositoryObject {
  return { kind: "package", package: trusted(packageName, name) };
}
function tarball(name: string, text: string): RepositoryObject {
  return { kind: "tarball", package: trusted(packageName, name), version: trusted(version, text) };
}
function pathOf(object: RepositoryObject): string {
  return `/${objectKey(repository, object)}`;
}

describe.runIf(requireTool("varnishd"))("skep.vcl in varnishd", () => {
  let origin: Origin;
  let varnish: RunningVarnish;
  const plug = packageObject("plug");
  const jason = packageObject("jason");

  beforeAll(async () => {
    origin = await startOrigin(repository);
    varnish = await startVarnish({ originPort: origin.port });
  });
  afterAll(async () => {
    await varnish?.stop();
    await origin?.down();
  });
  beforeEach(async () => {
    origin.instead = undefined;
    for (const object of [names, versions, plug, jason]) origin.remove(object);
    await purge(varnish, everything);
    origin.requests.length = 0;
  });

  const get = (object: RepositoryObject, headers: Record<string, string> = {}) =>
    request(varnish, pathOf(object), { headers });
  /** One second after it was fetched, the object is expired: long enough to be a time that Varnish keeps. */
  const briefly = { "surrogate-control": "public, max-age=1" };
  const untilExpired = (object: RepositoryObject) =>
    vi.waitFor(async () => expect((await get(object)).headers["x-cache"]).toBe("STALE"), {
      timeout: 5_000,
      interval: 50,
    });

  /** Varnish leaves an origin that refused it alone for a moment. */
  async function comeBack(): Promise<void> {
    await origin.up();
    await vi.waitFor(async () => expect((await request(varnish, "/nothing")).status).toBe(404), {
      timeout: 5_000,
    });
  }

  it("compiles with the settings that are handed out as an example", async () => {
    const example = new URL("../../deploy/varnish/skep-settings.example.vcl", import.meta.url);
    await checkVcl(readFileSync(example, "utf8"));
    await expect(checkVcl(settingsVcl({ originPort: 1 }).replace("acl", "sub"))).rejects.toThrow(/VCL/);
  });

  describe("caching", () => {
    it("asks the origin once and answers with the stored bytes and the client's headers", async () => {
      const etag = origin.put(plug, "signed bytes");
      const first = await get(plug);
      const second = await get(plug);
      expect([first.headers["x-cache"], second.headers["x-cache"]]).toEqual(["MISS", "HIT"]);
      expect(origin.requests.map(({ method, url }) => `${method} ${url}`)).toEqual(["GET /packages/plug"]);
      for (const answer of [first, second]) {
        expect(answer.body).toBe("signed bytes");
        expect(answer.headers).toMatchObject({
          "content-type": "application/octet-stream",
          "cache-control": "public, max-age=3600",
          etag: `"${etag}"`,
        });
      }
    });

    it("shows clients nothing that is meant for caches", async () => {
      origin.put(plug, "bytes", { "set-cookie": "a=b", vary: "User-Agent", "x-amz-meta-skep-hash": "0" });
      for (const answer of [await get(plug), await get(plug), await request(varnish, "/repos/a/names")]) {
        const hidden = [
          "surrogate-key",
          "surrogate-control",
          "xkey",
          "via",
          "x-varnish",
          "set-cookie",
          "vary",
        ];
        for (const name of [...hidden, "x-amz-meta-skep-hash"])
          expect(answer.headers).not.toHaveProperty(name);
      }
    });

    it("is shared by readers with and without Authorization, cookies, queries and another Host", async () => {
      origin.put(plug, "bytes");
      await get(plug, {
        authorization: "Bearer secret",
        cookie: "a=b",
        "accept-encoding": "gzip",
        host: "a",
      });
      const answers = [
        await get(plug, { authorization: "Basic eDp5" }),
        await get(plug, { cookie: "c=d" }),
        await get(plug, { host: "evil.test", "x-forwarded-host": "evil.test" }),
        await get(plug, { "accept-encoding": "br", "cache-control": "no-cache" }),
        await request(varnish, `${pathOf(plug)}?bust=1`),
      ];
      expect(answers.map((answer) => answer.headers["x-cache"])).toEqual(["HIT", "HIT", "HIT", "HIT", "HIT"]);
      const [seen, ...more] = origin.requests;
      expect(more).toEqual([]);
      for (const name of ["authorization", "cookie", "accept-encoding"]) {
        expect(seen?.headers).not.toHaveProperty(name);
      }
      expect(seen?.headers.host).toBe("origin.test");
    });

    it("answers HEAD, Range and If-None-Match from the cache", async () => {
      const etag = origin.put(plug, "0123456789");
      const head = await request(varnish, pathOf(plug), { method: "HEAD" });
      expect(head).toMatchObject({ status: 200, body: "", headers: { "content-length": "10" } });
      const range = await get(plug, { range: "bytes=2-4" });
      expect(range).toMatchObject({ status: 206, body: "234", headers: { "content-range": "bytes 2-4/10" } });
      expect(await get(plug, { "if-none-match": `"${etag}"` })).toMatchObject({ status: 304, body: "" });
      expect(origin.requests).toHaveLength(1);
    });

    it("never encodes, and refuses an origin that does", async () => {
      origin.put(plug, "bytes".repeat(1_000), { "content-type": "text/plain" });
      expect((await get(plug, { "accept-encoding": "gzip" })).headers).not.toHaveProperty("content-encoding");
      origin.put(jason, "pretend", { "content-encoding": "gzip" });
      expect(await get(jason, { "accept-encoding": "gzip" })).toMatchObject({ status: 502 });
    });

    it("fetches once for many readers at once", async () => {
      origin.put(plug, "bytes");
      const hold = origin.hold();
      const asleep = await varnish.counter("MAIN.busy_sleep");
      const answers = Promise.all(Array.from({ length: 10 }, () => get(plug)));
      await vi.waitFor(async () => expect(await varnish.counter("MAIN.busy_sleep")).toBe(asleep + 9));
      hold.release();
      expect((await answers).map((answer) => answer.body)).toEqual(Array(10).fill("bytes"));
      expect(origin.requests).toHaveLength(1);
    });

    it("reads surrogate headers that a bucket sends as metadata", async () => {
      origin.put(plug, "bytes", {
        "surrogate-key": undefined,
        "surrogate-control": undefined,
        "x-amz-meta-surrogate-key": surrogateKey(repository, plug),
        "x-amz-meta-surrogate-control": "public, max-age=604800",
      });
      await get(plug);
      expect((await get(plug)).headers["x-cache"]).toBe("HIT");
      expect(await purge(varnish, surrogateKey(repository, plug))).toBe(1);
    });

    it.each([
      ["no surrogate key", { "surrogate-key": undefined }],
      ["an empty surrogate key", { "surrogate-key": " " }],
      ["no Surrogate-Control", { "surrogate-control": undefined }],
      ["Surrogate-Control without an age", { "surrogate-control": "public" }],
      ["Surrogate-Control: no-store", { "surrogate-control": "no-store, max-age=600" }],
    ])("does not store an object with %s, which no purge would reach", async (_what, headers) => {
      origin.put(plug, "bytes", headers);
      await get(plug);
      expect((await get(plug)).headers["x-cache"]).toBe("MISS");
      expect(origin.requests).toHaveLength(2);
    });
  });

  describe("missing objects", () => {
    it("never stores a 404, so that a new package is seen at once", async () => {
      const missing = await get(plug);
      expect(missing).toMatchObject({
        status: 404,
        headers: { "cache-control": "no-store", "x-cache": "MISS" },
      });
      origin.put(plug, "published");
      expect(await get(plug)).toMatchObject({ status: 200, body: "published" });
      expect((await get(plug)).headers["x-cache"]).toBe("HIT");
    });

    it("sends requests for it to the origin side by side, not one after another", async () => {
      const held: ServerResponse[] = [];
      await get(plug);
      origin.instead = (response) => {
        held.push(response);
        // Answered only once all are here: in a queue the second would never come.
        if (held.length === 5) for (const each of held) each.writeHead(404).end();
      };
      const answers = await Promise.all(Array.from({ length: 5 }, () => get(plug)));
      expect(answers.map((answer) => answer.status)).toEqual(Array(5).fill(404));
    });
  });

  describe("purging", () => {
    it("drops the object of the key and no other", async () => {
      origin.put(plug, "old plug");
      origin.put(jason, "old jason");
      await Promise.all([get(plug), get(jason)]);
      origin.put(plug, "new plug");
      origin.put(jason, "new jason");
      expect(await purge(varnish, surrogateKey(repository, plug))).toBe(1);
      expect((await get(plug)).body).toBe("new plug");
      expect((await get(jason)).body).toBe("old jason");
    });

    it("drops both indexes by one key, several objects by several, and all by the repository's", async () => {
      const objects = [names, versions, plug, tarball("plug", "1.0.0")];
      for (const object of objects) origin.put(object, "bytes");
      const fill = () => Promise.all(objects.map((object) => get(object)));
      await fill();
      expect(await purge(varnish, surrogateKey(repository, names))).toBe(2);
      await fill();
      expect(await purge(varnish, surrogateKey(repository, plug), surrogateKey(repository, names))).toBe(3);
      await fill();
      expect(await purge(varnish, everything)).toBe(4);
      expect(await purge(varnish, everything)).toBe(0);
    });

    it("drops an object that was fetched by HEAD or in part", async () => {
      origin.put(plug, "0123456789");
      await request(varnish, pathOf(plug), { method: "HEAD" });
      expect(await purge(varnish, surrogateKey(repository, plug))).toBe(1);
      await get(plug, { range: "bytes=0-1" });
      expect(await purge(varnish, surrogateKey(repository, plug))).toBe(1);
    });

    it("needs a second purge against a fetch that was under way during the first", async () => {
      origin.put(plug, "old");
      const hold = origin.hold();
      const answer = get(plug);
      await hold.arrived;
      // The old object is on its way to the cache, where no key leads to it yet.
      origin.put(plug, "new");
      expect(await purge(varnish, surrogateKey(repository, plug))).toBe(0);
      hold.release();
      expect((await answer).body).toBe("old");
      expect(await get(plug)).toMatchObject({ body: "old", headers: { "x-cache": "HIT" } });
      expect(await purge(varnish, surrogateKey(repository, plug))).toBe(1);
      expect((await get(plug)).body).toBe("new");
    });

    it("drops an expired object too, so that it is not served while the origin is down", async () => {
      origin.put(plug, "bad", briefly);
      await get(plug);
      origin.instead = (response) => void response.writeHead(500).end();
      await untilExpired(plug);
      expect(await purge(varnish, surrogateKey(repository, plug))).toBe(1);
      expect((await get(plug)).status).toBe(500);
    });

    it.each([
      ["a wrong token", { "skep-purge-token": "guess", "surrogate-key": everything }, 401],
      ["no token", { "surrogate-key": everything }, 401],
      ["an empty token", { "skep-purge-token": "", "surrogate-key": everything }, 401],
      ["no keys", { "skep-purge-token": "test-token" }, 400],
      ["blank keys", { "skep-purge-token": "test-token", "surrogate-key": " , " }, 400],
    ])("is refused with %s", async (_what, headers, status) => {
      origin.put(plug, "bytes");
      await get(plug);
      const answer = await request(varnish, pathOf(plug), { method: "PURGE", headers });
      expect(answer.status).toBe(status);
      expect(answer.headers).not.toHaveProperty("skep-purged");
      expect((await get(plug)).headers["x-cache"]).toBe("HIT");
    });

    it("is refused from an address that may not purge, whatever the token", async () => {
      const elsewhere = await startVarnish({ originPort: origin.port, purgers: "192.0.2.1" });
      try {
        await expect(purge(elsewhere, everything)).rejects.toThrow("purge: 403");
      } finally {
        await elsewhere.stop();
      }
    });
  });

  describe("with the origin in trouble", () => {
    it("goes on serving what has expired, and recovers by itself", async () => {
      origin.put(plug, "kept", briefly);
      await get(plug);
      await origin.down();
      try {
        await untilExpired(plug);
        for (let i = 0; i < 3; i++) expect(await get(plug)).toMatchObject({ status: 200, body: "kept" });
        expect(await get(jason)).toMatchObject({ status: 503, headers: { "cache-control": "no-store" } });
      } finally {
        await comeBack();
      }
      origin.put(plug, "fresh");
      await vi.waitFor(async () => expect((await get(plug)).body).toBe("fresh"));
      origin.put(jason, "there");
      expect((await get(jason)).body).toBe("there");
    });

    it("keeps an expired object whatever the origin answers instead of it", async () => {
      const troubles = [500, 503, 403, 429, 302].map((status) => ({
        status,
        object: packageObject(`trouble_${status}`),
      }));
      for (const { object } of troubles) origin.put(object, "kept", briefly);
      await Promise.all(troubles.map(({ object }) => get(object)));
      origin.instead = (response, url) =>
        void response.writeHead(Number(url.slice(-3)), { location: "/login" }).end("trouble");
      for (const { object } of troubles) {
        await untilExpired(object);
        for (let i = 0; i < 3; i++) expect(await get(object)).toMatchObject({ status: 200, body: "kept" });
      }
      expect(new Set(origin.requests.map(({ url }) => url)).size).toBe(troubles.length);
      expect(origin.requests.length).toBeGreaterThan(troubles.length);
    });

    it("drops an expired object when the origin says that it is gone, and for good", async () => {
      origin.put(plug, "reverted", briefly);
      await get(plug);
      origin.remove(plug);
      await vi.waitFor(async () => expect((await get(plug)).status).toBe(404), {
        timeout: 5_000,
        interval: 50,
      });
      await origin.down();
      try {
        // Past the mark that a 404 leaves, which stays for a second.
        const until = Date.now() + 1_500;
        await vi.waitFor(
          async () => {
            expect((await get(plug)).status).not.toBe(200);
            expect(Date.now()).toBeGreaterThan(until);
          },
          { timeout: 5_000, interval: 200 },
        );
      } finally {
        await comeBack();
      }
    });

    it("stores no error", async () => {
      origin.instead = (response) => void response.writeHead(500, { "surrogate-key": "k" }).end("oops");
      expect((await get(plug)).status).toBe(500);
      origin.instead = undefined;
      origin.put(plug, "bytes");
      expect(await get(plug)).toMatchObject({ status: 200, body: "bytes" });
    });
  });

  describe("refuses", () => {
    it.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "COPY"])("the method %s", async (method) => {
      const answer = await request(varnish, pathOf(plug), { method, headers: { "content-length": "0" } });
      expect(answer).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
      expect(origin.requests).toEqual([]);
    });

    it.each([
      "/repos/acme/names",
      "/repos/acme/tarballs/a-1.0.0.tar",
      "/repo/repos/acme/names",
      "/Repos/acme/names",
      "/repos/acme/names?x=1",
      "//repos/acme/names",
      "/./repos/acme/names",
      "/packages/../repos/acme/names",
      "/packages/..",
      "/%72epos/acme/names",
      "/repos%2facme/names",
      "/packages/%2e%2e/repos/acme/names",
      "/repos\\acme\\names",
      "/packages/",
      "/",
    ])("the path %s", async (path) => {
      origin.instead = (response) => void response.writeHead(200).end("secret");
      expect((await request(varnish, path)).status).toBe(404);
      expect(origin.requests).toEqual([]);
    });

    it("nothing that a package called `repos` needs", async () => {
      origin.put(packageObject("repos"), "bytes");
      origin.put(tarball("repos", "1.0.0-rc.1"), "bytes");
      expect((await get(packageObject("repos"))).status).toBe(200);
      expect((await get(tarball("repos", "1.0.0-rc.1"))).status).toBe(200);
    });
  });
});
