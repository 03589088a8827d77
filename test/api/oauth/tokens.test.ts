/** 3.4, 9.3, 9.4 and 9.5: what tokens are, how they are renewed, and how they end. */
import { createHash } from "node:crypto";
import { createLocalJWKSet, jwtVerify } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keyIdOf, keySetOf } from "../../../schemas/access-token/keys.ts";
import { TOKEN_KEYS } from "../../support/api-settings.ts";
import { GLEAM, MIX, type OAuthRegistry, startOAuthRegistry } from "./oauth.ts";

let registry: OAuthRegistry;
beforeAll(async () => {
  registry = await startOAuthRegistry();
});
afterAll(() => registry.stop());

const me = (token: string) => registry.get("/users/me", `Bearer ${token}`);
const refresh = (refresh_token: unknown, client_id: unknown = MIX) =>
  registry.post("/oauth/token", { grant_type: "refresh_token", refresh_token, client_id });
const INVALID = { status: 401, body: { status: 401, message: "invalid API key" } };

describe("3.4: access tokens", () => {
  it("are what the published key says, claim by claim", async () => {
    await registry.organization("corp", { ann: "read" });
    const { access_token, refresh_token } = await registry.signIn("ann", ["api:read", "repositories"]);
    const keys = createLocalJWKSet(keySetOf(TOKEN_KEYS) as never);
    const access = await jwtVerify(access_token, keys, { issuer: "hexpm", audience: "hexpm:api" });
    expect(access.protectedHeader).toEqual({ alg: "ES256", typ: "JWT", kid: keyIdOf(TOKEN_KEYS.privateKey) });
    const { iat = 0, jti } = access.payload;
    expect(access.payload).toMatchObject({
      sub: "user:ann",
      nbf: iat - 30,
      scope: "api:read repository:local repository:corp",
    });
    // From when the device was let in, a moment before.
    expect((access.payload.exp ?? 0) - iat).toBeLessThanOrEqual(1800);
    expect((access.payload.exp ?? 0) - iat).toBeGreaterThan(1700);
    expect(jti).toMatch(/^[\w-]{22}$/);
    const renewing = await jwtVerify(refresh_token, keys, { issuer: "hexpm", audience: "hexpm:api" });
    expect(renewing.payload).toMatchObject({ sub: "user:ann", scope: "api:read repositories" });
    const month = 30 * 24 * 3600;
    expect((renewing.payload.exp ?? 0) - iat).toBeLessThanOrEqual(month);
    expect((renewing.payload.exp ?? 0) - iat).toBeGreaterThan(month - 100);
    expect(renewing.payload.jti).not.toBe(jti);
  });

  it("of refreshing open nothing", async () => {
    const { refresh_token } = await registry.signIn("ann", ["api:read"]);
    expect(await me(refresh_token)).toMatchObject(INVALID);
  });

  it("run out", async () => {
    const { access_token } = await registry.signIn("bea", ["api:read"]);
    registry.pass(1700);
    expect(await me(access_token)).toMatchObject({ status: 200 });
    registry.pass(101);
    expect(await me(access_token)).toMatchObject(INVALID);
  });

  it("of a name that has changed hands are none", async () => {
    const { access_token } = await registry.signIn("carl", ["api:read"]);
    const { sql } = registry.database;
    await sql`update users set username = 'karl' where username = 'carl'`;
    expect(await me(access_token)).toMatchObject(INVALID);
    await sql`update users set username = 'carl' where username = 'karl'`;
    expect(await me(access_token)).toMatchObject({ status: 200 });
  });

  it("of a closed account: 400, as with any credential", async () => {
    const { access_token, refresh_token } = await registry.signIn("dora", ["api:read"]);
    await registry.database.sql`update users set deactivated_at = now() where username = 'dora'`;
    expect(await me(access_token)).toMatchObject({ status: 400, body: { message: "Bad request" } });
    expect(await refresh(refresh_token)).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
  });

  it("are not stored, nor is anything that opens what they open", async () => {
    const { access_token, refresh_token } = await registry.signIn("ann", ["api:read"]);
    const { sql } = registry.database;
    for (const table of ["oauth_tokens", "oauth_sessions", "oauth_device_codes", "audit_logs"]) {
      const [row] = await sql<{ text: string }[]>`
        select coalesce(string_agg(t::text, ''), '') as text from ${sql(table)} t`;
      for (const secret of [access_token, refresh_token]) {
        expect(row?.text).not.toContain(secret);
        expect(row?.text).not.toContain(secret.split(".")[2]);
      }
    }
    const [{ hash } = { hash: "" }] = await sql<{ hash: string }[]>`
      select refresh_hash as hash from oauth_tokens order by id desc limit 1`;
    expect(hash).toBe(createHash("sha256").update(refresh_token).digest("hex"));
  });

  it("16.42: an invalid one is refused wherever it is sent", async () => {
    for (const path of ["/packages", "/users/ann", "/auth?domain=api"])
      expect(await registry.get(path, "Bearer wrong")).toMatchObject(INVALID);
  });
});

