/** 10: the pages on which people let programs in. */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { sealTotpSecret } from "../../api/auth/second-factor.ts";
import { insertOAuthClient, type OAuthClientRow } from "../../store/queries/oauth-clients.ts";
import { enableTotp } from "../../store/queries/totp.ts";
import { DEVICE_GRANT, MIX, type OAuthRegistry, startOAuthRegistry } from "../api/oauth/oauth.ts";
import { WebClient } from "./client.ts";

const HOSTILE = `<script>alert(1)</script>"'&`;

let registry: OAuthRegistry;
beforeAll(async () => {
  registry = await startOAuthRegistry();
  const { deps } = registry;
  const id = await registry.user("safe");
  await deps.sql.begin((tx) => enableTotp(tx, id, sealTotpSecret(deps, id, Buffer.alloc(20)), []));
  await registry.user("ann");
  await registry.organization("acme", { ann: "read", safe: "read" });
});
afterAll(() => registry.stop());
beforeEach(() => registry.pass(1_000));

/** A browser of somebody who has signed in just now. */
async function browser(username: string): Promise<WebClient> {
  const client = new WebClient(registry.url);
  await client.signIn(username);
  // The second step is tested elsewhere.
  await registry.database.sql`
    update web_sessions set pending = false, sudo_until = '2100-01-01T00:00:00Z', expires_at = '2100-01-01T00:00:00Z'
    where pending and user_id = (select id from users where username = ${username})`;
  return client;
}

const ask = async (scope = "api repositories", name = "laptop") =>
  (await registry.post("/oauth/device_authorization", { client_id: MIX, scope, name })).body;
const poll = (device_code: string) =>
  registry.post("/oauth/token", { grant_type: DEVICE_GRANT, device_code, client_id: MIX });
const location = (response: Response) => [response.status, response.headers.get("location")];
const told = async (response: Response) => {
  const html = await response.text();
  return /class="problems"[\s\S]*?<li>([\s\S]*?)<\/li>/.exec(html)?.[1]?.replace(/<[^>]*>/g, "") ?? "";
};

