/** 9.3: tokens for codes that a browser has carried. */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { issueAuthorizationCode } from "../../../api/oauth/approval.ts";
import { insertOAuthClient, type OAuthClientRow, oauthClient } from "../../../store/queries/oauth-clients.ts";
import { userById } from "../../../store/queries/users.ts";
import { MIX, type OAuthRegistry, startOAuthRegistry } from "./oauth.ts";

const REDIRECT = "https://app.example/back";
const VERIFIER = randomBytes(32).toString("base64url");
const CHALLENGE = createHash("sha256").update(VERIFIER).digest("base64url");

let registry: OAuthRegistry;
let client: OAuthClientRow;
beforeAll(async () => {
  registry = await startOAuthRegistry();
  client = {
    clientId: randomUUID(),
    name: "An app",
    type: "confidential",
    secretHash: createHash("sha256").update("hush").digest("hex"),
    grants: ["authorization_code", "refresh_token"],
    redirectUris: [REDIRECT],
    scopes: ["api"],
  };
  await insertOAuthClient(registry.database.sql, client);
});
afterAll(() => registry.stop());

async function newCode(owner = client): Promise<string> {
  const { deps } = registry;
  const user = await userById(deps.sql, await registry.user("ann"));
  if (user === undefined) throw new Error("no user");
  return issueAuthorizationCode(deps, {
    user,
    client: owner,
    redirectUri: REDIRECT,
    scopes: ["api:read"],
    codeChallenge: CHALLENGE,
  });
}

const redeem = (code: unknown, changed: object = {}) =>
  registry.post("/oauth/token", {
    grant_type: "authorization_code",
    client_id: client.clientId,
    client_secret: "hush",
    redirect_uri: REDIRECT,
    code_verifier: VERIFIER,
    code,
    name: "server 7",
    ...changed,
  });
const me = (token: string) => registry.get("/users/me", `Bearer ${token}`);

it("a code gives tokens once; a second time takes them back", async () => {
  const code = await newCode();
  const reply = await redeem(code);
  expect(reply).toMatchObject({
    status: 200,
    body: { token_type: "bearer", expires_in: 1800, scope: "api:read", refresh_token: expect.any(String) },
  });
  expect(await me(reply.body.access_token)).toMatchObject({ status: 200 });
  expect(await redeem(code)).toMatchObject({
    status: 400,
    body: { error: "invalid_grant", error_description: "Authorization code expired or already used" },
  });
  expect(await me(reply.body.access_token)).toMatchObject({ status: 401 });
  const { sql } = registry.database;
  expect(await sql`select params from audit_logs where action = 'session.create'`).toMatchObject([
    { params: { client: "An app", name: "server 7" } },
  ]);
});

it("of two that come with a code at once one gets tokens, and loses them", async () => {
  const code = await newCode();
  const replies = await Promise.all([redeem(code), redeem(code)]);
  expect(replies.map(({ status }) => status).sort()).toEqual([200, 400]);
  const won = replies.find(({ status }) => status === 200);
  expect(await me(won?.body.access_token)).toMatchObject({ status: 401 });
});

it("after ten minutes it is worth nothing", async () => {
  const code = await newCode();
  registry.pass(601);
  expect(await redeem(code)).toMatchObject({
    body: { error_description: "Authorization code expired or already used" },
  });
});

const WRONG: readonly (readonly [string, object, number, string, string])[] = [
  ["no code", { code: undefined }, 400, "invalid_grant", "Missing authorization code"],
  ["an unknown code", { code: "x" }, 400, "invalid_grant", "Invalid authorization code"],
  ["another address", { redirect_uri: `${REDIRECT}/` }, 400, "invalid_grant", "Redirect URI mismatch"],
  ["no address", { redirect_uri: undefined }, 400, "invalid_grant", "Redirect URI mismatch"],
  [
    "no proof",
    { code_verifier: undefined },
    400,
    "invalid_grant",
    "Missing required parameter: code_verifier",
  ],
  ["another proof", { code_verifier: `${VERIFIER}x` }, 400, "invalid_grant", "Invalid code verifier"],
  ["the challenge as proof", { code_verifier: CHALLENGE }, 400, "invalid_grant", "Invalid code verifier"],
  ["another secret", { client_secret: "x" }, 401, "invalid_client", "Invalid client credentials"],
  ["no secret", { client_secret: undefined }, 401, "invalid_client", "Invalid client credentials"],
  ["another client", { client_id: MIX }, 400, "invalid_grant", "Invalid authorization code"],
];
it.each(WRONG)("refused, and the code left as it was: %s", async (_, changed, status, error, text) => {
  const code = await newCode();
  expect(await redeem(code, changed)).toMatchObject({ status, body: { error, error_description: text } });
  expect(await redeem(code)).toMatchObject({ status: 200 });
});

it("mix's client, which keeps no secret, needs its proof alone", async () => {
  const mix = await oauthClient(registry.database.sql, MIX);
  if (mix === undefined) throw new Error("no client");
  const code = await newCode(mix);
  expect(await redeem(code, { client_id: MIX, client_secret: undefined })).toMatchObject({ status: 200 });
});

it("of an account that was closed meanwhile", async () => {
  const code = await newCode();
  await registry.database.sql`update users set deactivated_at = now() where username = 'ann'`;
  expect(await redeem(code)).toMatchObject({
    status: 400,
    body: { error_description: "Invalid authorization code" },
  });
});