describe("9.3: refreshing", () => {
  it("16.39: a new pair for the old one, once", async () => {
    const first = await registry.signIn("ann", ["api:read", "api:write"]);
    const second = await refresh(first.refresh_token);
    expect(second).toMatchObject({ status: 200, body: { token_type: "bearer", expires_in: 1800 } });
    expect(second.body.refresh_token).not.toBe(first.refresh_token);
    expect(await me(first.access_token)).toMatchObject(INVALID);
    expect(await me(second.body.access_token)).toMatchObject({ status: 200 });
    expect(await refresh(first.refresh_token)).toMatchObject({
      status: 400,
      body: { error: "invalid_grant", error_description: "Refresh token has been revoked" },
    });
    // Whoever comes late with it ends nobody's session: two runs of a client may share one.
    expect(await me(second.body.access_token)).toMatchObject({ status: 200 });
  });

  it("of several at once one gets tokens", async () => {
    const { refresh_token } = await registry.signIn("ann", ["api:read"]);
    const replies = await Promise.all([1, 2, 3, 4, 5].map(() => refresh(refresh_token)));
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400, 400]);
  });

  it("begins with what was granted: memberships of now", async () => {
    await registry.organization("late", {});
    const first = await registry.signIn("gus", ["repositories"]);
    expect(first.scope).toBe("repository:local");
    const { sql } = registry.database;
    await sql`
      insert into memberships (organization_id, user_id, role)
      select o.id, u.id, 'read' from organizations o, users u where o.name = 'late' and u.username = 'gus'`;
    const second = await refresh(first.refresh_token);
    expect(second.body.scope).toBe("repository:local repository:late");
    await sql`delete from memberships where user_id = (select id from users where username = 'gus')`;
    expect((await refresh(second.body.refresh_token)).body.scope).toBe("repository:local");
  });

  it("slides no further than the session", async () => {
    const first = await registry.signIn("hal", ["api:read"]);
    registry.pass(29 * 24 * 3600);
    const second = await refresh(first.refresh_token);
    expect(second.status).toBe(200);
    registry.pass(24 * 3600 - 600);
    const third = await refresh(second.body.refresh_token);
    expect(third.body.expires_in).toBeLessThanOrEqual(600);
    registry.pass(601);
    expect(await refresh(third.body.refresh_token)).toMatchObject({
      status: 400,
      body: { error_description: "Invalid refresh token" },
    });
  });

  it("each refusal", async () => {
    const { refresh_token, access_token } = await registry.signIn("ann", ["api:read"]);
    const invalid = {
      status: 400,
      body: { error: "invalid_grant", error_description: "Invalid refresh token" },
    };
    expect(await refresh(undefined)).toMatchObject({
      status: 400,
      body: { error: "invalid_grant", error_description: "Missing refresh token" },
    });
    expect(await refresh("x")).toMatchObject(invalid);
    expect(await refresh(access_token)).toMatchObject(invalid);
    expect(await refresh(refresh_token, GLEAM)).toMatchObject(invalid);
    expect(await refresh(refresh_token, "x")).toMatchObject({
      status: 401,
      body: { error: "invalid_client", error_description: "Invalid client" },
    });
    const { sql } = registry.database;
    await sql`update oauth_sessions set expires_at = now() - interval '1 day'`;
    expect(await refresh(refresh_token)).toMatchObject({
      status: 400,
      body: { error_description: "Refresh token has expired" },
    });
  });

  it("a client that can keep a secret must show it", async () => {
    const { sql } = registry.database;
    const secret_hash = createHash("sha256").update("hush").digest("hex");
    const [row] = await sql<{ id: string }[]>`
      insert into oauth_clients (client_id, name, type, secret_hash, grants, scopes)
      values (gen_random_uuid(), 'app', 'confidential', ${secret_hash}, '{device_code,refresh_token}', '{api}')
      returning client_id as id`;
    const client_id = row?.id ?? "";
    await sql`update oauth_clients set type = 'public', secret_hash = null where client_id = ${client_id}`;
    const { refresh_token } = await registry.signIn("ann", ["api:read"], client_id);
    await sql`
      update oauth_clients set type = 'confidential', secret_hash = ${secret_hash} where client_id = ${client_id}`;
    const body = { grant_type: "refresh_token", refresh_token, client_id };
    for (const client_secret of [undefined, "", "other"]) {
      expect(await registry.post("/oauth/token", { ...body, client_secret })).toMatchObject({
        status: 401,
        body: { error: "invalid_client", error_description: "Invalid client credentials" },
      });
    }
    expect(await registry.post("/oauth/token", { ...body, client_secret: "hush" })).toMatchObject({
      status: 200,
    });
  });
});

