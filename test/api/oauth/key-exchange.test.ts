/** 9.3: tokens for API keys, and what they open. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readToken } from "../../../schemas/access-token/token.ts";
import type { KeyPermission } from "../../../store/queries/keys.ts";
import { enterReadOnly, leaveReadOnly } from "../../../store/queries/operations.ts";
import { TOKEN_KEYS } from "../../support/api-settings.ts";
import { GLEAM, MIX, type OAuthRegistry, startOAuthRegistry } from "./oauth.ts";

let registry: OAuthRegistry;
beforeAll(async () => {
  registry = await startOAuthRegistry();
  await registry.organization("acme", { ann: "read", bob: "read" });
  await registry.organization("bear", { ann: "admin" });
  await registry.organization("zoo", {});
});
afterAll(() => registry.stop());

const exchange = (client_secret: unknown, scope?: unknown, client_id: unknown = MIX) =>
  registry.post("/oauth/token", { grant_type: "client_credentials", client_id, client_secret, scope });

const parse = (text: string): KeyPermission => {
  const [domain = "", resource] = text.split(" ");
  return { domain, resource: resource ?? null };
};

const EXCEEDS = "Requested scopes exceed API key permissions";
const ALL = "repository:local repository:acme repository:bear";

// Permissions of ann's key, what is asked, the scope that is given; undefined: refused.
const EXCHANGES: readonly (readonly [string, string, string | undefined])[] = [
  ["api", "", ""],
  ["api", "api", "api"],
  ["api", "api api:read api:write", "api api:read api:write"],
  ["api", "api:read", "api:read"],
  ["api", "repositories", ""],
  ["api", "repository:acme", undefined],
  ["api", "docs:acme", undefined],
  ["api", "package:local/x", undefined],
  ["api", "api:admin", undefined],
  ["api write", "api", undefined],
  ["api write", "api:write api:read", "api:write api:read"],
  ["api read", "api:read", "api:read"],
  ["api read", "api:write", undefined],
  ["api read", "api", undefined],
  ["repositories", "repositories", ALL],
  ["repositories", "repository:acme", "repository:acme"],
  ["repositories", "api:read", undefined],
  ["repositories", "nonsense", undefined],
  ["repository acme", "repositories", "repository:acme"],
  ["repository acme", "repository:acme", "repository:acme"],
  ["repository acme", "repository:bear", undefined],
  ["docs acme", "docs:acme", undefined],
  ["package local/x", "package:local/x", undefined],
  ["api,repositories", "api repositories", `api ${ALL}`],
  // Of what its owner cannot read a key gives nothing, whatever it says.
  ["repository zoo", "repository:zoo", ""],
  ["repository zoo", "repositories", ""],
  ["repositories", "repository:zoo repository:acme", "repository:acme"],
];

it.each(EXCHANGES)("%s exchanged for %s gives %s", async (permissions, asked, given) => {
  const key = await registry.key("ann", permissions.split(",").map(parse));
  const reply = await exchange(key, asked);
  if (given === undefined) {
    expect(reply).toMatchObject({
      status: 400,
      body: { error: "invalid_scope", error_description: EXCEEDS },
    });
    return;
  }
  expect(reply).toMatchObject({
    status: 200,
    body: { token_type: "bearer", expires_in: 1800, scope: given },
  });
  expect(reply.body).not.toHaveProperty("refresh_token");
  const claims = await readToken(TOKEN_KEYS, reply.body.access_token, new Date());
  expect(claims?.scopes.join(" ")).toBe(given);
});

it("16.40: of an organization, also one that has nothing but its repository", async () => {
  const key = await registry.organizationKey("acme", [{ domain: "repository", resource: "acme" }]);
  const { body } = await exchange(key, "repositories");
  expect(body.scope).toBe("repository:acme");
  const claims = await readToken(TOKEN_KEYS, body.access_token, new Date());
  expect(claims?.subject).toBe("org:acme");
  const allowed = await registry.get("/auth?domain=repository&resource=acme", `Bearer ${body.access_token}`);
  expect(allowed.status).toBe(204);
  const whole = await registry.organizationKey("acme", [
    { domain: "api", resource: null },
    { domain: "repositories", resource: null },
  ]);
  const { body: both } = await exchange(whole, "api repositories");
  expect(both.scope).toBe("api repository:acme");
  expect(await registry.get("/orgs/acme", `Bearer ${both.access_token}`)).toMatchObject({ status: 200 });
  expect(await registry.get("/orgs/bear", `Bearer ${both.access_token}`)).toMatchObject({ status: 404 });
});

const REFUSALS: readonly (readonly [string, object, number, string, string])[] = [
  ["no secret", {}, 400, "invalid_request", "Missing or invalid client_secret"],
  ["an empty one", { client_secret: " " }, 400, "invalid_request", "Missing or invalid client_secret"],
  ["one that is no text", { client_secret: {} }, 400, "invalid_request", "Missing or invalid client_secret"],
  ["an unknown one", { client_secret: "0".repeat(32) }, 401, "invalid_client", "Invalid API key"],
  ["no client", { client_id: null, client_secret: "x" }, 401, "invalid_client", "Missing client_id"],
  ["an unknown client", { client_id: "x", client_secret: "x" }, 401, "invalid_client", "Invalid client"],
  [
    "gleam",
    { client_id: GLEAM, client_secret: "x" },
    400,
    "unauthorized_client",
    "Client not authorized for this grant type",
  ],
];
it.each(REFUSALS)("refused: %s", async (_, body, status, error, error_description) => {
  const grant = { grant_type: "client_credentials", client_id: MIX, ...body };
  expect(await registry.post("/oauth/token", grant)).toMatchObject({
    status,
    body: { error, error_description },
  });
});

describe("whose key", () => {
  const repositories = [{ domain: "repositories", resource: null }];
  const INVALID = { status: 401, body: { error: "invalid_client", error_description: "Invalid API key" } };

  it("one that was revoked; the tokens it gave before live on (9.4)", async () => {
    const key = await registry.key("bob", [{ domain: "api", resource: null }]);
    const { body } = await exchange(key, "api:read");
    const { sql } = registry.database;
    await sql`
      update keys set revoke_at = now() - interval '1 second'
      where user_id = (select id from users where username = 'bob')`;
    expect(await exchange(key, "api:read")).toMatchObject(INVALID);
    expect(await registry.get("/users/me", `Bearer ${body.access_token}`)).toMatchObject({ status: 200 });
  });

  it("one of a closed account", async () => {
    const key = await registry.key("cid", repositories);
    await registry.database.sql`update users set deactivated_at = now() where username = 'cid'`;
    expect(await exchange(key, "repositories")).toMatchObject(INVALID);
  });

  it("one of somebody whose address is not verified opens nothing private", async () => {
    const key = await registry.key("dan", repositories, { verified: false });
    const { sql } = registry.database;
    await sql`
      insert into memberships (organization_id, user_id, role)
      select o.id, u.id, 'read' from organizations o, users u where o.name = 'acme' and u.username = 'dan'`;
    expect((await exchange(key, "repositories")).body.scope).toBe("repository:local");
  });

  it("one for an organization that does not pay", async () => {
    await registry.organization("broke", { eve: "admin" });
    await registry.database.sql`update organizations set billing_active = false where name = 'broke'`;
    const key = await registry.key("eve", repositories);
    expect((await exchange(key, "repositories")).body.scope).toBe("repository:local");
    const its = await registry.organizationKey("broke", repositories);
    expect((await exchange(its, "repositories")).body.scope).toBe("");
  });
});

describe("no scope grows (a key that reads can never make a token that writes)", () => {
  it("neither at the exchange nor with the token", async () => {
    const key = await registry.key("ann", [{ domain: "api", resource: "read" }]);
    for (const scope of ["api", "api:write", "api:read api:write", "package:local/x"])
      expect((await exchange(key, scope)).status).toBe(400);
    const { body } = await exchange(key, "api:read");
    const made = await registry.request("/keys", {
      method: "POST",
      headers: { authorization: `Bearer ${body.access_token}`, "content-type": "application/json" },
      body: JSON.stringify({ name: "x", permissions: [{ domain: "api", resource: null }] }),
    });
    expect(made.status).toBe(401);
    // A token is no key: it cannot be exchanged again.
    expect((await exchange(body.access_token, "api:read")).status).toBe(401);
  });
});

describe("while nothing can be written", () => {
  const files = (token: string) =>
    fetch(`${registry.url}/repo/repos/acme/names`, { headers: { authorization: `Bearer ${token}` } });

  it("private installs go on, with a token that is written down nowhere", async () => {
    const key = await registry.key("ann", [
      { domain: "repositories", resource: null },
      { domain: "api", resource: null },
    ]);
    const { publicStore, database } = registry;
    await publicStore.put("repos/acme/names", Buffer.from("x"), { precondition: { kind: "absent" } });
    await database.sql.begin((tx) => enterReadOnly(tx, "We move house."));
    await registry.readOnly.refresh();
    try {
      const { status, body } = await exchange(key, "repositories");
      expect(status).toBe(200);
      expect(body.scope).toBe(ALL);
      // Clients take it for used up five minutes before it is.
      expect(body.expires_in).toBeGreaterThan(600);
      expect((await files(body.access_token)).status).toBe(200);
      expect(
        await registry.get("/auth?domain=repository&resource=acme", `Bearer ${body.access_token}`),
      ).toMatchObject({ status: 401 });
      const refused = await exchange(key, "api:read");
      expect(refused).toMatchObject({ status: 503, body: { message: "We move house." } });
      expect(refused.headers.get("retry-after")).not.toBeNull();
      const other = { grant_type: "refresh_token", client_id: MIX, refresh_token: "x" };
      expect(await registry.post("/oauth/token", other)).toMatchObject({ status: 503 });
      expect(await registry.post("/oauth/device_authorization", { client_id: MIX })).toMatchObject({
        status: 503,
      });
    } finally {
      await database.sql.begin(leaveReadOnly);
      await registry.readOnly.refresh();
    }
  });
});
