/** Sections 1, 3, 6 and 7: what holds for every route, and the shapes of answers that no other file looks at. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Route } from "../../api/route.ts";
import { ROUTES } from "../../api/routes.ts";
import { decodeTerm } from "../../hex/etf/decode.ts";
import { encodeTerm } from "../../hex/etf/encode.ts";
import { apiClient, basic, type Client } from "../support/api-client.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

const ERLANG = "application/vnd.hex+erlang";

let registry: TestRegistry;
let call: Client;
let ann: string;

beforeAll(async () => {
  registry = await startRegistry();
  call = apiClient(registry);
  ann = await registry.key("ann");
  await registry.organization("acme", { ann: "admin", bob: "read" });
  for (const path of ["/publish", "/repos/acme/publish"]) {
    expect((await call("POST", path, { as: ann, body: packageTarball() })).status).toBe(201);
  }
  const docs = "/packages/example/releases/1.0.0/docs";
  const { gzipSync } = await import("node:zlib");
  expect((await call("POST", docs, { as: ann, body: gzipSync(Buffer.alloc(1_024)) })).status).toBe(201);
  expect((await call("POST", "/keys", { as: ann, body: { name: "laptop" } })).status).toBe(201);
  const organizationKey = { as: ann, body: { name: "ci" } };
  expect((await call("POST", "/orgs/acme/keys", organizationKey)).status).toBe(201);
});
afterAll(() => registry.stop());

/** Every GET of the route table, about something that is there. */
const READS: readonly (readonly [path: string, route: Route])[] = ROUTES.filter(
  ({ method }) => method === "GET",
).map((route) => [pathOf(route), route] as const);

function pathOf({ path }: Route): string {
  const name = path.startsWith("/users") || path.includes("/members") ? "ann" : "example";
  const key = path.startsWith("/keys") ? "laptop" : "ci";
  const filled = path
    .replace(":organization", "acme")
    .replace(":repository", "acme")
    .replace("keys/:name", `keys/${key}`)
    .replace(":name", name)
    .replace(":version", "1.0.0")
    .replace(":user", "ann");
  return filled === "/auth" ? "/auth?domain=api" : filled;
}

