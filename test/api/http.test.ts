/** Formats, bodies, conditional requests, and what hostile clients send. */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeTerm } from "../../hex/etf/encode.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

let registry: TestRegistry;
let key: string;
const logged: string[] = [];
beforeAll(async () => {
  const keep = (fields: object, message: string) => logged.push(JSON.stringify(fields) + message);
  registry = await startRegistry({ log: { info: keep, warn: keep, error: keep } });
  key = await registry.key("ann");
  const body = new Uint8Array(packageTarball());
  expect(
    (await registry.request("/publish", { method: "POST", headers: { authorization: key }, body })).status,
  ).toBe(201);
});
afterAll(() => registry.stop());

const ERLANG = "application/vnd.hex+erlang";

describe("formats", () => {
  it.each([
    [undefined, "application/json; charset=utf-8"],
    ["*/*", "application/json; charset=utf-8"],
    ["application/vnd.hex+json", "application/json; charset=utf-8"],
    [ERLANG, `${ERLANG}; charset=utf-8`],
    [`text/html, ${ERLANG}`, `${ERLANG}; charset=utf-8`],
    [`application/json;q=0.5, ${ERLANG};q=0.9`, `${ERLANG}; charset=utf-8`],
  ])("%s", async (accept, type) => {
    const response = await registry.request("/packages/example", {
      headers: accept === undefined ? {} : { accept },
    });
    expect(response.headers.get("content-type")).toBe(type);
  });

  it("nothing that is supported: 406", async () => {
    const other = await registry.request("/packages/example", { headers: { accept: "constructor" } });
    expect(other.status).toBe(406);
    expect((await registry.request("/packages/example", { headers: { accept: "text/html" } })).status).toBe(
      406,
    );
  });
});

