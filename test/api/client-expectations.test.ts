/**
 * What clients' code takes for granted, row by row of section 16, with the exact statuses, headers and bodies. HC is
 * hex_core, HX mix, GL gleam, R3 rebar3_hex. Other rows about OAuth (4 to 6, 34 to 42) stand with its tests.
 */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeTerm } from "../../hex/etf/decode.ts";
import { encodeTerm } from "../../hex/etf/encode.ts";
import { readServeConfig } from "../../schemas/config/config.ts";
import { apiClient, basic, type Client } from "../support/api-client.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { GLEAM, MIX } from "./oauth/oauth.ts";

const ERLANG = "application/vnd.hex+erlang";
const RELEASE = "/packages/pear/releases/1.0.0";

let registry: TestRegistry;
let call: Client;
let ann: string;
let bob: string;
let now = new Date();

const tarball = (metadata: Parameters<typeof packageTarball>[0] = {}) => packageTarball(metadata);
const pear = (version: string, metadata: object = {}) =>
  tarball({ metadata: { name: "pear", version, ...metadata } });

beforeAll(async () => {
  registry = await startRegistry({ clock: () => now });
  call = apiClient(registry);
  ann = await registry.key("ann");
  bob = await registry.key("bob");
  const dep = { app: "grape", requirement: "~> 0.1", optional: true, repository: "hexpm" };
  for (const version of ["1.0.0", "1.1.0-rc.1", "1.0.1"]) {
    const body = pear(version, { requirements: { grape: dep }, elixir: null });
    expect((await call("POST", "/publish", { as: ann, body })).status).toBe(201);
  }
});
afterAll(() => registry.stop());