describe.each(READS)("GET %s", (path, route) => {
  it("1.1: HEAD is the same without a body", async () => {
    const get = await call("GET", path, { as: ann });
    const head = await call("HEAD", path, { as: ann });
    expect([200, 302]).toContain(get.status);
    expect([head.status, head.bytes.length]).toEqual([get.status, 0]);
    const shown = (headers: Headers) =>
      Object.fromEntries([...headers].filter(([name]) => !["x-request-id", "content-length"].includes(name)));
    expect(shown(head.headers)).toEqual(shown(get.headers));
  });

  it("1.2: in Erlang terms it is the same, with whole seconds", async () => {
    const json = await call("GET", path, { as: ann });
    const erlang = await call("GET", path, { as: ann, headers: { accept: ERLANG } });
    const overridden = await call("GET", `${path}${path.includes("?") ? "&" : "?"}_format=erlang`, {
      as: ann,
    });
    expect(erlang.status).toBe(json.status);
    if (json.body === undefined) return;
    const whole = JSON.stringify(json.body).replace(/(T\d\d:\d\d:\d\d)\.\d{6}Z"/g, '$1Z"');
    for (const { bytes, headers } of [erlang, overridden]) {
      expect(headers.get("content-type")).toBe(`${ERLANG}; charset=utf-8`);
      expect(plain(decodeTerm(bytes))).toEqual(plain(JSON.parse(whole)));
    }
  });

  it("6: carries the cache headers of its row", async () => {
    const { headers, status } = await call("GET", path, { as: ann });
    expect(headers.get("vary")).toBe("accept, accept-encoding");
    const etag = headers.get("etag");
    if (!route.conditional) expect([etag, headers.get("last-modified")]).toEqual([null, null]);
    else {
      expect(etag).toMatch(/^[0-9a-f]{32}$/);
      const lists = ["/packages", "/repos"];
      expect(headers.get("last-modified") === null).toBe(lists.includes(path));
      const again = await call("GET", path, { as: ann, headers: { "if-none-match": etag ?? "" } });
      expect([again.status, again.bytes.length, again.headers.get("cache-control")]).toEqual([304, 0, null]);
    }
    const uncached =
      ["/", "/auth?domain=api"].includes(path) || path.endsWith("audit-logs") || status === 302;
    expect(headers.get("cache-control") === null).toBe(uncached);
  });
});

/** Without prototypes, and with the order of keys forgotten. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

describe("every error in Erlang terms", () => {
  it.each(
    ROUTES.filter(({ method, upload }) => method !== "GET" && !upload).map((route) => [
      route.method,
      pathOf(route),
    ]),
  )("1.2: %s %s", async (method, path) => {
    const response = await registry.request(path, {
      method,
      headers: { accept: ERLANG, "content-type": ERLANG, authorization: "0".repeat(32) },
      body: new Uint8Array(encodeTerm({})),
    });
    expect(decodeTerm(new Uint8Array(await response.arrayBuffer()))).toEqual({
      status: 401,
      message: "invalid API key",
    });
  });
});

describe("1.1: parameters", () => {
  it("later ones win: query, then body, then path", async () => {
    const retired = async (query: string, body: object) => {
      const sent = { as: ann, body };
      expect((await call("POST", `/packages/example/releases/1.0.0/retire?${query}`, sent)).status).toBe(204);
      return (await call("GET", "/packages/example/releases/1.0.0")).body.retirement;
    };
    expect(await retired("reason=other", {})).toEqual({ reason: "other", message: null });
    expect(await retired("reason=other", { reason: "renamed" })).toEqual({
      reason: "renamed",
      message: null,
    });
    expect(await retired("reason=other", { reason: "renamed", name: "nothing", version: "x" })).toMatchObject(
      {
        reason: "renamed",
      },
    );
    await call("DELETE", "/packages/example/releases/1.0.0/retire", { as: ann });
  });

  it("a repository in the query or the body counts as one in the path, with its authorization", async () => {
    const { body } = await call("GET", "/packages/example?repository=acme", { as: ann });
    expect(body.repository).toBe("acme");
    const stranger = await registry.key("stranger");
    for (const as of [undefined, stranger]) {
      expect((await call("GET", "/packages/example?repository=acme", { as })).status).toBe(404);
      expect((await call("GET", "/packages?repository=acme", { as })).status).toBe(404);
    }
    const { body: list } = await call("GET", "/packages?repository=acme", { as: ann });
    expect(list.map(({ repository }: { repository: string }) => repository)).toEqual(["acme"]);
    const retire = { reason: "other", repository: "acme" };
    expect((await call("POST", "/packages/example/retire", { as: stranger, body: retire })).status).toBe(404);
    expect((await call("POST", "/packages/example/retire", { as: ann, body: retire })).status).toBe(204);
    const retirements = async (path: string) => (await call("GET", path, { as: ann })).body.retirements;
    expect(await retirements("/repos/acme/packages/example")).toHaveProperty(["1.0.0"]);
    expect(await retirements("/packages/example")).toEqual({});
    // The path wins.
    expect((await call("GET", "/repos/local/packages/example?repository=acme")).body.repository).toBe(
      "local",
    );
  });

  it("a blank repository is an unknown one: nothing private is published in public", async () => {
    const body = packageTarball({ metadata: { name: "secret_plans" } });
    for (const path of ["/publish?repository=", "/publish?repository=%20"]) {
      expect((await call("POST", path, { as: ann, body })).status).toBe(404);
    }
    expect((await call("GET", "/packages?repository=", { as: ann })).status).toBe(404);
    const retire = { reason: "other", repository: 5 };
    expect((await call("POST", "/packages/example/retire", { as: ann, body: retire })).status).toBe(404);
    expect((await call("GET", "/packages/secret_plans")).status).toBe(404);
  });

  it.each([
    "/packages?_format=%ff",
    "/packages?search=%ff%",
    "/packages/%ff",
    "/users/%E2%28",
    "/packages?%",
  ])("%s, which is no UTF-8, is no error of ours", async (path) => {
    const { status, headers } = await call("GET", path);
    expect(status).toBeLessThan(500);
    expect(headers.get("x-request-id")).not.toBeNull();
  });

  it.each(["/packages/a%00b", "/packages?search=%00", "/users/a%00b", "/repos/a%00/packages/example"])(
    "%s: 400",
    async (path) => {
      expect((await call("GET", path)).body).toEqual({ status: 400, message: "Bad request" });
    },
  );
});

describe("1.1: a method in the body", () => {
  const EXAMPLE = "/packages/example/owners/bob";

  it.each([
    ["application/json", JSON.stringify({ _method: "put", level: "maintainer" }), 204],
    ["application/x-www-form-urlencoded", "_method=DELETE", 204],
    [ERLANG, encodeTerm({ _method: "PUT", level: "maintainer" }), 204],
    ["application/json", JSON.stringify({ _method: "DELETE" }), 204],
    ["application/json", JSON.stringify({ _method: 5 }), 404],
    ["text/plain", "_method=PUT", 404],
  ])("%s", async (type, body, status) => {
    const response = await registry.request(EXAMPLE, {
      method: "POST",
      headers: { authorization: ann, "content-type": type },
      body: typeof body === "string" ? body : new Uint8Array(body),
    });
    expect(response.status).toBe(status);
  });

  it("is one that changes something, or none", async () => {
    const post = async (path: string, _method: string) =>
      (await call("POST", path, { as: ann, body: { _method, name: "made" } })).status;
    // To read would be a change that is not made.
    for (const method of ["GET", "HEAD", "POST", "OPTIONS"]) expect(await post("/keys", method)).toBe(201);
    for (const method of ["PATCH", "PUT"]) expect(await post("/keys", method)).toBe(404);
    expect(await post("/keys/made", "GET")).toBe(404);
    expect(await post("/keys/made", "delete")).toBe(200);
  });

  it("counts only in a POST", async () => {
    const body = { _method: "DELETE", level: "maintainer" };
    expect((await call("PUT", EXAMPLE, { as: ann, body })).status).toBe(204);
    expect((await call("GET", EXAMPLE)).status).toBe(200);
  });
});

describe("1.1: unknown paths and methods", () => {
  it.each([
    ["GET", "/nothing"],
    ["PATCH", "/packages/example"],
    ["PUT", "/packages/example"],
    ["DELETE", "/users/ann"],
    ["OPTIONS", "/packages"],
    ["POST", "/users/ann/reset"],
    ["GET", "/orgs/ACME"],
    ["GET", "/repos/ACME"],
    ["GET", "/packages/Example"],
  ])("%s %s: 404", async (method, path) => {
    const { status, body, headers } = await call(method, path, { as: ann });
    expect([status, body]).toEqual([404, { status: 404, message: "Page not found" }]);
    expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("as HTML for who accepts nothing else, and in Erlang terms", async () => {
    const html = await call("GET", "/nothing", { headers: { accept: "text/html" } });
    expect([html.status, html.headers.get("content-type")]).toEqual([404, "text/html; charset=utf-8"]);
    const term = await call("GET", "/nothing", { headers: { accept: ERLANG } });
    expect(decodeTerm(term.bytes)).toEqual({ status: 404, message: "Page not found" });
  });
});

describe("1.4: an error without a text has null for one", () => {
  it("406", async () => {
    const { status, body } = await call("GET", "/packages", { headers: { accept: "text/html" } });
    expect([status, body]).toEqual([406, { status: 406, message: null }]);
  });
});

describe("1.5: headers", () => {
  it("CORS on answers of the API, errors included, and not on uploads", async () => {
    const origin = (method: string, path: string) =>
      call(method, path, { headers: { origin: "https://example.com" } }).then(({ headers }) =>
        headers.get("access-control-allow-origin"),
      );
    expect(await origin("GET", "/packages")).toBe("*");
    expect(await origin("GET", "/packages/nothing")).toBe("*");
    expect(await origin("POST", "/publish")).toBeNull();
    expect((await call("GET", "/packages")).headers.get("access-control-allow-origin")).toBeNull();
  });
});

describe("1.6: pages", () => {
  it.each(["page=0", "page=-1", "page=x", "page=", "page=1.5", "per_page=0", "per_page=-5", "per_page=1000"])(
    "%s is the first one",
    async (query) => {
      expect((await call("GET", `/packages?${query}`)).body).toHaveLength(1);
    },
  );

  it("an empty list is the end, with no header of its own", async () => {
    const { body, headers } = await call("GET", "/packages?page=2");
    expect(body).toEqual([]);
    expect(headers.get("link")).toBeNull();
    for (const page of ["999999999", "12345678901234567890"]) {
      expect((await call("GET", `/packages/example/audit-logs?page=${page}`)).body).toEqual([]);
      expect((await call("GET", `/packages?page=${page}`)).body).toEqual([]);
    }
  });
});

describe("3.1: the Authorization header", () => {
  const INVALID_KEY = { status: 401, message: "invalid API key" };
  const INVALID_BASIC = { status: 401, message: "invalid authentication information" };
  const WRONG = { status: 401, message: "invalid username and password combination" };

  it.each([
    ["nothing in it", "", INVALID_KEY],
    ["basic in lower case", basic("ann").replace("Basic", "basic"), INVALID_KEY],
    ["a scheme that nobody knows", "Digest abc", INVALID_KEY],
    ["Basic alone", "Basic", INVALID_KEY],
    ["a Bearer that is none", "Bearer abc", INVALID_KEY],
    ["no Base64", "Basic ???", INVALID_BASIC],
    ["two spaces", basic("ann").replace(" ", "  "), INVALID_BASIC],
    ["no colon", `Basic ${btoa("ann")}`, INVALID_BASIC],
    ["a wrong password", basic("ann", "wrong"), WRONG],
    ["an empty password", basic("ann", ""), WRONG],
    ["nobody's name", basic("nobody"), WRONG],
    ["an organization's account", basic("acme"), WRONG],
  ])("%s", async (_, as, body) => {
    const answer = await call("GET", "/packages", { as });
    expect(answer.body).toEqual(body);
    expect(answer.headers.get("www-authenticate")).toBe("Basic realm=hex");
  });

  it("repeated it is none", async () => {
    const { request } = await import("node:http");
    const status = await new Promise((resolve) => {
      const headers = ["host", "x", "user-agent", "x", "authorization", ann, "authorization", ann];
      request(`${registry.url}/api/users/me`, { headers }, (answer) => {
        answer.resume();
        resolve(answer.headers["www-authenticate"]);
      }).end();
    });
    expect(status).toBe("Basic realm=hex");
  });

  it("3.3: a password may have anything in it", async () => {
    const account = { username: "colon", password: "a:b: \u{1f350} ä", email: "colon@example.com" };
    expect((await call("POST", "/users", { body: account })).status).toBe(201);
    expect((await call("GET", "/users/me", { as: basic("colon", account.password) })).status).toBe(200);
  });

  it("3.3: a login is a name or a verified address, in any case, and its own verification counts", async () => {
    for (const login of ["ann", "ANN", "Ann@Example.com"]) {
      expect((await call("GET", "/users/me", { as: basic(login) })).status).toBe(200);
    }
    await registry.user("unsure", { verified: false });
    expect((await call("GET", "/users/me", { as: basic("unsure") })).body).toEqual({
      status: 403,
      message: "email not verified",
    });
    // An address that is not verified logs nobody in.
    expect((await call("GET", "/users/me", { as: basic("unsure@example.com") })).body).toEqual(WRONG);
  });

  it("3.1: a closed account with its right credential is a bad request, whatever it asks", async () => {
    const as = await registry.key("closed");
    await registry.database.sql`update users set deactivated_at = now() where username = 'closed'`;
    for (const credential of [as, basic("closed")]) {
      const answer = await call("GET", "/packages", { as: credential });
      expect(answer.body).toEqual({ status: 400, message: "Bad request" });
    }
    expect((await call("GET", "/packages", { as: basic("closed", "wrong") })).body).toEqual(WRONG);
  });

  it("3.3: Basic switched off", async () => {
    const off = await startRegistry({ generator: false, settings: { basicAuth: false } });
    await off.user("ann");
    const answer = await apiClient(off)("GET", "/packages", { as: basic("ann") });
    expect(answer.body).toEqual({
      status: 401,
      message: "Basic authentication is disabled. Update your client to use OAuth or an API key.",
    });
    expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="hex"');
    await off.stop();
  });

  it("3.6: without a verified address, only what needs none", async () => {
    const as = await registry.key("unsure");
    const unverified = { status: 403, message: "email not verified" };
    for (const path of [
      "/packages",
      "/packages/example",
      "/users/me",
      "/repos",
      "/orgs",
      "/auth?domain=api",
    ]) {
      expect((await call("GET", path, { as })).body, path).toEqual(unverified);
    }
    expect((await call("GET", "/", { as })).status).toBe(200);
    expect((await call("GET", "/users/ann", { as })).status).toBe(200);
    expect((await call("POST", "/keys", { as, body: { name: "first" } })).status).toBe(201);
    expect((await call("POST", "/short_url", { as, body: { url: registry.url } })).status).toBe(201);
    expect((await call("GET", "/packages")).status).toBe(200);
  });
});

describe("7.12: an empty resource is one, and not a missing one", () => {
  it.each<[permission: string | null, query: string, status: number]>([
    [null, "domain=api", 200],
    [null, "domain=api&resource=", 200],
    [null, "domain=api&resource=anything", 200],
    ["read", "domain=api", 200],
    ["read", "domain=api&resource=read", 200],
    ["read", "domain=api&resource=", 401],
    ["read", "domain=api&resource=write", 401],
    ["write", "domain=api&resource=write", 200],
    ["write", "domain=api&resource=", 401],
    [null, "domain=", 400],
  ])("api/%s asks %s: %i", async (resource, query, status) => {
    const as = await registry.key("bob", [{ domain: "api", resource }]);
    expect((await call("GET", `/auth?${query}`, { as })).status).toBe(status);
  });
});

describe("7.1: the index", () => {
  it.each(["", "/"])("/api%s", async (path) => {
    const { body } = await call("GET", path);
    const api = `${registry.url}/api`;
    expect(body).toEqual({
      packages_url: `${api}/packages`,
      package_url: `${api}/packages/{name}`,
      package_retirement_url: `${api}/packages/{name}/retire`,
      package_release_url: `${api}/packages/{name}/releases/{version}`,
      package_owners_url: `${api}/packages/{name}/owners`,
      keys_url: `${api}/keys`,
      key_url: `${api}/keys/{name}`,
      documentation_url: "http://docs.hexpm.apiary.io",
    });
  });
});

describe("7.2: users", () => {
  const instant = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);

  it("a new one is shown, with where it is", async () => {
    const account = {
      username: "Zoe",
      password: "long enough",
      full_name: "Zoe Z",
      emails: [{ email: "ZOE@example.com" }],
      email: "ignored@example.com",
    };
    const made = await call("POST", "/users", { body: account });
    expect([made.status, made.headers.get("location"), made.headers.get("cache-control")]).toEqual([
      201,
      "/api/users/zoe",
      "private, max-age=60",
    ]);
    expect(made.body).toEqual({
      username: "zoe",
      full_name: "Zoe Z",
      email: "zoe@example.com",
      handles: {},
      url: `${registry.url}/api/users/zoe`,
      inserted_at: instant,
      updated_at: instant,
      owned_packages: {},
      packages: [],
    });
    const actions = await registry.database.sql<{ action: string }[]>`
      select action from audit_logs order by id desc limit 4`;
    expect(actions.map(({ action }) => action).reverse()).toEqual([
      "user.create",
      "email.add",
      "email.primary",
      "email.public",
    ]);
  });

  it.each<[string, object, object]>([
    ["addresses of another type", { emails: "x@example.com" }, { emails: "expected type list(map)" }],
    ["addresses in a list of texts", { emails: ["x@example.com"] }, { emails: "expected type list(map)" }],
    ["an address without one", { emails: [{}] }, { emails: { email: "can't be blank" } }],
    ["an address of another type", { email: 5 }, { emails: { email: "expected type string" } }],
    ["no address at all", { emails: [] }, { emails: "can't be blank" }],
    ["no name", { username: " " }, { username: "can't be blank" }],
    ["a name of another type", { username: 5 }, { username: "expected type string" }],
    ["a name of two faults: the last is told", { username: "A!" }, { username: "has invalid format" }],
    ["a name with a newline (15.12)", { username: "abc\n" }, { username: "has invalid format" }],
    ["a name of two letters that is ours", { username: "me" }, { username: "is reserved" }],
    ["an organization's name", { username: "acme" }, { username: "has already been taken" }],
  ])("%s: 422", async (_, fields, errors) => {
    const account = { username: "fresh", password: "long enough", email: "fresh@example.com", ...fields };
    expect((await call("POST", "/users", { body: account })).body).toEqual({
      status: 422,
      message: "Validation error(s)",
      errors,
    });
  });

  it("one is found by name or public address, in any case, with the packages that the caller may see", async () => {
    await call("PUT", "/repos/acme/packages/example/owners/ann", { as: ann, body: {} });
    const own = {
      name: "example",
      repository: "local",
      url: `${registry.url}/api/packages/example`,
      html_url: `${registry.url}/packages/example`,
    };
    const shared = {
      name: "example",
      repository: "acme",
      url: `${registry.url}/api/repos/acme/packages/example`,
      html_url: `${registry.url}/packages/acme/example`,
    };
    const packages = async (path: string, as?: string) => (await call("GET", path, { as })).body.packages;
    expect(await packages("/users/ANN")).toEqual([own]);
    expect(await packages("/users/Ann@Example.com", await registry.key("stranger"))).toEqual([own]);
    expect(await packages("/users/ann", await registry.key("bob"))).toEqual([own, shared]);
    expect(await packages("/users/me", ann)).toEqual([own, shared]);
    // An organization's credential counts as nobody's.
    expect(await packages("/users/ann", await registry.organizationKey("acme"))).toEqual([own]);
    const { body } = await call("GET", "/users/ann", { as: ann });
    expect(body.owned_packages).toEqual({ example: own.url });
    expect(body).not.toHaveProperty("organizations");
    expect((await call("GET", "/users/acme")).body.username).toBe("acme");
    expect((await call("GET", "/users/nobody")).status).toBe(404);
  });

  it("organizations have no /users/me", async () => {
    const as = await registry.organizationKey("acme");
    for (const path of ["/users/me", "/users/me/audit-logs", "/keys", "/keys/ci"]) {
      expect((await call("GET", path, { as })).status, path).toBe(404);
    }
  });
});

describe("7.9: keys", () => {
  it("appendix A: a key as it is made", async () => {
    const { body } = await call("POST", "/keys", { as: ann, body: { name: "desk top" } });
    const instant = expect.stringMatching(/\.\d{6}Z$/);
    expect(body).toEqual({
      name: "desk top",
      authing_key: false,
      secret: expect.stringMatching(/^[0-9a-f]{32}$/),
      permissions: [{ domain: "api", resource: null }],
      revoke_at: null,
      inserted_at: instant,
      updated_at: instant,
      url: `${registry.url}/api/keys/desk%20top`,
    });
  });

  it("of an end in the future, until it comes", async () => {
    const revoke_at = new Date(Date.now() + 3_600_000).toISOString();
    const { body } = await call("POST", "/keys", { as: ann, body: { name: "brief", revoke_at } });
    expect(body.revoke_at).toBe(revoke_at.replace("Z", "000Z"));
    await registry.database.sql`update keys set revoke_at = now() - interval '1 s' where name = 'brief'`;
    expect((await call("GET", "/keys", { as: body.secret })).body.message).toBe("API key revoked");
    expect((await call("GET", "/keys/brief", { as: ann })).status).toBe(404);
    const names = (await call("GET", "/keys", { as: ann })).body.map(({ name }: { name: string }) => name);
    expect(names).not.toContain("brief");
    expect(names).toEqual([...names].sort());
  });

  it("15.2: all revoked with a password: null", async () => {
    await registry.key("dora");
    const { status, body, bytes } = await call("DELETE", "/keys", { as: basic("dora") });
    expect([status, body, Buffer.from(bytes).toString()]).toEqual([200, null, "null"]);
  });
});

describe("appendix A: bodies, each field of them", () => {
  const instant = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  const APP = { app: "pear_app", licenses: ["MIT"], links: { GitHub: "https://example.com/pear" } };
  let api: string;

  beforeAll(async () => {
    api = `${registry.url}/api`;
    const { gzipSync } = await import("node:zlib");
    const requirements = { grape: { app: "grape", requirement: "~> 0.1", optional: false } };
    for (const version of ["1.0.0", "1.1.0-rc.1"]) {
      const metadata = {
        ...APP,
        name: "pear",
        version,
        description: "A pear",
        extra: { a: "b" },
        requirements,
      };
      for (const path of ["/publish", "/repos/acme/publish"]) {
        expect((await call("POST", path, { as: ann, body: packageTarball({ metadata }) })).status).toBe(201);
      }
    }
    const docs = { as: ann, body: gzipSync(Buffer.alloc(1_024)) };
    for (const prefix of ["", "/repos/acme"]) {
      await call("POST", `${prefix}/packages/pear/releases/1.0.0/docs`, docs);
      const retirement = { as: ann, body: { reason: "deprecated" } };
      await call("POST", `${prefix}/packages/pear/releases/1.0.0/retire`, retirement);
    }
  });

  const inList = (url: string, page: string, docs: string, app: string, private_ = "") => ({
    repository: private_ === "" ? "local" : "acme",
    name: "pear",
    inserted_at: instant,
    updated_at: instant,
    url,
    html_url: page,
    docs_html_url: docs,
    latest_version: "1.1.0-rc.1",
    latest_stable_version: "1.0.0",
    configs: {
      "mix.exs":
        app === "pear" ? `{:pear, "~> 1.0"${private_}}` : `{:${app}, "~> 1.0", hex: :pear${private_}}`,
      "rebar.config": app === "pear" ? '{pear, "1.0.0"}' : `{${app}, "1.0.0", {pkg, pear}}`,
      "erlang.mk": "dep_pear = hex 1.0.0",
    },
    meta: { description: "A pear", licenses: ["MIT"], links: APP.links, maintainers: [] },
    releases: [
      { version: "1.1.0-rc.1", url: `${url}/releases/1.1.0-rc.1`, has_docs: false, inserted_at: instant },
      { version: "1.0.0", url: `${url}/releases/1.0.0`, has_docs: true, inserted_at: instant },
    ],
    retirements: { "1.0.0": { reason: "deprecated", message: null } },
    downloads: {},
  });
  const user = () => ({ username: "ann", email: "ann@example.com", url: `${api}/users/ann` });

  it("7.6: a package, and one of a list", async () => {
    const [url, page] = [`${api}/packages/pear`, `${registry.url}/packages/pear`];
    const docs = "http://pear.docs.example/";
    expect((await call("GET", "/packages/pear")).body).toEqual({
      ...inList(url, page, docs, "pear_app"),
      owners: [user()],
      security_advisories: [],
    });
    const list = await call("GET", "/packages?search=name:pear");
    expect(list.body).toEqual([inList(url, page, docs, "pear")]);
  });

  it("7.6, 7.13, 7.14: a private one", async () => {
    const [url, page] = [`${api}/repos/acme/packages/pear`, `${registry.url}/packages/acme/pear`];
    const docs = "http://acme.private-docs.example/pear/";
    expect((await call("GET", "/repos/acme/packages/pear", { as: ann })).body).toEqual({
      ...inList(url, page, docs, "pear_app", ', organization: "acme"'),
      owners: [],
      security_advisories: [],
    });
  });

  it.each([
    ["", ""],
    ["/repos/acme", "acme/"],
  ])("7.7: a release%s", async (prefix, folder) => {
    const url = `${api}${prefix}/packages/pear`;
    const isPrivate = prefix !== "";
    expect((await call("GET", `${prefix}/packages/pear/releases/1.0.0`, { as: ann })).body).toEqual({
      version: "1.0.0",
      checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
      has_docs: true,
      inserted_at: instant,
      updated_at: instant,
      retirement: { reason: "deprecated", message: null },
      package_url: url,
      url: `${url}/releases/1.0.0`,
      html_url: `${registry.url}/packages/${folder}pear/1.0.0`,
      docs_html_url: isPrivate
        ? "http://acme.private-docs.example/pear/1.0.0/"
        : "http://pear.docs.example/1.0.0/",
      requirements: { grape: { app: "grape", requirement: "~> 0.1", optional: false } },
      configs: {
        "mix.exs": `{:pear_app, "~> 1.0", hex: :pear${isPrivate ? ', organization: "acme"' : ""}}`,
        "rebar.config": '{pear_app, "1.0.0", {pkg, pear}}',
        "erlang.mk": "dep_pear = hex 1.0.0",
      },
      meta: { app: "pear_app", build_tools: ["mix"], elixir: "~> 1.14" },
      downloads: [],
      publisher: user(),
      security_advisories: [],
    });
  });

  it("7.10: where its docs are", async () => {
    for (const [prefix, folder] of [
      ["", ""],
      ["/repos/acme", "repos/acme/"],
    ]) {
      const shown = await call("GET", `${prefix}/packages/pear/releases/1.0.0/docs`, { as: ann });
      const location = `${registry.url}/repo/${folder}docs/pear-1.0.0.tar.gz`;
      expect([shown.status, shown.headers.get("location"), shown.bytes.length]).toEqual([302, location, 0]);
      const none = await call("GET", `${prefix}/packages/pear/releases/1.1.0-rc.1/docs`, { as: ann });
      expect(none.status).toBe(404);
    }
  });

  it("7.5, 7.3: repositories and organizations", async () => {
    const times = { inserted_at: instant, updated_at: instant };
    const own = { as: ann };
    expect((await call("GET", "/repos", own)).body).toEqual([
      { name: "local", inserted_at: null, updated_at: null },
      { name: "acme", ...times },
    ]);
    expect((await call("GET", "/repos/local")).body).toEqual({ name: "local", ...times });
    expect((await call("GET", "/orgs", own)).body).toEqual([
      { name: "acme", billing_active: true, ...times },
    ]);
    expect((await call("GET", "/orgs")).body).toEqual([]);
    const alone = { name: "acme", billing_active: true, seats: null, ...times };
    expect((await call("GET", "/orgs/acme", own)).body).toEqual(alone);
    expect((await call("GET", "/orgs/local")).status).toBe(200);
    expect((await call("GET", "/orgs/local/members")).body).toEqual([]);
  });

  it("7.4, 7.11: members and owners", async () => {
    const times = { inserted_at: instant, updated_at: instant };
    const whole = { ...user(), full_name: null, handles: {}, ...times };
    const bob = { username: "bob", email: "bob@example.com", url: `${api}/users/bob` };
    expect((await call("GET", "/orgs/acme/members", { as: ann })).body).toEqual([
      { ...user(), role: "admin" },
      { ...bob, role: "read" },
    ]);
    const member = await call("GET", "/orgs/acme/members/ANN@example.com", { as: ann });
    expect(member.body).toEqual({ ...whole, role: "admin" });
    expect((await call("GET", "/packages/pear/owners")).body).toEqual([{ ...whole, level: "full" }]);
    expect((await call("GET", "/packages/pear/owners/Ann")).body).toEqual({ ...whole, level: "full" });
    expect((await call("GET", "/packages/pear/owners/bob")).status).toBe(404);
  });
});
