/** What `deploy/varnish/skep.vcl` stores, what it does not, and what it refuses. */
import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { describe, expect, it, vi } from "vitest";
import { surrogateKey } from "../../hex/keys.ts";
import { requireTool } from "../support/tools.ts";
import { checkVcl, settingsVcl } from "../support/varnish.ts";
import { purge, request } from "./client.ts";
import { jason, packageObject, pathOf, plug, repository, tarball, useStage } from "./stage.ts";

describe.runIf(requireTool("varnishd"))("skep.vcl", () => {
  const stage = useStage();

  it("compiles with the settings that are handed out as an example", async () => {
    const example = new URL("../../deploy/varnish/skep-settings.example.vcl", import.meta.url);
    await checkVcl(readFileSync(example, "utf8"));
    await expect(checkVcl(settingsVcl({ originPort: 1 }).replace("acl", "sub"))).rejects.toThrow(/VCL/);
  });

  describe("caching", () => {
    it("asks the origin once and answers with the stored bytes and the client's headers", async () => {
      const etag = stage.origin.put(plug, "signed bytes");
      const first = await stage.get(plug);
      const second = await stage.get(plug);
      expect([first.headers["x-cache"], second.headers["x-cache"]]).toEqual(["MISS", "HIT"]);
      expect(stage.origin.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
        "GET /packages/plug",
      ]);
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
      stage.origin.put(plug, "bytes", {
        "set-cookie": "a=b",
        vary: "User-Agent",
        "x-amz-meta-skep-hash": "0",
      });
      for (const answer of [
        await stage.get(plug),
        await stage.get(plug),
        await request(stage.varnish, "/repos/a/names"),
      ]) {
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
      stage.origin.put(plug, "bytes");
      await stage.get(plug, {
        authorization: "Bearer secret",
        cookie: "a=b",
        "accept-encoding": "gzip",
        host: "a",
      });
      const answers = [
        await stage.get(plug, { authorization: "Basic eDp5" }),
        await stage.get(plug, { cookie: "c=d" }),
        await stage.get(plug, { host: "evil.test", "x-forwarded-host": "evil.test" }),
        await stage.get(plug, { "accept-encoding": "br", "cache-control": "no-cache" }),
        await request(stage.varnish, `${pathOf(plug)}?bust=1`),
      ];
      expect(answers.map((answer) => answer.headers["x-cache"])).toEqual(["HIT", "HIT", "HIT", "HIT", "HIT"]);
      const [seen, ...more] = stage.origin.requests;
      expect(more).toEqual([]);
      for (const name of ["authorization", "cookie", "accept-encoding"]) {
        expect(seen?.headers).not.toHaveProperty(name);
      }
      expect(seen?.headers.host).toBe("origin.test");
    });

    it("answers HEAD, Range and If-None-Match from the cache", async () => {
      const etag = stage.origin.put(plug, "0123456789");
      const head = await request(stage.varnish, pathOf(plug), { method: "HEAD" });
      expect(head).toMatchObject({ status: 200, body: "", headers: { "content-length": "10" } });
      const range = await stage.get(plug, { range: "bytes=2-4" });
      expect(range).toMatchObject({ status: 206, body: "234", headers: { "content-range": "bytes 2-4/10" } });
      expect(await stage.get(plug, { "if-none-match": `"${etag}"` })).toMatchObject({
        status: 304,
        body: "",
      });
      expect(stage.origin.requests).toHaveLength(1);
    });

    it("never encodes, and refuses an origin that does", async () => {
      stage.origin.put(plug, "bytes".repeat(1_000), { "content-type": "text/plain" });
      expect((await stage.get(plug, { "accept-encoding": "gzip" })).headers).not.toHaveProperty(
        "content-encoding",
      );
      stage.origin.put(jason, "pretend", { "content-encoding": "gzip" });
      expect(await stage.get(jason, { "accept-encoding": "gzip" })).toMatchObject({ status: 502 });
    });

    it("fetches once for many readers at once", async () => {
      stage.origin.put(plug, "bytes");
      const hold = stage.origin.hold();
      const asleep = await stage.varnish.counter("MAIN.busy_sleep");
      const answers = Promise.all(Array.from({ length: 10 }, () => stage.get(plug)));
      await vi.waitFor(async () => expect(await stage.varnish.counter("MAIN.busy_sleep")).toBe(asleep + 9));
      hold.release();
      expect((await answers).map((answer) => answer.body)).toEqual(Array(10).fill("bytes"));
      expect(stage.origin.requests).toHaveLength(1);
    });

    it("reads surrogate headers that a bucket sends as metadata", async () => {
      stage.origin.put(plug, "bytes", {
        "surrogate-key": undefined,
        "surrogate-control": undefined,
        "x-amz-meta-surrogate-key": surrogateKey(repository, plug),
        "x-amz-meta-surrogate-control": "public, max-age=604800",
      });
      await stage.get(plug);
      expect((await stage.get(plug)).headers["x-cache"]).toBe("HIT");
      expect(await purge(stage.varnish, surrogateKey(repository, plug))).toBe(1);
    });

    it.each([
      ["no surrogate key", { "surrogate-key": undefined }],
      ["an empty surrogate key", { "surrogate-key": " " }],
      ["no Surrogate-Control", { "surrogate-control": undefined }],
      ["Surrogate-Control without an age", { "surrogate-control": "public" }],
      ["Surrogate-Control: no-store", { "surrogate-control": "no-store, max-age=600" }],
    ])("does not store an object with %s, which no purge would reach", async (_what, headers) => {
      stage.origin.put(plug, "bytes", headers);
      await stage.get(plug);
      expect((await stage.get(plug)).headers["x-cache"]).toBe("MISS");
      expect(stage.origin.requests).toHaveLength(2);
    });
  });

  describe("missing objects", () => {
    it("never stores a 404, so that a new package is seen at once", async () => {
      const missing = await stage.get(plug);
      expect(missing).toMatchObject({
        status: 404,
        headers: { "cache-control": "no-store", "x-cache": "MISS" },
      });
      stage.origin.put(plug, "published");
      expect(await stage.get(plug)).toMatchObject({ status: 200, body: "published" });
      expect((await stage.get(plug)).headers["x-cache"]).toBe("HIT");
    });

    it("sends requests for it to the origin side by side, not one after another", async () => {
      const held: ServerResponse[] = [];
      await stage.get(plug);
      stage.origin.instead = (response) => {
        held.push(response);
        // Answered only once all are here: in a queue the second would never come.
        if (held.length === 5) for (const each of held) each.writeHead(404).end();
      };
      const answers = await Promise.all(Array.from({ length: 5 }, () => stage.get(plug)));
      expect(answers.map((answer) => answer.status)).toEqual(Array(5).fill(404));
    });
  });

  describe("refuses", () => {
    it.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "COPY"])("the method %s", async (method) => {
      const answer = await request(stage.varnish, pathOf(plug), {
        method,
        headers: { "content-length": "0" },
      });
      expect(answer).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
      expect(stage.origin.requests).toEqual([]);
    });

    it.each([
      "/repo/repos/acme/names",
      "/Repos/acme/names",
      "/repos",
      "/repos/acme",
      "/repos/acme/",
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
      stage.origin.instead = (response) => void response.writeHead(200).end("secret");
      expect((await request(stage.varnish, path)).status).toBe(404);
      expect(stage.origin.requests).toEqual([]);
    });

    it("nothing that a package called `repos` needs", async () => {
      stage.origin.put(packageObject("repos"), "bytes");
      stage.origin.put(tarball("repos", "1.0.0-rc.1"), "bytes");
      expect((await stage.get(packageObject("repos"))).status).toBe(200);
      expect((await stage.get(tarball("repos", "1.0.0-rc.1"))).status).toBe(200);
    });
  });
});
