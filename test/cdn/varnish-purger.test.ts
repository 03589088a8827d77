/** The purger and the reader of the generator against a real varnishd. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createEdgeReader } from "../../generator/purge/edge-reader.ts";
import { createVarnishPurger, type VarnishOptions } from "../../generator/purge/varnish.ts";
import { packageName, repositoryName, trusted } from "../../hex/ids.ts";
import { objectKey, type RepositoryObject, type RepositoryRef, surrogateKey } from "../../hex/keys.ts";
import { listenOnLoopback } from "../support/loopback.ts";
import { requireTool } from "../support/tools.ts";
import { type RunningVarnish, startVarnish } from "../support/varnish.ts";
import { type Origin, startOrigin } from "./origin.ts";
import { failureOf } from "./secrecy.ts";

const repository: RepositoryRef = { name: trusted(repositoryName, "local"), public: true };
const plug: RepositoryObject = { kind: "package", package: trusted(packageName, "plug") };
const jason: RepositoryObject = { kind: "package", package: trusted(packageName, "jason") };
const plugKey = surrogateKey(repository, plug);
const token = "a-purge-token-91f3";

function purgerOf(url: string, options: Partial<VarnishOptions> = {}) {
  const waits: number[] = [];
  const wait = async (milliseconds: number) => void waits.push(milliseconds);
  const retry = { attempts: 3, wait, random: () => 0 };
  return { waits, purger: createVarnishPurger({ url, token: () => token, retry, ...options }) };
}

describe.runIf(requireTool("varnishd"))("the Varnish purger and the edge reader", () => {
  let origin: Origin;
  let varnish: RunningVarnish;

  beforeAll(async () => {
    origin = await startOrigin(repository);
    varnish = await startVarnish({ originPort: origin.port, token });
  });
  afterAll(async () => {
    await varnish?.stop();
    await origin?.down();
  });
  beforeEach(() => {
    origin.requests.length = 0;
  });

  const served = (object: RepositoryObject) =>
    createEdgeReader({ baseUrl: varnish.url, timeoutMs: 5_000 }).etag(objectKey(repository, object));

  it("makes readers see the new object, and only that one", async () => {
    const old = { plug: origin.put(plug, "old plug"), jason: origin.put(jason, "old jason") };
    expect([await served(plug), await served(jason)]).toEqual([old.plug, old.jason]);
    const fresh = origin.put(plug, "new plug");
    origin.put(jason, "new jason");
    expect(await served(plug)).toBe(old.plug);

    await purgerOf(varnish.url).purger.purge([plugKey]);

    expect([await served(plug), await served(jason)]).toEqual([fresh, old.jason]);
  });

  it("sees an object that is gone, and one that comes back", async () => {
    origin.put(plug, "to be reverted");
    await served(plug);
    origin.remove(plug);
    await purgerOf(varnish.url).purger.purge([plugKey]);
    expect(await served(plug)).toBeUndefined();
    const again = origin.put(plug, "published again");
    expect(await served(plug)).toBe(again);
  });

  it("purges hundreds of keys, however long, in several requests", async () => {
    origin.put(plug, "old");
    await served(plug);
    const fresh = origin.put(plug, "new");
    const keys = Array.from({ length: 600 }, (_, i) => `public:package:${"x".repeat(40)}_${i}`);
    await purgerOf(varnish.url).purger.purge([...keys, plugKey]);
    expect(await served(plug)).toBe(fresh);
  });

  it("is refused with another token, and does not insist", async () => {
    const { purger, waits } = purgerOf(varnish.url, { token: () => "another-token-77" });
    const error = await failureOf(() => purger.purge([plugKey]), "another-token-77");
    expect(error).toMatchObject({
      code: "purge_refused",
      message: `Varnish at ${varnish.url} refused to purge ${plugKey}: HTTP 401`,
    });
    expect(waits).toEqual([]);
  });

  it("asks for the token each time, so that it can be replaced", async () => {
    const tokens = [token, "stale-token", token];
    const { purger } = purgerOf(varnish.url, { token: () => tokens.shift() ?? "" });
    await failureOf(() => purger.purge([plugKey]));
    await purger.purge([plugKey]);
  });

  it("gives up after bounded retries while Varnish is down", async () => {
    const gone = await startVarnish({ originPort: origin.port, token });
    await gone.stop();
    const { purger, waits } = purgerOf(gone.url);
    const error = await failureOf(() => purger.purge([plugKey, "public:index"]), token);
    expect(error.code).toBe("purge_refused");
    expect(error.message).toBe(`Varnish at ${gone.url} refused to purge 2 keys: ECONNREFUSED`);
    expect(waits).toEqual([100, 200]);
    const reader = createEdgeReader({ baseUrl: gone.url, timeoutMs: 5_000 });
    expect(await failureOf(() => reader.etag("names"))).toMatchObject({ code: "store_unavailable" });
  });

  it("does not take another server's 200 for a purge", async () => {
    const { purger } = purgerOf(`http://127.0.0.1:${origin.port}`);
    origin.instead = (response) => void response.writeHead(200).end("welcome");
    const error = await failureOf(() => purger.purge([plugKey]), token);
    origin.instead = undefined;
    expect(error.message).toMatch(/HTTP 200 without Skep-Purged/);
    expect(origin.requests.map((request) => request.method)).toEqual(["PURGE"]);
  });
});

describe("the Varnish purger", () => {
  const seen: IncomingHttpHeaders[] = [];
  type Response = [status: number, headers: Record<string, string>];
  let respond = (_attempt: number): Response | "hang" => [200, {}];
  const server = createServer((request, response) => {
    seen.push(request.headers);
    const answer = respond(seen.length);
    if (answer !== "hang") response.writeHead(...answer).end();
  });
  let url = "";
  beforeAll(async () => {
    url = `http://127.0.0.1:${await listenOnLoopback(server)}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    seen.length = 0;
  });

  it("tries again after 503 and 429, and waits as long as it is told to", async () => {
    const answers: Response[] = [
      [503, {}],
      [429, { "retry-after": "3" }],
      [200, { "skep-purged": "1" }],
    ];
    respond = (attempt) => answers[attempt - 1] ?? [500, {}];
    const { purger, waits } = purgerOf(url);
    await purger.purge([plugKey]);
    expect(waits).toEqual([100, 3_000]);
  });

  it("leaves it for later when it is told to wait longer than it may", async () => {
    respond = () => [503, { "retry-after": "3600" }];
    const { purger, waits } = purgerOf(url);
    expect((await failureOf(() => purger.purge([plugKey]), token)).message).toMatch(/HTTP 503$/);
    expect(waits).toEqual([]);
  });

  it("waits for no answer longer than its timeout", async () => {
    respond = () => "hang";
    const { purger } = purgerOf(url, { timeoutMs: 50 });
    const error = await failureOf(() => purger.purge([plugKey]), token);
    expect(error.message).toMatch(/no answer in time$/);
    expect(seen).toHaveLength(3);
  });

  it("sends each key once, at most 256 and 4 KiB at a time, and nothing for no keys", async () => {
    respond = () => [200, { "skep-purged": "0" }];
    const { purger } = purgerOf(url);
    await purger.purge([]);
    expect(seen).toHaveLength(0);
    const keys = Array.from({ length: 700 }, (_, i) => `public:package:p${i}`);
    await purger.purge([...keys, ...keys]);
    const batches = seen.map((headers) => String(headers["surrogate-key"]));
    expect(batches.join(" ").split(" ")).toEqual(keys);
    for (const batch of batches) {
      expect(batch.length).toBeLessThanOrEqual(4_096);
      expect(batch.split(" ").length).toBeLessThanOrEqual(256);
    }
  });

  it("follows no redirect, which would take the token elsewhere", async () => {
    respond = () => [307, { location: `${url}/elsewhere` }];
    const error = await failureOf(() => purgerOf(url).purger.purge([plugKey]), token);
    expect(error.message).toMatch(/HTTP 307$/);
    expect(seen).toHaveLength(1);
  });

  it.each([
    ["a password in the URL", { url: "http://user:hidden-pw@127.0.0.1" }],
    ["another scheme", { url: "file:///hidden-pw" }],
    ["no URL", { url: "hidden-pw" }],
    ["a token with a line end", { url: "http://127.0.0.1", token: () => "hidden-pw\n" }],
    ["no token", { url: "http://127.0.0.1", token: () => "" }],
  ])("is not made with %s, and does not repeat it", async (_what, options) => {
    const error = await failureOf(() => createVarnishPurger({ token: () => token, ...options }), "hidden-pw");
    expect(error.code).toBe("config_invalid");
  });
});