describe("a device", () => {
  it("is let in by its code, as far as was ticked", async () => {
    const asked = await ask();
    const client = await browser("ann");
    const shown = await client.send(`/oauth/device?user_code=${asked.user_code}`);
    expect(await shown.text()).toContain(`${asked.user_code.slice(0, 4)}-${asked.user_code.slice(4)}`);
    const typed = ` ${asked.user_code.slice(0, 4).toLowerCase()}-${asked.user_code.slice(4)} `;
    expect(location(await client.post("/oauth/device", { user_code: typed }))).toEqual([
      302,
      "/oauth/device/authorize",
    ]);
    const html = await (await client.send("/oauth/device/authorize")).text();
    expect(html).toContain("laptop");
    expect(html).toMatch(/value="api:write"[^>]*disabled/);
    const chosen = { action: "authorize", "selected_scopes[]": "repositories" };
    expect(location(await client.post("/oauth/device/authorize", chosen))).toEqual([302, "/"]);
    const { body } = await poll(asked.device_code);
    expect(body.scope).toBe("api:read repository:local repository:acme");
    // Once decided it is not there any more.
    expect(location(await client.send("/oauth/device/authorize"))).toEqual([302, "/oauth/device"]);
  });

  it("is turned away", async () => {
    const asked = await ask();
    const client = await browser("ann");
    await client.post("/oauth/device", { user_code: asked.user_code });
    expect(location(await client.post("/oauth/device/authorize", { action: "deny" }))).toEqual([302, "/"]);
    expect(await poll(asked.device_code)).toMatchObject({ status: 403, body: { error: "access_denied" } });
  });

  it("may write only for who has a second factor", async () => {
    const asked = await ask("api:write");
    const client = await browser("ann");
    await client.post("/oauth/device", { user_code: asked.user_code });
    const writing = { action: "authorize", "selected_scopes[]": "api:write" };
    const refused = await client.post("/oauth/device/authorize", writing);
    expect(refused.status).toBe(200);
    expect(await told(refused)).toMatch(/^Two-factor authentication is required for api:write permissions/);
    expect(await poll(asked.device_code)).toMatchObject({ body: { error: "authorization_pending" } });
    const safe = await browser("safe");
    await safe.post("/oauth/device", { user_code: asked.user_code });
    expect(location(await safe.post("/oauth/device/authorize", writing))).toEqual([302, "/"]);
    expect((await poll(asked.device_code)).body.scope).toBe("api:write");
  });

  it.each([
    ["nothing is ticked", {}, "At least one permission must be selected"],
    [
      "more is ticked than was asked",
      { "selected_scopes[]": "repositories" },
      "Selected scopes not in original request",
    ],
    [
      "another permission is made up",
      { "selected_scopes[]": "api" },
      "Selected scopes not in original request",
    ],
  ])("when %s", async (_, fields, text) => {
    const asked = await ask("api:read");
    const client = await browser("ann");
    await client.post("/oauth/device", { user_code: asked.user_code });
    const refused = await client.post("/oauth/device/authorize", { action: "authorize", ...fields });
    expect([refused.status, await told(refused)]).toEqual([200, text]);
  });

  it("each refusal of a code, with status 200", async () => {
    const client = await browser("ann");
    const done = await ask();
    await registry.approve(done.user_code, "safe", ["api:read"]);
    const old = await ask();
    registry.pass(601);
    const cases = [
      ["", "Missing verification code"],
      ["2222-2222", "Invalid verification code"],
      ["nonsense", "Invalid verification code"],
      [old.user_code, "Verification code has expired"],
      [done.user_code, "This application has already been processed"],
    ] as const;
    for (const [user_code, text] of cases) {
      const posted = await client.post("/oauth/device", { user_code });
      expect([posted.status, await told(posted)]).toEqual([200, text]);
    }
    const linked = await client.send("/oauth/device?user_code=2222-2222");
    expect([linked.status, await told(linked)]).toEqual([200, "Invalid verification code"]);
  });

  it("its page asks who it is, then for the password, and forgets after five minutes", async () => {
    const asked = await ask();
    const page = `/oauth/device?user_code=${asked.user_code}`;
    const stranger = new WebClient(registry.url);
    expect(location(await stranger.send(page))).toEqual([302, `/login?return=${encodeURIComponent(page)}`]);
    const client = await browser("ann");
    expect(location(await client.send("/oauth/device/authorize"))).toEqual([302, "/oauth/device"]);
    await client.post("/oauth/device", { user_code: asked.user_code });
    registry.pass(280);
    expect((await client.send("/oauth/device/authorize")).status).toBe(200);
    registry.pass(21);
    expect(location(await client.send("/oauth/device/authorize"))).toEqual([302, "/oauth/device"]);
    registry.pass(3_600);
    expect(location(await client.send("/oauth/device/authorize"))).toEqual([
      302,
      "/sudo?return=%2Foauth%2Fdevice%2Fauthorize",
    ]);
  });

  it("another browser of the same person has to type the code itself", async () => {
    const asked = await ask();
    const [one, other] = [await browser("ann"), await browser("ann")];
    await one.post("/oauth/device", { user_code: asked.user_code });
    const chosen = { action: "authorize", "selected_scopes[]": "api:read" };
    expect(location(await other.post("/oauth/device/authorize", chosen, "/account/keys"))).toEqual([
      302,
      "/oauth/device",
    ]);
    expect(await poll(asked.device_code)).toMatchObject({ body: { error: "authorization_pending" } });
  });

  it("a name that an attacker chose stays text", async () => {
    const asked = await ask("api:read", HOSTILE);
    const client = await browser("ann");
    await client.post("/oauth/device", { user_code: asked.user_code });
    const html = await (await client.send("/oauth/device/authorize")).text();
    expect(html).not.toContain("<script");
    expect(html).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    await client.post("/oauth/device/authorize", { action: "authorize", "selected_scopes[]": "api:read" });
    expect(await (await client.send("/account/sessions")).text()).not.toContain("<script");
  });

  it("without a token of the form nothing is decided", async () => {
    const asked = await ask();
    const client = await browser("ann");
    await client.post("/oauth/device", { user_code: asked.user_code });
    for (const csrf of ["", "x"]) {
      const body = new URLSearchParams({ csrf, action: "authorize", "selected_scopes[]": "api:read" });
      expect((await client.send("/oauth/device/authorize", { method: "POST", body })).status).toBe(403);
    }
    expect(await poll(asked.device_code)).toMatchObject({ body: { error: "authorization_pending" } });
  });

  it("1.7: codes cannot be found by trying: ten in fifteen minutes of a user, then also the right one", async () => {
    registry.pass(3_600);
    await registry.user("guesser");
    const client = await browser("guesser");
    const csrf = await client.csrf("/account/keys");
    const attempt = async (user_code: string) =>
      told(await client.post("/oauth/device", { user_code, csrf }));
    const texts: string[] = [];
    for (let count = 0; count < 11; count += 1) texts.push(await attempt("2222-2222"));
    expect(texts.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => "Invalid verification code"));
    const { user_code } = await ask();
    const TOO_MANY = "Too many verification attempts. Please wait 15 minutes before trying again.";
    expect([texts[10], await attempt(user_code)]).toEqual([TOO_MANY, TOO_MANY]);
  });
});

