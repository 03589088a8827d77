/** 9.2 and 9.3: a device asks, waits, and gets tokens. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEVICE_GRANT, GLEAM, MIX, type OAuthRegistry, startOAuthRegistry } from "./oauth.ts";

let registry: OAuthRegistry;
beforeAll(async () => {
  registry = await startOAuthRegistry();
  await registry.organization("acme", { ann: "read" });
  await registry.organization("zoo", { ann: "admin" });
});
afterAll(() => registry.stop());

const begin = (body: object) => registry.post("/oauth/device_authorization", body);
const poll = (device_code: unknown, client_id: unknown = MIX) =>
  registry.post("/oauth/token", { grant_type: DEVICE_GRANT, device_code, client_id });

describe("9.2: asking", () => {
  it("16.34: gives a code, and where to type it", async () => {
    const { status, body, headers } = await begin({
      client_id: MIX,
      scope: "api repositories",
      name: "laptop",
    });
    expect(status).toBe(200);
    expect(headers.get("cache-control")).toBe("no-store");
    expect(body).toEqual({
      device_code: expect.stringMatching(/^[\w-]{32}$/),
      user_code: expect.stringMatching(/^[2-9BCDFGHJKLMNPQRSTVWXYZ]{8}$/),
      verification_uri: `${registry.url}/oauth/device`,
      verification_uri_complete: `${registry.url}/oauth/device?user_code=${body.user_code}`,
      expires_in: 600,
      interval: 5,
    });
  });

  it("16.1: answers a client that speaks Erlang terms in them", async () => {
    const response = await registry.request("/oauth/device_authorization", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/vnd.hex+erlang" },
      body: JSON.stringify({ client_id: GLEAM, scope: "api:write" }),
    });
    expect(response.headers.get("content-type")).toContain("application/vnd.hex+erlang");
    expect(Buffer.from(await response.arrayBuffer())[0]).toBe(131);
  });

  const DENIED = [400, "invalid_scope", "Invalid scope"] as const;
  it.each<[string, object, number, string, string]>([
    ["no client", {}, 401, "invalid_client", "Missing client_id"],
    ["15.8: a client that is no UUID", { client_id: "mix" }, 401, "invalid_client", "Invalid client"],
    ["an unknown client", { client_id: MIX.replace("7", "8") }, 401, "invalid_client", "Invalid client"],
    ["a client id that is no text", { client_id: 7 }, 401, "invalid_client", "Missing client_id"],
    ["an unknown scope", { client_id: MIX, scope: "api root" }, ...DENIED],
    ["a scope that is no text", { client_id: MIX, scope: ["api"] }, ...DENIED],
    ["what the client is not listed for", { client_id: GLEAM, scope: "api" }, ...DENIED],
    ["the repositories, for gleam", { client_id: GLEAM, scope: "repositories" }, ...DENIED],
    ["one repository, for mix", { client_id: MIX, scope: "repository:acme" }, ...DENIED],
    ["a resource of the API", { client_id: MIX, scope: "api:admin" }, ...DENIED],
  ])("%s", async (_, body, status, error, error_description) => {
    expect(await begin(body)).toMatchObject({ status, body: { error, error_description } });
  });

  it("a client without the grant", async () => {
    const { sql } = registry.database;
    const [row] = await sql<{ id: string }[]>`
      insert into oauth_clients (client_id, name, type, grants, scopes)
      values (gen_random_uuid(), 'x', 'public', '{refresh_token}', '{api}') returning client_id as id`;
    const refusal = {
      error: "unauthorized_client",
      error_description: "Client not authorized for this grant type",
    };
    expect(await begin({ client_id: row?.id, scope: "" })).toMatchObject({ status: 400, body: refusal });
    expect(await poll("x", row?.id)).toMatchObject({ status: 400, body: refusal });
  });
});

describe("9.3: polling", () => {
  it("16.35, 16.36: pending, then tokens, each poll new ones and the last alone worth anything", async () => {
    const { body: asked } = await begin({ client_id: MIX, scope: "api repositories", name: "laptop" });
    expect(await poll(asked.device_code)).toMatchObject({
      status: 400,
      body: { error: "authorization_pending", error_description: "Authorization pending" },
    });
    await registry.approve(asked.user_code, "ann", ["api:read", "api:write", "repositories"]);
    registry.pass(100);
    const first = await poll(asked.device_code);
    expect(first).toMatchObject({
      status: 200,
      body: {
        access_token: expect.any(String),
        refresh_token: expect.any(String),
        token_type: "bearer",
        scope: "api:read api:write repository:local repository:acme repository:zoo",
      },
    });
    // The time counts from when it was let in.
    expect(first.body.expires_in).toBeGreaterThan(1600);
    expect(first.body.expires_in).toBeLessThanOrEqual(1700);
    expect(await registry.get("/users/me", `Bearer ${first.body.access_token}`)).toMatchObject({
      status: 200,
    });

    const second = await poll(asked.device_code);
    expect(await registry.get("/users/me", `Bearer ${first.body.access_token}`)).toMatchObject({
      status: 401,
      body: { message: "invalid API key" },
    });
    expect(await registry.get("/users/me", `Bearer ${second.body.access_token}`)).toMatchObject({
      status: 200,
    });
    registry.pass(501);
    expect(await poll(asked.device_code)).toMatchObject({
      status: 400,
      body: { error: "expired_token", error_description: "Device code has expired" },
    });
    // The tokens go on, and so does their session.
    expect(await registry.get("/users/me", `Bearer ${second.body.access_token}`)).toMatchObject({
      status: 200,
    });
  });

  it("polls that come at once get one live token between them", async () => {
    const { body: asked } = await begin({ client_id: GLEAM, scope: "api:write" });
    await registry.approve(asked.user_code, "bob", ["api:write"]);
    const replies = await Promise.all([1, 2, 3, 4].map(() => poll(asked.device_code, GLEAM)));
    const live = await Promise.all(
      replies.map(({ body }) => registry.get("/users/me", `Bearer ${body.access_token}`)),
    );
    expect(live.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it("each refusal, in its order", async () => {
    const { body: asked } = await begin({ client_id: MIX, scope: "api" });
    expect(await poll(undefined)).toMatchObject({
      status: 400,
      body: { error: "invalid_grant", error_description: "Invalid device code" },
    });
    expect(await poll("x".repeat(32))).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    expect(await poll(asked.device_code, "")).toMatchObject({
      status: 401,
      body: { error: "invalid_client" },
    });
    expect(await poll(asked.device_code, GLEAM)).toMatchObject({
      status: 401,
      body: { error: "invalid_client", error_description: "Invalid client" },
    });
    const { sql } = registry.database;
    await sql`update oauth_device_codes set state = 'denied' where user_code = ${asked.user_code}`;
    expect(await poll(asked.device_code)).toMatchObject({
      status: 403,
      body: { error: "access_denied", error_description: "Authorization denied by user" },
    });
    registry.pass(601);
    expect(await poll(asked.device_code)).toMatchObject({ status: 400, body: { error: "expired_token" } });
  });

  it("a device whose session was ended again is turned away", async () => {
    const { body: asked } = await begin({ client_id: MIX, scope: "api" });
    await registry.approve(asked.user_code, "cid", ["api:read"]);
    const { body } = await poll(asked.device_code);
    await registry.database.sql`update oauth_sessions set revoked_at = now()`;
    expect(await poll(asked.device_code)).toMatchObject({ status: 403, body: { error: "access_denied" } });
    expect(await registry.get("/users/me", `Bearer ${body.access_token}`)).toMatchObject({ status: 401 });
  });

  it("a code is decided once", async () => {
    const { body: asked } = await begin({ client_id: MIX, scope: "api" });
    await registry.approve(asked.user_code, "dan", ["api:read"]);
    await expect(registry.approve(asked.user_code, "eve", ["api:write"])).rejects.toThrow();
    const { body } = await poll(asked.device_code);
    expect((await registry.get("/users/me", `Bearer ${body.access_token}`)).body.username).toBe("dan");
    const { sql } = registry.database;
    const eves = await sql`
      select from oauth_sessions s join users u on u.id = s.user_id where u.username = 'eve'`;
    expect(eves).toHaveLength(0);
  });
});

it("an unknown grant", async () => {
  for (const grant_type of [undefined, "password", 7, "__proto__"]) {
    expect(await registry.post("/oauth/token", { grant_type, client_id: MIX })).toMatchObject({
      status: 400,
      body: { error: "unsupported_grant_type" },
    });
  }
});

it("appendix D: letting a device in is in the audit log", async () => {
  await registry.signIn("fay", ["api:read"]);
  const { sql } = registry.database;
  const rows = await sql`
    select action, params from audit_logs a join users u on u.id = a.user_id where u.username = 'fay'`;
  expect(rows).toMatchObject([
    { action: "session.create", params: { type: "oauth", client: "Hex CLI", scopes: ["api:read"] } },
  ]);
});