describe("answers in Erlang terms", () => {
  const term = async (method: string, path: string, as?: string, body?: object) => {
    const sent = body === undefined ? {} : { "content-type": ERLANG };
    const response = await registry.request(path, {
      method,
      headers: { accept: ERLANG, ...sent, ...(as === undefined ? {} : { authorization: as }) },
      ...(body === undefined ? {} : { body: new Uint8Array(encodeTerm(body)) }),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { response, bytes, value: decodeTerm(bytes) as Record<string, unknown> };
  };

  it.each([
    ["GET", "/packages/pear", 200],
    ["GET", "/packages/nothing", 404],
    ["GET", "/users/me", 401],
    ["POST", `${RELEASE}/retire`, 403],
    ["POST", "/keys", 401],
    ["POST", "/short_url", 422],
  ])("16.1: %s %s says so in its Content-Type", async (method, path, status) => {
    const { response, bytes } = await term(method, path, undefined, method === "POST" ? {} : undefined);
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toContain(ERLANG);
    // Never compressed.
    expect(bytes[0]).toBe(131);
    expect(bytes[1]).not.toBe(80);
  });

  it("16.2, 16.3: hold no atoms but true, false and nil, and their keys are binaries", async () => {
    for (const path of ["/packages/pear", RELEASE, "/packages", "/users/ann", "/packages/pear/owners"]) {
      // Our decoder takes no other atoms and no other keys, as Erlang's does where clients call it.
      expect((await term("GET", path)).response.status).toBe(200);
    }
    const { value } = await term("GET", RELEASE);
    expect(value.requirements).toMatchObject({ grape: { optional: true } });
    expect(value).toMatchObject({ retirement: null, has_docs: false });
  });

  it("16.14, 16.52: errors are texts or maps of them, never lists or null", async () => {
    const { value } = await term("POST", "/keys", ann, { permissions: [{ domain: "x" }] });
    expect(value.errors).toEqual({ name: "can't be blank", permissions: { domain: "is invalid" } });
  });

  it('16.18, 16.55: a permission\'s resource may be "" or nil', async () => {
    for (const resource of ["", null]) {
      const made = await term("POST", "/keys", ann, {
        name: "full",
        permissions: [{ domain: "api", resource }],
      });
      expect(made.response.status).toBe(201);
      expect(made.value.permissions).toEqual([{ domain: "api", resource: null }]);
    }
  });
});

describe("credentials", () => {
  it("16.5: a plain 401 asks for no code", async () => {
    for (const as of [undefined, "0".repeat(32), basic("ann", "wrong"), basic("nobody")]) {
      const { status, headers } = await call("GET", "/users/me", { as });
      expect([status, headers.get("www-authenticate")]).toEqual([401, "Basic realm=hex"]);
    }
  });

  it("16.7: a raw key has no scheme, and a scheme makes it none", async () => {
    expect((await call("GET", "/users/me", { as: ann })).status).toBe(200);
    expect((await call("GET", "/users/me", { as: basic("ann") })).status).toBe(200);
    for (const as of [`Bearer ${ann}`, `Token ${ann}`, `bearer ${ann}`, `${basic("ann").toLowerCase()}`]) {
      expect(await call("GET", "/users/me", { as })).toMatchObject({
        status: 401,
        body: { status: 401, message: "invalid API key" },
      });
    }
  });

  it("16.15: /auth says why not", async () => {
    await registry.organization("pears", { carl: "read" });
    const carl = await registry.key("carl", [{ domain: "repository", resource: "pears" }]);
    const stranger = await registry.key("ann", [{ domain: "repository", resource: "pears" }]);
    const query = "/auth?domain=repository&resource=pears";
    expect((await call("GET", query)).body).toEqual({
      status: 401,
      message: "missing authentication information",
    });
    expect((await call("GET", query, { as: ann })).body).toEqual({
      status: 401,
      message: "key not authorized for this action",
    });
    expect((await call("GET", query, { as: stranger })).body).toEqual({
      status: 403,
      message: "account not authorized for this action",
    });
    expect((await call("GET", query, { as: carl })).status).toBe(200);
  });

  it("16.16: /auth answers a key with 200 and whose it is", async () => {
    const organization = await registry.organizationKey("pears", [
      { domain: "repository", resource: "pears" },
    ]);
    for (const [as, owner] of [
      [await registry.key("carl", [{ domain: "repositories", resource: null }]), ["user", "carl"]],
      [organization, ["organization", "pears"]],
    ] as const) {
      const { status, body } = await call("GET", "/auth?domain=repository&resource=pears", { as });
      expect(status).toBe(200);
      expect(body).toEqual({ key: { name: expect.any(String), owner: { type: owner[0], name: owner[1] } } });
    }
  });

  it("16.17, 16.19, 16.20: a key is made with 201 and its secret, deleted with 200, gone with 404, and dead at once", async () => {
    const made = await call("POST", "/keys", { as: basic("bob"), body: { name: "short lived" } });
    expect(made).toMatchObject({ status: 201, body: { secret: expect.stringMatching(/^[0-9a-f]{32}$/) } });
    expect(made.headers.get("location")).toBe("/api/keys/short%20lived");
    const as = made.body.secret;
    expect((await call("GET", "/users/me", { as })).status).toBe(200);
    expect((await call("DELETE", "/keys/short%20lived", { as: basic("bob") })).status).toBe(200);
    expect((await call("DELETE", "/keys/short%20lived", { as: basic("bob") })).status).toBe(404);
    expect(await call("GET", "/users/me", { as })).toMatchObject({
      status: 401,
      body: { message: "API key revoked" },
    });
  });

  it("16.54: last_use is whole or absent", async () => {
    const unused = await call("POST", "/keys", { as: basic("bob"), body: { name: "unused" } });
    expect(unused.body).not.toHaveProperty("last_use");
    await call("GET", "/users/me", { as: unused.body.secret });
    expect((await call("GET", "/keys/unused", { as: basic("bob") })).body.last_use).toEqual({
      used_at: expect.stringMatching(/Z$/),
      ip: expect.any(String),
      user_agent: "test",
    });
  });
});

describe("3.2: the use of a key", () => {
  it("is noted every five minutes at most", async () => {
    const { secret } = (await call("POST", "/keys", { as: basic("bob"), body: { name: "busy" } })).body;
    const usedAfter = async (seconds: number) => {
      now = new Date(now.getTime() + seconds * 1_000);
      await call("GET", "/users/me", { as: secret });
      const { body } = await call("GET", "/keys/busy", { as: basic("bob") });
      return Date.parse(body.last_use.used_at);
    };
    try {
      const first = await usedAfter(0);
      expect(await usedAfter(299)).toBe(first);
      expect(await usedAfter(2)).toBe(first + 301_000);
    } finally {
      now = new Date();
    }
  });
});

describe("publishing", () => {
  it("16.9: to the package's path from mix and rebar3, to /publish from gleam", async () => {
    const mix = await call("POST", "/packages/from_mix/releases?replace=false", {
      as: ann,
      headers: { "content-type": "application/octet-stream" },
      body: tarball({ metadata: { name: "from_mix" } }),
    });
    const gleam = await call("POST", "/publish?replace=false", {
      as: ann,
      headers: { "content-type": "application/x-tar" },
      body: tarball({ metadata: { name: "from_gleam" } }),
    });
    expect([mix.status, gleam.status]).toEqual([201, 201]);
  });

  it("16.10, 16.11: replace=false is a text that lets new releases pass and no old ones", async () => {
    const publish = (replace: string, version = "3.0.0") =>
      call("POST", `/packages/pear/releases?replace=${replace}`, { as: ann, body: pear(version) });
    expect((await publish("false")).status).toBe(201);
    for (const replace of ["false", "", "1", "True"]) {
      expect((await publish(replace)).status, replace).toBe(422);
    }
    expect((await publish("false")).body).toEqual({
      status: 422,
      message: "Validation error(s)",
      errors: { inserted_at: "must include the --replace flag to update an existing release" },
    });
    expect((await publish("true")).status).toBe(200);
  });

  it("16.11: too late to change or to delete, in the words that gleam looks for", async () => {
    await call("POST", "/publish", { as: ann, body: tarball({ metadata: { name: "old_pear" } }) });
    now = new Date(Date.now() + 86_401_000);
    try {
      const body = tarball({ metadata: { name: "old_pear" } });
      for (const replace of [true, false]) {
        const changed = await call("POST", `/publish?replace=${replace}`, { as: ann, body });
        expect(changed).toMatchObject({
          status: 422,
          body: {
            errors: { inserted_at: "can only modify a release up to one hour after publication" },
          },
        });
      }
      expect(await call("DELETE", "/packages/old_pear/releases/1.0.0", { as: ann })).toMatchObject({
        status: 422,
        body: { errors: { inserted_at: "can only delete a release up to one hour after publication" } },
      });
    } finally {
      now = new Date();
    }
  });

  it("16.24, 16.31: the answer has html_url, publisher and a retirement of null", async () => {
    const { body } = await call("POST", "/publish?replace=true", { as: ann, body: pear("1.0.1") });
    expect(body).toMatchObject({
      html_url: `${registry.url}/packages/pear/1.0.1`,
      url: `${registry.url}/api/packages/pear/releases/1.0.1`,
      retirement: null,
      publisher: { username: "ann" },
    });
  });

  it("16.25, 16.26: somebody else's package is 403, a name that nobody has is 404", async () => {
    const refused = await call("POST", "/packages/pear/releases", { as: bob, body: pear("4.0.0") });
    expect(refused).toMatchObject({
      status: 403,
      body: { status: 403, message: "account not authorized for this action" },
    });
    expect((await call("GET", "/packages/nobodys_pear")).status).toBe(404);
    expect((await call("GET", "/packages/nobodys_pear/owners", { as: bob })).status).toBe(404);
  });

  it("16.44: is answered well within fifteen seconds, however long a build takes", () => {
    const config = readServeConfig({ environment: { SKEP_DATA_DIR: "/data" }, readFile: () => "" });
    expect(config.publishing.waitMilliseconds).toBeLessThan(15_000);
  });

  it("16.56: with a key that is none it says exactly so", async () => {
    const as = "0".repeat(32);
    expect((await call("POST", "/packages/pear/releases", { as, body: pear("4.0.0") })).body).toEqual({
      status: 401,
      message: "invalid API key",
    });
  });
});

describe("documentation", () => {
  const docs = gzipSync(Buffer.alloc(2_048));

  it("16.12, 16.13, 16.27: gleam's is 201 with where it is, kept as it came", async () => {
    const put = await call("POST", `${RELEASE}/docs`, {
      as: ann,
      headers: { "content-encoding": "x-gzip", "content-type": "application/x-tar" },
      body: docs,
    });
    expect([put.status, put.bytes.length]).toEqual([201, 0]);
    const location = put.headers.get("location") ?? "";
    expect(location).toBe(`${registry.url}/repo/docs/pear-1.0.0.tar.gz`);
    const served = await fetch(location);
    expect(Buffer.from(await served.arrayBuffer()).equals(docs)).toBe(true);
  });

  it("16.27, 16.51: of a package that is not published it is 404, in these words", async () => {
    for (const path of ["/packages/nothing/releases/1.0.0/docs", "/packages/pear/releases/9.0.0/docs"]) {
      expect(await call("POST", path, { as: ann, body: docs })).toMatchObject({
        status: 404,
        body: { status: 404, message: "Page not found" },
      });
    }
  });

  it("16.12, 16.28: taken back it is 204, also where there is none; 404 only without the release", async () => {
    for (const status of [204, 204]) {
      expect((await call("DELETE", `${RELEASE}/docs`, { as: ann })).status).toBe(status);
    }
    expect((await call("DELETE", "/packages/pear/releases/9.0.0/docs", { as: ann })).status).toBe(404);
  });
});

describe("what gleam counts by its exact status", () => {
  const owners = "/packages/shared/owners";
  beforeAll(async () => {
    const body = tarball({ metadata: { name: "shared" } });
    expect((await call("POST", "/publish", { as: ann, body })).status).toBe(201);
  });

  it("16.12, 16.23: owners are added, transferred and removed with 204, and transfer is a boolean", async () => {
    const change = async (method: string, name: string, body?: object) =>
      (await call(method, `${owners}/${name}`, { as: ann, body })).status;
    const names = async () =>
      (await call("GET", owners)).body.map((owner: { username: string }) => owner.username);
    expect(await change("PUT", "bob", { level: "full", transfer: false })).toBe(204);
    expect(await change("PUT", "bob", { level: "full", transfer: "true" })).toBe(204);
    expect(await names()).toEqual(["ann", "bob"]);
    expect(await change("DELETE", "bob")).toBe(204);
    expect(await change("PUT", "bob", { level: "full", transfer: true })).toBe(204);
    expect(await names()).toEqual(["bob"]);
    expect((await call("PUT", `${owners}/ann`, { as: bob, body: { transfer: true } })).status).toBe(204);
  });

  it("16.43: a retirement is a success without a message, or with null for one", async () => {
    for (const body of [{ reason: "renamed" }, { reason: "renamed", message: null }]) {
      expect((await call("POST", "/packages/shared/releases/1.0.0/retire", { as: ann, body })).status).toBe(
        204,
      );
    }
    expect((await call("DELETE", "/packages/shared/releases/1.0.0/retire", { as: ann })).status).toBe(204);
  });

  it("16.12: a revert is 204 without a body", async () => {
    const reverted = await call("DELETE", "/packages/shared/releases/1.0.0", { as: ann });
    expect([reverted.status, reverted.bytes.length]).toEqual([204, 0]);
  });
});

describe("what is shown", () => {
  it("16.21: /users/me has the names that owners are offered by", async () => {
    await registry.organization("orchard", { ann: "admin" });
    const { body } = await call("GET", "/users/me", { as: ann });
    expect(body.username).toBe("ann");
    expect(body.organizations).toEqual([{ name: "orchard", role: "admin" }]);
    expect(body.packages).toContainEqual({
      name: "pear",
      repository: "local",
      url: `${registry.url}/api/packages/pear`,
      html_url: `${registry.url}/packages/pear`,
    });
  });

  it("16.22: owners have a level, and an email or none", async () => {
    await call("PUT", "/packages/pear/owners/bob", { as: ann, body: { level: "maintainer" } });
    await registry.database.sql`
      update emails set is_public = false where user_id = (select id from users where username = 'bob')`;
    const { body } = await call("GET", "/packages/pear/owners");
    expect(
      body.map(({ username, email, level }: Record<string, string>) => [username, email, level]),
    ).toEqual([
      ["ann", "ann@example.com", "full"],
      ["bob", undefined, "maintainer"],
    ]);
    expect(body[1]).not.toHaveProperty("email");
  });

  it("16.29: releases newest first, retirements by version, the Config line a text", async () => {
    await call("POST", `${RELEASE}/retire`, {
      as: ann,
      body: { reason: "deprecated", message: "use 1.0.1" },
    });
    const { body } = await call("GET", "/packages/pear");
    expect(body.releases.map(({ version }: { version: string }) => version)).toEqual([
      "3.0.0",
      "1.1.0-rc.1",
      "1.0.1",
      "1.0.0",
    ]);
    expect(body.retirements).toEqual({ "1.0.0": { reason: "deprecated", message: "use 1.0.1" } });
    expect(Object.keys(body.releases[0]).sort()).toEqual(["has_docs", "inserted_at", "url", "version"]);
    expect(body.releases[0].inserted_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(body.configs["mix.exs"]).toBe('{:pear, "~> 3.0"}');
    expect(body.meta.description).toBe("An example");
    await call("DELETE", `${RELEASE}/retire`, { as: ann });
  });

  it("16.57: the Config lines of a package are of its latest stable release, those of a release its own", async () => {
    const publish = (version: string) =>
      call("POST", "/publish", { as: ann, body: tarball({ metadata: { name: "ex_doc", version } }) });
    await publish("0.1.0");
    await publish("0.1.0-rc1");
    expect((await call("GET", "/packages/ex_doc")).body.configs["mix.exs"]).toBe('{:ex_doc, "~> 0.1.0"}');
    const release = await call("GET", "/packages/ex_doc/releases/0.1.0-rc1");
    expect(release.body.configs["mix.exs"]).toBe('{:ex_doc, "~> 0.1.0-rc1"}');
  });

  it("16.30, 16.53: downloads are {} before any, then integers with the sum", async () => {
    expect((await call("GET", "/packages/pear")).body.downloads).toEqual({});
    expect((await call("GET", RELEASE)).body.downloads).toEqual([]);
  });

  it("16.31: publisher may be null, retirement is there and null", async () => {
    await registry.database.sql`
      update releases set publisher_id = null where version = '1.1.0-rc.1'`;
    const { body } = await call("GET", "/packages/pear/releases/1.1.0-rc.1");
    expect(body).toMatchObject({ publisher: null, retirement: null });
  });

  it("16.32: a release has all that gleam decodes", async () => {
    const { body } = await call("GET", RELEASE);
    const stored = await fetch(`${registry.url}/repo/tarballs/pear-1.0.0.tar`);
    const digest = await crypto.subtle.digest("SHA-256", await stored.arrayBuffer());
    expect(body).toMatchObject({
      version: "1.0.0",
      checksum: Buffer.from(digest).toString("hex"),
      requirements: { grape: { app: "grape", requirement: "~> 0.1", optional: true } },
      meta: { app: "pear", build_tools: ["mix"], elixir: null },
      security_advisories: [],
    });
  });

  it("16.33, 16.53: a search by downloads has all that is printed", async () => {
    const body = tarball({ metadata: { name: "bare_pear", description: null } });
    expect((await call("POST", "/publish", { as: ann, body })).status).toBe(201);
    const found = await call("GET", "/packages?search=pear&sort=downloads");
    const names = found.body.map(({ name }: { name: string }) => name).sort();
    expect(names).toEqual(["bare_pear", "old_pear", "pear"]);
    for (const row of found.body) {
      expect(row).toMatchObject({
        name: expect.any(String),
        html_url: expect.stringContaining("/packages/"),
        latest_version: expect.any(String),
        downloads: {},
        meta: { description: expect.any(String) },
      });
      expect(row.releases[0].version).toEqual(expect.any(String));
      expect(row).not.toHaveProperty("owners");
    }
  });
});

describe("OAuth", () => {
  it.each([
    [MIX, "api repositories"],
    [GLEAM, "api:write"],
  ])("16.37: %s may ask for %s", async (client_id, scope) => {
    const { status, body } = await call("POST", "/oauth/device_authorization", {
      body: { client_id, scope },
    });
    expect([status, body.interval]).toEqual([200, 5]);
  });

  it("16.37, 16.38: a key is exchanged for repositories, with a token that lives well over five minutes", async () => {
    const client_secret = await registry.key("bob", [{ domain: "repositories", resource: null }]);
    const body = {
      grant_type: "client_credentials",
      client_id: MIX,
      client_secret,
      scope: "repositories",
    };
    const exchanged = await call("POST", "/oauth/token", { body });
    expect(exchanged).toMatchObject({ status: 200, body: { scope: "repository:local" } });
    expect(exchanged.body.expires_in).toBeGreaterThan(1_200);
  });
});

describe("on the wire", () => {
  it("16.45: redirects nothing that a client sends its credential to", async () => {
    for (const path of ["/packages/pear", "/users/me", "/packages/pear/", "/packages"]) {
      const { status } = await call("GET", path, { as: ann });
      expect([200, 404], path).toContain(status);
    }
  });

  it("16.46, 16.47: says nothing in encodings or headers that clients cannot read", async () => {
    const response = await fetch(`${registry.url}/api/packages/pear`, {
      headers: { "user-agent": "hex", "accept-encoding": "br, gzip" },
    });
    expect([null, "gzip"]).toContain(response.headers.get("content-encoding"));
    expect(response.headers.get("x-hex-message")).toBeNull();
  });

  it("16.48: too many requests are a 429", async () => {
    const limits = { account: 1, address: 0, signInFailures: 0 };
    const limited = await startRegistry({ generator: false, settings: { limits } });
    const as = await limited.key("ann");
    const statuses = [];
    for (const _ of [1, 2]) statuses.push((await apiClient(limited)("GET", "/users/me", { as })).status);
    expect(statuses).toEqual([200, 429]);
    await limited.stop();
  });

  it("16.49: a short URL is 201 with url", async () => {
    const { status, body } = await call("POST", "/short_url", {
      body: { url: `${registry.url}/packages/pear` },
    });
    expect(status).toBe(201);
    expect(body).toEqual({ url: expect.stringMatching(new RegExp(`^${registry.url}/l/[A-Za-z0-9]{5}$`)) });
  });

  it("16.50: rebar3_hex registers, makes keys with a password, and asks for a reset in vain", async () => {
    const account = { username: "newcomer", password: "long enough", email: "newcomer@example.com" };
    expect((await call("POST", "/users", { body: account })).status).toBe(201);
    const as = basic("newcomer", "long enough");
    expect((await call("POST", "/keys", { as, body: { name: "rebar3" } })).status).toBe(201);
    expect((await call("POST", "/users/newcomer/reset", { body: {} })).status).toBe(404);
  });

  it("16.51, 16.52: errors carry a status, a message, and texts by field", async () => {
    expect((await call("POST", "/keys", { as: ann, body: {} })).body).toEqual({
      status: 422,
      message: "Validation error(s)",
      errors: { name: "can't be blank" },
    });
    expect((await call("GET", "/packages/nothing")).body).toEqual({ status: 404, message: "Page not found" });
  });
});
