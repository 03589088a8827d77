/** Whom `deploy/varnish/skep.vcl` lets purge, and what a purge drops. */
import { describe, expect, it } from "vitest";
import { surrogateKey } from "../../hex/keys.ts";
import { requireTool } from "../support/tools.ts";
import { startVarnish } from "../support/varnish.ts";
import { purge, request } from "./client.ts";
import {
  briefly,
  everything,
  jason,
  names,
  pathOf,
  plug,
  repository,
  tarball,
  useStage,
  versions,
} from "./stage.ts";

describe.runIf(requireTool("varnishd"))("skep.vcl", () => {
  const stage = useStage();

  describe("purging", () => {
    it("drops the object of the key and no other", async () => {
      stage.origin.put(plug, "old plug");
      stage.origin.put(jason, "old jason");
      await Promise.all([stage.get(plug), stage.get(jason)]);
      stage.origin.put(plug, "new plug");
      stage.origin.put(jason, "new jason");
      await purge(stage.varnish, surrogateKey(repository, plug));
      expect((await stage.get(plug)).body).toBe("new plug");
      expect((await stage.get(jason)).body).toBe("old jason");
    });

    it("drops both indexes by one key, several objects by several, and all by the repository's", async () => {
      const objects = [names, versions, plug, tarball("plug", "1.0.0")];
      const bodies = () => Promise.all(objects.map(async (object) => (await stage.get(object)).body));
      // Not the counts that Varnish answers: what was purged before counts until its expiry thread came by.
      const afterPurge = async (...keys: string[]) => {
        for (const object of objects) stage.origin.put(object, "old");
        await purge(stage.varnish, everything);
        expect(await bodies()).toEqual(["old", "old", "old", "old"]);
        for (const object of objects) stage.origin.put(object, "new");
        await purge(stage.varnish, ...keys);
        return bodies();
      };
      const [indexes, package_] = [surrogateKey(repository, names), surrogateKey(repository, plug)];
      expect(await afterPurge(indexes)).toEqual(["new", "new", "old", "old"]);
      expect(await afterPurge(package_, indexes)).toEqual(["new", "new", "new", "old"]);
      expect(await afterPurge(everything)).toEqual(["new", "new", "new", "new"]);
    });

    it("drops an object that was fetched by HEAD or in part", async () => {
      stage.origin.put(plug, "0123456789");
      await request(stage.varnish, pathOf(plug), { method: "HEAD" });
      stage.origin.put(plug, "9876543210");
      await purge(stage.varnish, surrogateKey(repository, plug));
      expect((await stage.get(plug, { range: "bytes=0-1" })).body).toBe("98");
      stage.origin.put(plug, "0123456789");
      await purge(stage.varnish, surrogateKey(repository, plug));
      expect((await stage.get(plug, { range: "bytes=0-1" })).body).toBe("01");
    });

    it("needs a second purge against a fetch that was under way during the first", async () => {
      stage.origin.put(plug, "old");
      const hold = stage.origin.hold();
      const answer = stage.get(plug);
      await hold.arrived;
      // The old object is on its way to the cache, where no key leads to it yet.
      stage.origin.put(plug, "new");
      await purge(stage.varnish, surrogateKey(repository, plug));
      hold.release();
      expect((await answer).body).toBe("old");
      expect(await stage.get(plug)).toMatchObject({ body: "old", headers: { "x-cache": "HIT" } });
      await purge(stage.varnish, surrogateKey(repository, plug));
      expect((await stage.get(plug)).body).toBe("new");
    });

    it("drops an expired object too, so that it is not served while the origin is down", async () => {
      stage.origin.put(plug, "bad", briefly);
      await stage.get(plug);
      stage.origin.instead = (response) => void response.writeHead(500).end();
      await stage.untilExpired(plug);
      await purge(stage.varnish, surrogateKey(repository, plug));
      expect((await stage.get(plug)).status).toBe(500);
    });

    it.each([
      ["a wrong token", { "skep-purge-token": "guess", "surrogate-key": everything }, 401],
      ["no token", { "surrogate-key": everything }, 401],
      ["an empty token", { "skep-purge-token": "", "surrogate-key": everything }, 401],
      ["no keys", { "skep-purge-token": "test-token" }, 400],
      ["blank keys", { "skep-purge-token": "test-token", "surrogate-key": " , " }, 400],
    ])("is refused with %s", async (_what, headers, status) => {
      stage.origin.put(plug, "bytes");
      await stage.get(plug);
      const answer = await request(stage.varnish, pathOf(plug), { method: "PURGE", headers });
      expect(answer.status).toBe(status);
      expect(answer.headers).not.toHaveProperty("skep-purged");
      expect((await stage.get(plug)).headers["x-cache"]).toBe("HIT");
    });

    it("is refused from an address that may not purge, whatever the token", async () => {
      const elsewhere = await startVarnish({ originPort: stage.origin.port, purgers: "192.0.2.1" });
      try {
        await expect(purge(elsewhere, everything)).rejects.toThrow("purge: 403");
      } finally {
        await elsewhere.stop();
      }
    });
  });
});
