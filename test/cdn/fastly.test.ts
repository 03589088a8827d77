/** The Fastly purger, with the real client up to the socket, against a stand-in for Fastly's API. */
import https from "node:https";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createFastlyPurger, type FastlyOptions } from "../../generator/purge/fastly.ts";
import { type FakeFastly, startFakeFastly } from "../support/fake-fastly.ts";
import { failureOf } from "./secrecy.ts";

const serviceId = "SU1Z0isxPaozGVKXdv0eY";
const key = "public:package:plug";

describe("the Fastly purger", () => {
  let fastly: FakeFastly;
  let detach: () => void;
  let waits: number[];
  const effects: string[] = [];

  beforeEach(async () => {
    effects.length = 0;
    waits = [];
    fastly = await startFakeFastly({ purge: (surrogateKey) => void effects.push(surrogateKey) });
    detach = fastly.attach();
  });
  afterEach(async () => {
    detach();
    await fastly.close();
  });

  function purgerOf(options: Partial<FastlyOptions> = {}) {
    const wait = async (milliseconds: number) => void waits.push(milliseconds);
    const retry = { attempts: 3, wait, random: () => 0 };
    return createFastlyPurger({ serviceId, token: () => fastly.token, retry, ...options });
  }

  it("sends one request for each key, with the token and without a soft purge", async () => {
    await purgerOf().purge([key, "public:index", key]);
    expect(fastly.purges).toHaveLength(2);
    expect(fastly.purges[0]).toEqual({
      method: "POST",
      path: `/service/${serviceId}/purge/${key}`,
      serviceId,
      surrogateKey: key,
      soft: false,
      token: fastly.token,
      host: "api.fastly.com",
    });
    expect(effects).toEqual([key, "public:index"]);
  });

  it("purges softly where that is set", async () => {
    await purgerOf({ soft: true }).purge([key]);
    expect(fastly.purges[0]?.soft).toBe(true);
  });

  it("escapes what is escaped in a key once more, so that it arrives as the key", async () => {
    await purgerOf().purge(["public:tarball:plug:1.0.0%2Bbuild"]);
    expect(fastly.purges[0]?.path).toMatch(/1\.0\.0%252Bbuild$/);
    expect(effects).toEqual(["public:tarball:plug:1.0.0%2Bbuild"]);
  });

  it("sends nothing for no keys", async () => {
    await purgerOf().purge([]);
    expect(fastly.purges).toEqual([]);
  });

  it.each(["a/b", "../purge_all", "..", ".", "a b", "a,b", "a?b", "a#b", "a\\b", "a\r\nb", "", "ä"])(
    "sends nothing at all when one of the keys is %j",
    async (unsafe) => {
      const error = await failureOf(() => purgerOf().purge([key, unsafe]), fastly.token);
      expect(error.code).toBe("purge_refused");
      expect(fastly.purges).toEqual([]);
    },
  );

  it("is refused with another token, does not insist, and repeats neither the token nor the answer", async () => {
    const token = "another-token-77";
    const error = await failureOf(() => purgerOf({ token: () => token }).purge([key]), token);
    expect(error).toMatchObject({
      code: "purge_refused",
      message: `Fastly service ${serviceId} refused to purge ${key}: HTTP 401`,
    });
    expect(error.cause).toBeUndefined();
    expect(fastly.purges).toHaveLength(1);
  });

  it("waits as long as a 429 says, and tries again", async () => {
    fastly.next({ retryAfter: "2" }, { retryAfter: "0" }, "accept");
    await purgerOf().purge([key]);
    expect(waits).toEqual([2_000, 200]);
    expect(effects).toEqual([key]);
  });

  it("leaves it for later when a 429 says to wait longer than it may", async () => {
    fastly.next({ retryAfter: "600" });
    const error = await failureOf(() => purgerOf().purge([key]), fastly.token);
    expect(error.message).toMatch(/HTTP 429$/);
    expect(waits).toEqual([]);
  });

  it.each([
    ["500", "fail", /HTTP 500$/],
    ["a reset connection", "drop", /ECONNRESET$/],
    ["no answer", "hang", /no answer within 60 ms$/],
    ["an answer that does not end", "stall", /no answer within 60 ms$/],
    ["somebody else's page", "page", /HTTP 200 without Fastly's confirmation$/],
  ] as const)("tries again after %s, a bounded number of times", async (_what, behaviour, message) => {
    const purger = purgerOf({ timeoutMs: 60 });
    fastly.next(behaviour, "accept");
    await purger.purge([key]);
    expect(effects).toEqual([key]);

    fastly.always = behaviour;
    const error = await failureOf(() => purger.purge([key]), fastly.token);
    expect(error.message).toMatch(message);
    expect(fastly.purges).toHaveLength(2 + 3);
    expect(waits).toEqual([100, 100, 200]);
  });

  it("closes the connection of a request that it gave up", async () => {
    fastly.always = "hang";
    await failureOf(() => purgerOf({ timeoutMs: 60, retry: { attempts: 1 } }).purge([key]));
    await vi.waitFor(() => expect(Object.keys(https.globalAgent.sockets)).toEqual([]));
  });

  it("says that it cannot be reached", async () => {
    const gone = await startFakeFastly();
    await gone.close();
    const back = gone.attach();
    try {
      const error = await failureOf(() => purgerOf().purge([key]), fastly.token);
      expect(error.message).toMatch(/ECONNREFUSED$/);
      expect(waits).toEqual([100, 200]);
    } finally {
      back();
    }
  });

  it("has no more than its number of requests under way, and begins none after a refusal", async () => {
    const keys = Array.from({ length: 40 }, (_, i) => `public:package:p${i}`);
    await purgerOf({ concurrency: 4 }).purge(keys);
    expect(new Set(effects)).toEqual(new Set(keys));
    expect(fastly.mostAtOnce()).toBeLessThanOrEqual(4);
    fastly.purges.length = 0;
    fastly.always = "refuse";
    await failureOf(() => purgerOf({ concurrency: 4 }).purge(keys), fastly.token);
    expect(fastly.purges.length).toBeLessThanOrEqual(4);
  });

  it("cannot tell a lie from a purge, which is why the caller reads back", async () => {
    fastly.next("lie");
    await purgerOf().purge([key]);
    expect(effects).toEqual([]);
  });

  it("asks for the token each time, so that it can be replaced", async () => {
    const tokens = [fastly.token, "stale-token", fastly.token];
    const purger = purgerOf({ token: () => tokens.shift() ?? "" });
    await failureOf(() => purger.purge([key]));
    await purger.purge([key]);
  });

  it.each([
    ["a service id that would lead elsewhere", { serviceId: "a/../../b" }],
    ["no service id", { serviceId: "" }],
    ["a token with a line end", { token: () => "hidden-pw\r\nX: y" }],
    ["no token", { token: () => "" }],
  ])("is not made with %s", async (_what, options) => {
    const error = await failureOf(() => purgerOf(options), "hidden-pw");
    expect(error.code).toBe("config_invalid");
  });
});
