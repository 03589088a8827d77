/** 1.7: the block list, rate limits and their order; guesses of passwords. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Principal } from "../../api/auth/principal.ts";
import { networkList, networkOf, plainAddress } from "../../api/limits/address.ts";
import { Admission } from "../../api/limits/admission.ts";
import { PostgresCounters } from "../../api/limits/counters.ts";
import { limitFailures } from "../../api/limits/failures.ts";
import { micros } from "../../schemas/time.ts";
import type { Sql } from "../../store/postgres/pool.ts";
import { forgetHits } from "../../store/queries/counters.ts";
import { blockNetwork, unblockNetwork } from "../../store/queries/operations.ts";
import { SETTINGS } from "../support/api-settings.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

let registry: TestRegistry;
let sql: Sql;
let now = new Date("2030-01-01T00:00:10.000Z");
const WINDOW_END = "1893456060";
const LIMITS = { account: 3, address: 2, signInFailures: 3 };
beforeAll(async () => {
  registry = await startRegistry({
    generator: false,
    clock: () => now,
    settings: { limits: LIMITS, trustedProxies: 1, trustedNetworks: ["192.0.2.0/24", "2001:db8:cd::/48"] },
  });
  sql = registry.database.pool({ role: "skep_api", max: 8 });
});
afterAll(() => registry.stop());
beforeEach(async () => {
  await sql`delete from counters`;
  await sql`delete from blocked_addresses`;
  await registry.blockList.refresh();
  // A window of its own for each test.
  now = new Date(now.getTime() + 3_600_000);
});

const from = (
  address: string,
  headers: Record<string, string> = {},
  path = "/packages",
  init: RequestInit = {},
) => registry.request(path, { ...init, headers: { "x-forwarded-for": address, ...headers } });
const statuses = (answers: readonly Response[]) => answers.map(({ status }) => status);
const limitHeaders = ({ headers }: Response) =>
  ["limit", "remaining", "reset"].map((name) => headers.get(`x-ratelimit-${name}`));
async function block(network: string): Promise<void> {
  await sql.begin((tx) => blockNetwork(tx, network, null));
  await registry.blockList.refresh();
}

describe("requests without a credential", () => {
  it("are counted by address, in windows on the clock, whatever their status", async () => {
    now = new Date("2030-01-01T00:00:10.000Z");
    const first = await from("198.51.100.1");
    expect(limitHeaders(first)).toEqual(["2", "1", WINDOW_END]);
    const missing = await from("198.51.100.1", {}, "/packages/nothing");
    expect([missing.status, ...limitHeaders(missing)]).toEqual([404, "2", "0", WINDOW_END]);
    const refused = await from("198.51.100.1");
    expect(limitHeaders(refused)).toEqual(["2", "0", WINDOW_END]);
    expect(await refused.json()).toEqual({
      status: 429,
      message: "API rate limit exceeded for IP 198.51.100.1",
    });
    expect((await from("198.51.100.2")).status).toBe(200);
    now = new Date("2030-01-01T00:01:00.000Z");
    expect((await from("198.51.100.1")).status).toBe(200);
  });

  it("a 304 is counted, too", async () => {
    const first = await from("198.51.100.1");
    const again = await from("198.51.100.1", { "if-none-match": first.headers.get("etag") ?? "" });
    expect([again.status, again.headers.get("x-ratelimit-remaining")]).toEqual([304, "0"]);
  });

  it("of IPv6, a /64 is one client", async () => {
    const answers = [
      await from("2001:db8::1"),
      await from("2001:db8::2"),
      await from("2001:db8:0:0:ffff::3"),
    ];
    expect(statuses(answers)).toEqual([200, 200, 429]);
    expect(await answers[2]?.json()).toMatchObject({
      message: "API rate limit exceeded for IP 2001:db8:0:0:ffff::3",
    });
    expect((await from("2001:db8:0:1::1")).status).toBe(200);
  });

  it("the index without its slash is not counted", async () => {
    const bare = await fetch(`${registry.url}/api`, {
      headers: { "user-agent": "test", "x-forwarded-for": "198.51.100.1" },
    });
    expect([bare.status, bare.headers.get("x-ratelimit-limit")]).toEqual([200, null]);
  });
});

describe("requests with one", () => {
  it("are counted by user, wherever they come from, and apart from the addresses", async () => {
    const authorization = await registry.key("ann");
    const id = await registry.user("ann");
    await from("198.51.100.1");
    const addresses = ["198.51.100.1", "198.51.100.2", "198.51.100.3", "198.51.100.4"];
    const answers: Response[] = [];
    for (const address of addresses) answers.push(await from(address, { authorization }));
    expect(statuses(answers)).toEqual([200, 200, 200, 429]);
    expect(await answers[3]?.json()).toMatchObject({ message: `API rate limit exceeded for user ${id}` });
    expect((await from("198.51.100.1")).headers.get("x-ratelimit-remaining")).toBe("0");
  });

  it("that is wrong: 401 before any limit, and without its headers", async () => {
    for (let count = 0; count < 4; count += 1) {
      const answer = await from("198.51.100.1", { authorization: "0".repeat(32) });
      expect([answer.status, ...limitHeaders(answer)]).toEqual([401, null, null, null]);
    }
  });

  it("of a service account are not counted", async () => {
    const authorization = await registry.key("robot");
    await sql`update users set service = true where username = 'robot'`;
    const answer = await from("198.51.100.1", { authorization });
    expect([answer.status, ...limitHeaders(answer)]).toEqual([200, null, null, null]);
  });

  it("of an organization are counted by organization", async () => {
    const counters = new PostgresCounters(sql, () => now);
    const admission = new Admission({
      counters,
      blockList: registry.blockList,
      settings: {
        ...SETTINGS,
        limits: LIMITS,
        publicUrl: registry.url,
        repositoryUrl: registry.url,
      },
    });
    const principal: Principal = {
      kind: "organization",
      organization: {
        id: 7,
        name: "acme",
        billingActive: true,
        seats: null,
        accountId: null,
        insertedAt: micros(0),
        updatedAt: micros(0),
      },
      credential: { kind: "oauth", scopes: [], sessionId: 1 },
    };
    for (let count = 0; count < 3; count += 1) await admission.admit(principal, "198.51.100.1");
    await expect(admission.admit(principal, "198.51.100.2")).rejects.toMatchObject({
      status: 429,
      text: "API rate limit exceeded for organization 7",
    });
  });
});

describe("the order of the rules", () => {
  it.each([
    ["198.51.100.9", "198.51.100.9"],
    ["198.51.100.0/24", "198.51.100.77"],
    ["2001:db8::/32", "2001:db8:1::5"],
  ])("%s blocks %s: 403, with or without a credential, and without counting", async (network, address) => {
    await block(network);
    const answer = await from(address);
    expect([answer.status, ...limitHeaders(answer)]).toEqual([403, null, null, null]);
    expect(await answer.json()).toEqual({ status: 403, message: "Blocked" });
    expect((await from(address, { authorization: await registry.key("ann") })).status).toBe(403);
    expect((await from("203.0.113.1")).status).toBe(200);
    await sql.begin((tx) => unblockNetwork(tx, network));
    await registry.blockList.refresh();
    expect((await from(address)).status).toBe(200);
  });

  it("a bad credential is told before a block", async () => {
    await block("198.51.100.9");
    expect((await from("198.51.100.9", { authorization: "0".repeat(32) })).status).toBe(401);
  });

  it.each(["127.0.0.1", "::1", "192.0.2.77", "2001:db8:cd::1"])(
    "%s, loopback or CDN, is neither blocked nor limited",
    async (address) => {
      await block(address);
      const answers = [];
      for (let count = 0; count < 4; count += 1) answers.push(await from(address));
      expect(statuses(answers)).toEqual([200, 200, 200, 200]);
      expect(answers[0]?.headers.get("x-ratelimit-limit")).toBeNull();
    },
  );

  it("a loopback peer is limited where nobody has said how many proxies are in front", () => {
    const deps = { counters: new PostgresCounters(sql, () => now), blockList: registry.blockList };
    const settings = { ...SETTINGS, publicUrl: registry.url, repositoryUrl: registry.url };
    expect(new Admission({ ...deps, settings }).isTrusted("127.0.0.1")).toBe(false);
    expect(new Admission({ ...deps, settings: { ...settings, trustedProxies: 1 } }).isTrusted("::1")).toBe(
      true,
    );
  });
});

describe("counters", () => {
  it("hold over several processes, and over requests that come at once", async () => {
    const processes = [1, 2, 3].map(() => new PostgresCounters(sql, () => now));
    const states = await Promise.all(
      Array.from({ length: 60 }, (_, index) => processes[index % 3]?.hit("many", 25, 60_000)),
    );
    expect(states.filter((state) => state?.allowed)).toHaveLength(25);
    expect((await processes[0]?.peek("many", 25, 60_000))?.allowed).toBe(false);
  });

  it("give each of several at once its own number", async () => {
    const counters = new PostgresCounters(sql, () => now);
    const states = await Promise.all(Array.from({ length: 10 }, () => counters.hit("own", 10, 60_000)));
    expect(states.map(({ remaining }) => remaining).sort((a, b) => a - b)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
    ]);
  });

  it("peek counts nothing", async () => {
    const counters = new PostgresCounters(sql, () => now);
    await counters.hit("looked at", 2, 60_000);
    for (let count = 0; count < 3; count += 1) {
      expect(await counters.peek("looked at", 2, 60_000)).toMatchObject({ allowed: true, remaining: 1 });
    }
    expect(await counters.hit("looked at", 2, 60_000)).toMatchObject({ allowed: true, remaining: 0 });
    expect(await counters.peek("looked at", 2, 60_000)).toMatchObject({ allowed: false, remaining: 0 });
  });

  it("forget windows that are over, and go on after that", async () => {
    const counters = new PostgresCounters(sql, () => new Date("2020-01-01T00:00:00Z"));
    await counters.hit("old", 2, 60_000);
    await new PostgresCounters(sql, () => new Date("2040-01-01T00:00:00Z")).hit("new", 2, 60_000);
    await forgetHits(sql);
    expect(await sql`select bucket from counters`).toEqual([{ bucket: "new" }]);
  });

  it("a statement that fails fails those who waited for it, and no others", async () => {
    const other = registry.database.pool({ role: "skep_api", max: 1 });
    const counters = new PostgresCounters(other, () => now);
    await registry.database.sql`alter table counters rename to counters_away`;
    await expect(counters.hit("broken", 2, 60_000)).rejects.toThrow("counters");
    await registry.database.sql`alter table counters_away rename to counters`;
    expect(await counters.hit("broken", 2, 60_000)).toMatchObject({ allowed: true, remaining: 1 });
  });
});

describe("passwords", () => {
  const guess = (address: string, password: string, username = "ann") =>
    from(address, { authorization: `Basic ${btoa(`${username}:${password}`)}` }, "/users/me");

  it("an address has a few guesses in a quarter of an hour, for all accounts together", async () => {
    await registry.user("ann");
    const answers = [await guess("198.51.100.1", "a"), await guess("198.51.100.1", "b", "nobody")];
    answers.push(await guess("198.51.100.1", "password"), await guess("198.51.100.1", "c"));
    expect(statuses(answers)).toEqual([401, 401, 200, 401]);
    // The right one, too: else the answer would tell which one it is.
    const refused = await guess("198.51.100.1", "password");
    expect(await refused.json()).toEqual({
      status: 429,
      message: "Too many failed sign-in attempts. Please try again later.",
    });
    expect(refused.headers.get("www-authenticate")).toBeNull();
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await guess("198.51.100.2", "password")).status).toBe(200);
    now = new Date(now.getTime() + 900_000);
    expect((await guess("198.51.100.1", "password")).status).toBe(200);
  });

  it("guesses made at once are not more", async () => {
    await registry.user("ann");
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => guess("198.51.100.5", `${index}`)),
    );
    expect(statuses(answers).sort()).toEqual([401, 401, 401, 429, 429, 429, 429, 429]);
  });

  it("two processes that both look before either counts do not both tell that theirs is wrong", async () => {
    const limits = [{ bucket: "raced", limit: 3, periodMilliseconds: 60_000 }];
    const processes = [1, 2].map(() => ({
      clock: () => now,
      counters: new PostgresCounters(sql, () => now),
    }));
    for (let count = 0; count < 2; count += 1) await processes[0]?.counters.hit("raced", 3, 60_000);
    let inside = 0;
    let open: (() => void) | undefined;
    const both = new Promise<void>((resolve) => {
      open = resolve;
    });
    const wrong = async () => {
      inside += 1;
      if (inside === 2) open?.();
      await both;
      return undefined;
    };
    const told = await Promise.all(
      processes.map((deps) =>
        limitFailures(deps, limits, wrong, "Too many").then(
          () => "wrong",
          (error) => error.status,
        ),
      ),
    );
    expect(told.sort()).toEqual([429, "wrong"]);
  });
});

it.each([
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::FFFF:192.0.2.1", "192.0.2.1"],
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:999.0.2.1", "::ffff:999.0.2.1"],
])("plainAddress(%s) is %s", (address, plain) => {
  expect(plainAddress(address)).toBe(plain);
});

it.each([
  ["192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:0db8::1", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
])("networkOf(%s) is %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});

it.each([
  ["10.0.0.0/8", "10.255.0.1", true],
  ["10.0.0.0/8", "11.0.0.1", false],
  ["10.0.0.1", "10.0.0.1", true],
  ["::/0", "10.0.0.1", false],
  ["2001:db8::/32", "2001:db8::1%eth0", true],
  ["10.0.0.0/8", "no address", false],
])("a list of %s has %s: %s", (network, address, expected) => {
  expect(networkList([network]).has(address)).toBe(expected);
});