it("a program is listed with what it may, and shut out with its tokens", async () => {
  await registry.user("kim");
  const { access_token } = await registry.signIn("kim", ["api:read"]);
  const client = await browser("kim");
  const html = await (await client.send("/account/sessions")).text();
  expect(html).toContain("Hex CLI");
  expect(html).toContain("See your account and your packages");
  const id = /end-program"[\s\S]*?name="id" value="(\d+)"/.exec(html)?.[1] ?? "";
  const others = await browser("ann");
  await others.post("/account/sessions/end-program", { id }, "/account/sessions");
  expect(await registry.get("/users/me", `Bearer ${access_token}`)).toMatchObject({ status: 200 });
  await client.post("/account/sessions/end-program", { id }, "/account/sessions");
  expect(await registry.get("/users/me", `Bearer ${access_token}`)).toMatchObject({ status: 401 });
});

it("9.4: browsers and programs are five together", async () => {
  await registry.user("lea");
  const client = await browser("lea");
  for (let count = 0; count < 4; count += 1) {
    registry.pass(1);
    await registry.signIn("lea", ["api:read"]);
  }
  expect((await client.send("/account")).status).toBe(200);
  registry.pass(1);
  await registry.signIn("lea", ["api:read"]);
  expect(location(await client.send("/account"))).toEqual([302, "/login?return=%2Faccount"]);
});

