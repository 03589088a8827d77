/** What `deploy/varnish/skep.vcl` serves while the origin is down or in trouble. */
import { describe, expect, it, vi } from "vitest";
import { requireTool } from "../support/tools.ts";
import { briefly, everything, jason, packageObject, plug, useStage } from "./stage.ts";

describe.runIf(requireTool("varnishd"))("skep.vcl", () => {
  const stage = useStage();

  describe("with the origin in trouble", () => {
    it("goes on serving what has expired, and recovers by itself", async () => {
      stage.origin.put(plug, "kept", briefly);
      await stage.get(plug);
      await stage.origin.down();
      try {
        await stage.untilExpired(plug);
        for (let i = 0; i < 3; i++)
          expect(await stage.get(plug)).toMatchObject({ status: 200, body: "kept" });
        expect(await stage.get(jason)).toMatchObject({
          status: 503,
          headers: { "cache-control": "no-store" },
        });
      } finally {
        await stage.comeBack();
      }
      stage.origin.put(plug, "fresh");
      await vi.waitFor(async () => expect((await stage.get(plug)).body).toBe("fresh"));
      stage.origin.put(jason, "there");
      expect((await stage.get(jason)).body).toBe("there");
    });

    it("keeps an expired object whatever the origin answers instead of it", async () => {
      const troubles = [500, 503, 403, 429, 302].map((status) => ({
        status,
        object: packageObject(`trouble_${status}`),
      }));
      for (const { object } of troubles) stage.origin.put(object, "kept", briefly);
      await Promise.all(troubles.map(({ object }) => stage.get(object)));
      stage.origin.instead = (response, url) =>
        void response.writeHead(Number(url.slice(-3)), { location: "/login" }).end("trouble");
      for (const { object } of troubles) {
        await stage.untilExpired(object);
        for (let i = 0; i < 3; i++)
          expect(await stage.get(object)).toMatchObject({ status: 200, body: "kept" });
      }
      expect(new Set(stage.origin.requests.map(({ url }) => url)).size).toBe(troubles.length);
      expect(stage.origin.requests.length).toBeGreaterThan(troubles.length);
    });

    it("drops an expired object when the origin says that it is gone, and for good", async () => {
      stage.origin.put(plug, "reverted", briefly);
      await stage.get(plug);
      stage.origin.remove(plug);
      await vi.waitFor(async () => expect((await stage.get(plug)).status).toBe(404), {
        timeout: 5_000,
        interval: 50,
      });
      await stage.origin.down();
      try {
        // Past the mark that a 404 leaves, which stays for a second.
        const until = Date.now() + 1_500;
        await vi.waitFor(
          async () => {
            expect((await stage.get(plug)).status).not.toBe(200);
            expect(Date.now()).toBeGreaterThan(until);
          },
          { timeout: 5_000, interval: 200 },
        );
      } finally {
        await stage.comeBack();
      }
    });

    it.each([404, 410, 403, 500, 302, 204])(
      "never stores a %i, though it has the headers for it",
      async (status) => {
        const headers = { "surrogate-key": everything, "surrogate-control": "public, max-age=600" };
        stage.origin.instead = (response) => void response.writeHead(status, headers).end();
        expect((await stage.get(plug)).status).toBe(status);
        stage.origin.instead = undefined;
        stage.origin.put(plug, "bytes");
        expect(await stage.get(plug)).toMatchObject({ status: 200, body: "bytes" });
      },
    );
  });
});