describe("9.4: sessions", () => {
  it("at most five of a user: the one that was not used for the longest time ends", async () => {
    const tokens: string[] = [];
    for (let count = 0; count < 5; count += 1) {
      tokens.push((await registry.signIn("ivy", ["api:read"])).access_token);
      registry.pass(1);
    }
    registry.pass(400);
    // Used, so that it is not the next to go.
    expect(await me(tokens[0] ?? "")).toMatchObject({ status: 200 });
    tokens.push((await registry.signIn("ivy", ["api:read"])).access_token);
    const statuses = await Promise.all(tokens.map(async (token) => (await me(token)).status));
    expect(statuses).toEqual([200, 401, 200, 200, 200, 200]);
  });

  it("of an organization as many as it has seats, five at the least", async () => {
    await registry.organization("seven", {});
    const key = await registry.organizationKey("seven", [{ domain: "api", resource: null }]);
    const { sql } = registry.database;
    const exchange = { grant_type: "client_credentials", client_id: MIX, client_secret: key, scope: "api" };
    const live = async (seats: number) => {
      await sql`update organizations set seats = ${seats} where name = 'seven'`;
      for (let count = 0; count < 8; count += 1)
        expect(await registry.post("/oauth/token", exchange)).toMatchObject({ status: 200 });
      return (await sql`select from oauth_sessions where organization_id is not null and revoked_at is null`)
        .length;
    };
    expect(await live(7)).toBe(7);
    expect(await live(2)).toBe(5);
  });
});

describe("9.5: revocation", () => {
  const revoke = (body: object) => registry.post("/oauth/revoke", body);
  const byHash = (token_hash: unknown) => registry.post("/oauth/revoke_by_hash", { token_hash });
  const hashOf = (token: string) => createHash("sha256").update(token).digest("hex");
  const DONE = { status: 200, body: undefined };

  it("a token takes the one beside it with it, whichever is given", async () => {
    for (const which of ["access_token", "refresh_token"] as const) {
      const tokens = await registry.signIn("jan", ["api:read"]);
      const given = { token: tokens[which], client_id: MIX, token_type_hint: "nonsense" };
      expect(await revoke(given)).toMatchObject(DONE);
      expect(await me(tokens.access_token)).toMatchObject(INVALID);
      expect(await refresh(tokens.refresh_token)).toMatchObject({
        body: { error_description: "Refresh token has been revoked" },
      });
    }
    // The sessions are there still.
    const { sql } = registry.database;
    expect(
      await sql`
        select from oauth_sessions s join users u on u.id = s.user_id
        where u.username = 'jan' and s.revoked_at is null`,
    ).toHaveLength(2);
  });

  it("16.41: nothing happens on a mismatch, and the answer is the same", async () => {
    const { access_token, refresh_token } = await registry.signIn("kim", ["api:read"]);
    for (const body of [
      {},
      { token: access_token },
      { client_id: MIX },
      { token: access_token, client_id: GLEAM },
      { token: `${access_token}x`, client_id: MIX },
      { token: 7, client_id: MIX },
    ])
      expect(await revoke(body)).toMatchObject(DONE);
    for (const hash of [undefined, "x", hashOf(access_token), `${hashOf(refresh_token)}0`])
      expect(await byHash(hash)).toMatchObject(DONE);
    expect(await me(access_token)).toMatchObject({ status: 200 });
  });

  it("a hash ends the whole session, also that of a token that was used", async () => {
    const first = await registry.signIn("lea", ["api:read"]);
    const { body: second } = await refresh(first.refresh_token);
    expect(await byHash(hashOf(first.refresh_token).toUpperCase())).toMatchObject(DONE);
    expect(await me(second.access_token)).toMatchObject(INVALID);
    expect(await refresh(second.refresh_token)).toMatchObject({
      body: { error_description: "Refresh token has been revoked" },
    });
  });
});