describe("bodies", () => {
  const send = (type: string, body: Uint8Array | string) =>
    registry.request("/keys", {
      method: "POST",
      headers: { authorization: key, "content-type": type },
      body: typeof body === "string" ? body : new Uint8Array(body),
    });

  it("a blank resource is a missing one", async () => {
    const bytes = encodeTerm({ name: "laptop", permissions: [{ domain: "api", resource: "" }] });
    const made = await send(ERLANG, bytes);
    expect(made.status).toBe(201);
    expect(await made.json()).toMatchObject({ permissions: [{ domain: "api", resource: null }] });
  });

  it.each<[string, string, Uint8Array | string]>([
    ["JSON that is none", "application/json", "{"],
    ["JSON that is not UTF-8", "application/json", Buffer.from([0x22, 0xff, 0x22])],
    ["JSON that is nested without end", "application/json", "[".repeat(100_000) + "]".repeat(100_000)],
    ["a NUL", "application/json", '{"name": "a\\u0000b"}'],
    ["a compressed term", ERLANG, Buffer.concat([Buffer.from([131, 80, 0, 0, 1, 0]), gzipSync("x")])],
    ["an unknown atom", ERLANG, Buffer.from([131, 119, 4, ...Buffer.from("evil")])],
    ["a function", ERLANG, Buffer.from([131, 113, 119, 1, 97, 119, 1, 98, 97, 1])],
    ["a list of four billion", ERLANG, Buffer.from([131, 108, 255, 255, 255, 255])],
    ["bytes behind the term", ERLANG, Buffer.concat([encodeTerm({}), Buffer.of(0)])],
    ["nothing but a version byte", ERLANG, Buffer.from([131])],
    ["half a character", "application/json", '{"name": "\\ud800"}'],
    ["more values than anybody sends", "application/json", `[${"{},".repeat(200_000)}{}]`],
    ["a form of more pairs than anybody sends", "application/x-www-form-urlencoded", "a&".repeat(200_000)],
    [
      "a term nested without end",
      ERLANG,
      Buffer.concat([
        Buffer.of(131),
        Buffer.from([108, 0, 0, 0, 1]),
        ...Array.from({ length: 50_000 }, () => Buffer.from([108, 0, 0, 0, 1])),
      ]),
    ],
  ])("%s: 400", async (_, type, body) => {
    const response = await send(type, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ status: 400, message: "Bad request" });
  });

  it.each<[string, unknown, object]>([
    ["no name", {}, { name: "can't be blank" }],
    [
      "permissions of another type",
      { name: "k", permissions: "api" },
      { permissions: "expected type list(map)" },
    ],
    ["null permissions", { name: "k", permissions: null }, { permissions: "expected type list(map)" }],
    [
      "an unknown domain",
      { name: "k", permissions: [{ domain: "x" }] },
      { permissions: { domain: "is invalid" } },
    ],
    [
      "no domain",
      { name: "k", permissions: [{ resource: "read" }] },
      { permissions: { domain: "can't be blank" } },
    ],
    [
      "an unknown resource",
      { name: "k", permissions: [{ domain: "api", resource: "all" }] },
      { permissions: { resource: "invalid resource for given domain" } },
    ],
    [
      "a resource where none belongs",
      { name: "k", permissions: [{ domain: "repositories", resource: "x" }] },
      { permissions: { resource: "invalid resource for given domain" } },
    ],
    [
      "somebody's repository",
      { name: "k", permissions: [{ domain: "repository", resource: "acme" }] },
      { permissions: { resource: "you do not have access to this repository" } },
    ],
    [
      "somebody's package",
      { name: "k", permissions: [{ domain: "package", resource: "nothing" }] },
      { permissions: { resource: "you do not have access to this package" } },
    ],
    [
      "an end in the past",
      { name: "k", revoke_at: "2020-01-01T00:00:00Z" },
      { revoke_at: "must be in the future" },
    ],
    ["a list in place of a map", ["x"], { name: "can't be blank" }],
    ["__proto__", JSON.parse('{"__proto__": {"name": "x"}}'), { name: "can't be blank" }],
  ])("%s: 422", async (_, body, errors) => {
    const response = await send("application/json", JSON.stringify(body));
    expect(await response.json()).toEqual({ status: 422, message: "Validation error(s)", errors });
  });

  it("a type that is called like what every object has is one that is not parsed", async () => {
    for (const type of ["constructor", "toString", "__proto__"]) {
      const response = await send(type, "x".repeat(1_000_000));
      expect(await response.json()).toMatchObject({ errors: { name: "can't be blank" } });
    }
  });

  it("a method override where no POST of its own is, and only in the body", async () => {
    const post = (path: string, body: object) =>
      registry.request(path, {
        method: "POST",
        headers: { authorization: key, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    await registry.user("bob");
    expect((await post("/packages/example/owners/bob", { _method: "PUT", level: "maintainer" })).status).toBe(
      204,
    );
    expect((await post("/packages/example/owners/bob?_method=DELETE", {})).status).toBe(404);
    expect((await post("/packages/example/owners/bob", { _method: "DELETE" })).status).toBe(204);
    expect((await post("/packages/example/owners/bob", { _method: "GET" })).status).toBe(404);
  });

  it("a method override", async () => {
    const response = await registry.request("/packages/example/releases/1.0.0/retire", {
      method: "POST",
      headers: { authorization: key, "content-type": "application/json" },
      body: JSON.stringify({ _method: "DELETE" }),
    });
    expect(response.status).toBe(204);
  });
});

describe("requests", () => {
  it("without a User-Agent: 400", async () => {
    const response = await registry.request("/packages", { headers: { "user-agent": "" } });
    expect(await response.json()).toEqual({ status: 400, message: "User-Agent header is required" });
  });

  it("conditional: an ETag of 32 digits without quotes, 304, and another one after a change", async () => {
    const first = await registry.request("/packages/example");
    const etag = first.headers.get("etag") ?? "";
    expect(etag).toMatch(/^[0-9a-f]{32}$/);
    expect(first.headers.get("cache-control")).toBe("public, max-age=60");
    for (const list of [etag, `abc, ${etag}`, "*"]) {
      const again = await registry.request("/packages/example", { headers: { "if-none-match": list } });
      expect([again.status, await again.text(), again.headers.get("cache-control")]).toEqual([304, "", null]);
    }
    // Byte for byte: a quoted one is another.
    const quoted = await registry.request("/packages/example", { headers: { "if-none-match": `"${etag}"` } });
    expect(quoted.status).toBe(200);
    await registry.request("/packages/example/retire", {
      method: "POST",
      headers: { authorization: key, "content-type": "application/json" },
      body: JSON.stringify({ reason: "other" }),
    });
    const changed = await registry.request("/packages/example", { headers: { "if-none-match": etag } });
    expect(changed.status).toBe(200);
    expect(changed.headers.get("etag")).not.toBe(etag);
  });

  it.each(["/packages/example", "/packages/example/releases/1.0.0", "/users/ann"])(
    "conditional: %s by the time of its last change",
    async (path) => {
      const first = await registry.request(path);
      const modified = first.headers.get("last-modified") ?? "";
      expect(new Date(modified).toUTCString()).toBe(modified);
      const etag = first.headers.get("etag") ?? "";
      const earlier = new Date(Date.parse(modified) - 1_000).toUTCString();
      const statusWith = async (headers: Record<string, string>) =>
        (await registry.request(path, { headers })).status;
      expect(await statusWith({ "if-modified-since": modified })).toBe(304);
      expect(await statusWith({ "if-modified-since": earlier })).toBe(200);
      expect(await statusWith({ "if-modified-since": "yesterday" })).toBe(200);
      expect(await statusWith({ "if-modified-since": modified, "if-none-match": etag })).toBe(304);
      // Neither may say that it changed.
      expect(await statusWith({ "if-modified-since": earlier, "if-none-match": etag })).toBe(200);
      expect(await statusWith({ "if-modified-since": modified, "if-none-match": "other" })).toBe(200);
    },
  );

  it("a version that is none: 400 before anything else", async () => {
    for (const [path, method] of [
      ["/packages/nothing/releases/1.0", "GET"],
      ["/packages/nothing/releases/1.0", "DELETE"],
      ["/packages/nothing/releases/1.0/docs", "POST"],
    ] as const) {
      expect(await (await registry.request(path, { method })).json()).toMatchObject({
        status: 400,
        message: "invalid version: 1.0",
      });
    }
  });

  it("search, sort and pages", async () => {
    const names = async (query: string) =>
      ((await (await registry.request(`/packages?${query}`)).json()) as { name: string }[]).map(
        ({ name }) => name,
      );
    expect(await names("search=exam")).toEqual(["example"]);
    expect(await names("search=name:exam*")).toEqual(["example"]);
    expect(await names("search=name:nothing")).toEqual([]);
    expect(await names("search=%25")).toEqual([]);
    expect(await names("page=2")).toEqual([]);
    expect(await names("per_page=-1&page=0&sort=unknown")).toEqual(["example"]);
  });
});

describe("auth", () => {
  it.each([
    ["domain=api", 200],
    ["domain=api&resource=read", 200],
    ["domain=api&resource=", 200],
    ["domain=repositories", 401],
    ["domain=repository&resource=acme", 401],
    ["domain=package", 401],
    ["", 400],
  ])("%s: %d", async (query, status) => {
    const response = await registry.request(`/auth?${query}`, { headers: { authorization: key } });
    expect(response.status).toBe(status);
    if (status === 200) {
      expect(await response.json()).toEqual({
        key: { name: expect.any(String), owner: { type: "user", name: "ann" } },
      });
    }
  });
});

describe("keys", () => {
  it("get a suffix, never the same one, and are refused once revoked", async () => {
    const make = async () => {
      const response = await registry.request("/keys", {
        method: "POST",
        headers: { authorization: key, "content-type": "application/json" },
        body: JSON.stringify({ name: "same" }),
      });
      return (await response.json()) as { name: string; secret: string };
    };
    const made = await Promise.all([make(), make(), make(), make()]);
    expect(made.map(({ name }) => name).sort()).toEqual(["same", "same-2", "same-3", "same-4"]);
    const own = made[0];
    const as = { headers: { authorization: own?.secret ?? "" } };
    const removed = await registry.request(`/keys/${own?.name}`, { method: "DELETE", ...as });
    expect(await removed.json()).toMatchObject({
      authing_key: true,
      secret: null,
      revoke_at: expect.any(String),
    });
    expect(await (await registry.request("/keys", as)).json()).toMatchObject({
      status: 401,
      message: "API key revoked",
    });
  });
});

it("a NUL in a login is a wrong credential", async () => {
  const authorization = `Basic ${Buffer.from("an\0n:password").toString("base64")}`;
  const response = await registry.request("/users/me", { headers: { authorization } });
  expect(await response.json()).toMatchObject({ status: 401, message: "invalid authentication information" });
});

it("a description that is too long to index fails no search", async () => {
  const description = Array.from({ length: 120_000 }, (_, index) => index.toString(36).padStart(5, "w")).join(
    " ",
  );
  const body = new Uint8Array(packageTarball({ metadata: { name: "wordy", description } }));
  expect(
    (await registry.request("/publish", { method: "POST", headers: { authorization: key }, body })).status,
  ).toBe(201);
  expect((await registry.request("/packages?search=anything")).status).toBe(200);
});

describe("accounts", () => {
  it.each<[string, object, object]>([
    ["a short name", { username: "ab" }, { username: "should be at least 3 character(s)" }],
    [
      "a name that is taken",
      { username: "ann", email: "x@example.com" },
      { username: "has already been taken" },
    ],
    ["a name that is ours", { username: "hexpm" }, { username: "is reserved" }],
    ["a short password", { password: "short" }, { password: "should be at least 8 character(s)" }],
    [
      "another confirmation",
      { password_confirmation: "other" },
      { password_confirmation: "does not match password" },
    ],
    ["no address", { email: null }, { emails: "can't be blank" }],
    ["no real address", { email: "nowhere" }, { emails: { email: "has invalid format" } }],
    [
      "an address that is slow to match",
      { email: `a@${".".repeat(500_000)}@` },
      { emails: { email: "has invalid format" } },
    ],
    ["an address with two @", { email: "a@b@c.de" }, { emails: { email: "has invalid format" } }],
    ["an address without a host", { email: "a@.de" }, { emails: { email: "has invalid format" } }],
    [
      "a name without end",
      { full_name: "n".repeat(300) },
      { full_name: "should be at most 255 character(s)" },
    ],
    ["somebody's address", { email: "ann@example.com" }, { emails: { email: "already in use" } }],
  ])("%s: 422", async (_, fields, errors) => {
    const account = {
      username: "newcomer",
      password: "long enough",
      email: "newcomer@example.com",
      ...fields,
    };
    const response = await registry.request("/users", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(account),
    });
    expect(await response.json()).toEqual({ status: 422, message: "Validation error(s)", errors });
  });
});

it("logs no secret", async () => {
  await registry.request("/users/me", {
    headers: { authorization: `Basic ${Buffer.from("ann:password").toString("base64")}` },
  });
  const all = logged.join("\n");
  expect(all).toContain("request");
  expect(all).not.toContain(key);
  expect(all).not.toContain("password");
});