describe("an application", () => {
  const VERIFIER = randomBytes(32).toString("base64url");
  const CHALLENGE = createHash("sha256").update(VERIFIER).digest("base64url");
  const REDIRECT = "https://app.example/back?x=1";
  let app: OAuthClientRow;
  beforeAll(async () => {
    app = {
      clientId: randomUUID(),
      name: HOSTILE,
      type: "public",
      secretHash: null,
      grants: ["authorization_code", "refresh_token"],
      redirectUris: [REDIRECT, "https://*.app.example.org/back"],
      scopes: ["api", "repository", "docs"],
    };
    await insertOAuthClient(registry.database.sql, app);
  });

  const query = (changed: Record<string, string | undefined> = {}): Record<string, string> => {
    const all = {
      client_id: app.clientId,
      redirect_uri: REDIRECT,
      scope: "api",
      state: "s&t=1",
      code_challenge: CHALLENGE,
      code_challenge_method: "S256",
      response_type: "code",
      ...changed,
    };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as never;
  };
  const pageOf = (fields: Record<string, string>) => `/oauth/authorize?${new URLSearchParams(fields)}`;

  it("gets a code for what was ticked, and tokens for the code", async () => {
    const client = await browser("ann");
    const shown = await client.send(pageOf(query()));
    const html = await shown.text();
    expect(html).toContain("app.example");
    expect(html).not.toContain("<script");
    // The form's answer leads there, and nowhere else.
    expect(shown.headers.get("content-security-policy")).toContain("form-action 'self' https://app.example;");
    const fields = { ...query(), action: "approve", "selected_scopes[]": "api:read" };
    const sent = await client.post("/oauth/authorize", fields, pageOf(query()));
    expect(sent.status).toBe(302);
    const target = new URL(sent.headers.get("location") ?? "");
    expect(`${target.origin}${target.pathname}`).toBe("https://app.example/back");
    expect(target.searchParams.get("x")).toBe("1");
    expect(target.searchParams.get("state")).toBe("s&t=1");
    const redeemed = await registry.post("/oauth/token", {
      grant_type: "authorization_code",
      client_id: app.clientId,
      code: target.searchParams.get("code"),
      redirect_uri: REDIRECT,
      code_verifier: VERIFIER,
    });
    expect(redeemed).toMatchObject({ status: 200, body: { scope: "api:read" } });
  });

  it("is turned away", async () => {
    const client = await browser("ann");
    const fields = { ...query(), action: "deny" };
    const sent = await client.post("/oauth/authorize", fields, pageOf(query()));
    const target = new URL(sent.headers.get("location") ?? "");
    expect(Object.fromEntries(target.searchParams)).toMatchObject({ error: "access_denied", state: "s&t=1" });
    expect(target.searchParams.has("code")).toBe(false);
  });

  it.each<[string, Record<string, string | undefined>]>([
    ["no client", { client_id: undefined }],
    ["an unknown client", { client_id: randomUUID() }],
    ["mix's client, which has no address", { client_id: MIX }],
    ["no address", { redirect_uri: undefined }],
    ["another address", { redirect_uri: "https://evil.example/back" }],
    ["an address below the registered one", { redirect_uri: `${REDIRECT}&y=2` }],
    ["another scheme", { redirect_uri: REDIRECT.replace("https", "http") }],
    ["a script", { redirect_uri: "javascript:alert(1)" }],
    ["two labels for one", { redirect_uri: "https://a.b.app.example.org/back" }],
    ["a host that ends like ours", { redirect_uri: "https://evil.example/.app.example.org/back" }],
  ])("is sent nowhere: %s", async (_, changed) => {
    const client = await browser("ann");
    const fields = query(changed);
    const shown = await client.send(pageOf(fields));
    expect(location(shown)).toEqual([400, null]);
    expect(shown.headers.get("content-type")).toContain("application/json");
    const posted = await client.post("/oauth/authorize", { ...fields, action: "approve" }, "/account/keys");
    expect(location(posted)).toEqual([400, null]);
  });

  it.each<[string, Record<string, string | undefined>, string]>([
    ["no state", { state: undefined }, "Missing required parameter: state"],
    ["no challenge", { code_challenge: undefined }, "Missing or invalid code_challenge"],
    ["a challenge that is none", { code_challenge: "x" }, "Missing or invalid code_challenge"],
    ["the plain method", { code_challenge_method: "plain" }, "code_challenge_method must be S256"],
    ["no method", { code_challenge_method: undefined }, "code_challenge_method must be S256"],
    ["an unknown permission", { scope: "root" }, "Invalid scope"],
    ["one that the application may not have", { scope: "repositories" }, "Invalid scope"],
    ["somebody else's repository", { scope: "repository:other" }, "Not a member of a requested organization"],
    ["somebody else's documentation", { scope: "docs:other" }, "Not a member of a requested organization"],
  ])("is told by redirect: %s", async (_, changed, text) => {
    const client = await browser("ann");
    const fields = query(changed);
    const target = new URL((await client.send(pageOf(fields))).headers.get("location") ?? "");
    expect(target.origin).toBe("https://app.example");
    expect(target.searchParams.get("error")).toBe("invalid_request");
    expect(target.searchParams.get("error_description")).toBe(text);
    expect(target.searchParams.get("state")).toBe(fields.state ?? null);
  });

  it("writes only for who has a second factor", async () => {
    const fields = { ...query(), action: "approve", "selected_scopes[]": "api:write" };
    const refused = await (await browser("ann")).post("/oauth/authorize", fields, pageOf(query()));
    expect(await told(refused)).toMatch(/^Two-factor authentication is required/);
    const safe = await browser("safe");
    expect((await safe.post("/oauth/authorize", fields, pageOf(query()))).status).toBe(302);
  });

  it("may be at any host of one label", async () => {
    const client = await browser("ann");
    const fields = query({ redirect_uri: "https://team7.app.example.org/back", scope: "repository:acme" });
    expect((await client.send(pageOf(fields))).status).toBe(200);
  });
});
