/** 3.5: what writing with an access token needs beside it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { sealTotpSecret } from "../../../api/auth/second-factor.ts";
import { totpCode } from "../../../api/auth/totp.ts";
import { enableTotp } from "../../../store/queries/totp.ts";
import { packageTarball } from "../../support/package-builder.ts";
import { MIX, type OAuthRegistry, startOAuthRegistry } from "./oauth.ts";

const SECRET = Buffer.from("12345678901234567890");

let registry: OAuthRegistry;
beforeAll(async () => {
  registry = await startOAuthRegistry({ generator: true });
  for (const name of ["ann", "bob"]) {
    const id = await registry.user(name);
    const { deps } = registry;
    await deps.sql.begin((tx) => enableTotp(tx, id, sealTotpSecret(deps, id, SECRET), []));
  }
});
afterAll(() => registry.stop());
// Windows of failures begin anew.
beforeEach(() => registry.pass(3_600));

const now = () => Math.floor(registry.deps.clock().getTime() / 1000);
const code = () => totpCode(SECRET, now());

async function removeKey(token: string, otp?: string): Promise<readonly [number, string, string | null]> {
  const headers = { authorization: `Bearer ${token}`, ...(otp === undefined ? {} : { "x-hex-otp": otp }) };
  const response = await registry.request("/keys/none", { method: "DELETE", headers });
  const text = await response.text();
  const message = text === "" ? "" : JSON.parse(text).message;
  return [response.status, message, response.headers.get("www-authenticate")];
}

const REQUIRED = [
  401,
  "Two-factor authentication required. Include X-Hex-OTP header with your TOTP code.",
  'Bearer realm="hex", error="totp_required"',
] as const;
const WRONG = [
  401,
  "Invalid two-factor authentication code",
  'Bearer realm="hex", error="invalid_totp"',
] as const;
const NOT_FOUND = [404, "Page not found", null] as const;

describe("a write with a token", () => {
  it("16.4: needs a code, byte for byte as clients look for it", async () => {
    const { access_token } = await registry.signIn("ann", ["api:read", "api:write"]);
    expect(await removeKey(access_token)).toEqual(REQUIRED);
    expect(await removeKey(access_token, "")).toEqual(REQUIRED);
    expect(await removeKey(access_token, "000000")).toEqual(WRONG);
    // Then comes what the request is about. There is no protection against replay, as in Hex's own API.
    expect(await removeKey(access_token, code())).toEqual(NOT_FOUND);
    expect(await removeKey(access_token, code())).toEqual(NOT_FOUND);
  });

  it("is not for users without a second factor", async () => {
    const { access_token } = await registry.signIn("cid", ["api:read", "api:write"]);
    expect(await removeKey(access_token, "000000")).toEqual([
      403,
      "Two-factor authentication must be enabled for API write access",
      null,
    ]);
  });

  it("is asked for its permission first", async () => {
    const { access_token } = await registry.signIn("ann", ["api:read"]);
    expect(await removeKey(access_token)).toEqual([
      401,
      "key not authorized for this action",
      "Basic realm=hex",
    ]);
  });

  it("appendix C: comes before ownership, and 16.6: takes the whole request again, upload included", async () => {
    const { access_token } = await registry.signIn("ann", ["api:read", "api:write"]);
    const publish = (headers: Record<string, string>) =>
      registry.request("/publish", {
        method: "POST",
        headers: { authorization: `Bearer ${access_token}`, ...headers },
        body: new Uint8Array(packageTarball()),
      });
    const asked = await publish({});
    expect([asked.status, asked.headers.get("www-authenticate")]).toEqual([401, REQUIRED[2]]);
    expect((await publish({ "x-hex-otp": code() })).status).toBe(201);
    const { access_token: others } = await registry.signIn("bob", ["api:write"]);
    const retire = (headers: Record<string, string>) =>
      registry.request("/packages/example/releases/1.0.0/retire", {
        method: "POST",
        headers: { authorization: `Bearer ${others}`, ...headers },
      });
    expect((await retire({})).status).toBe(401);
    expect((await retire({ "x-hex-otp": code() })).status).toBe(403);
  });
});

it("reading needs none, nor do keys, passwords and organizations' tokens", async () => {
  const { access_token } = await registry.signIn("ann", ["api:read", "api:write"]);
  expect(await registry.get("/users/me", `Bearer ${access_token}`)).toMatchObject({ status: 200 });
  const basic = `Basic ${Buffer.from("ann:password").toString("base64")}`;
  for (const authorization of [await registry.key("ann"), basic]) {
    const response = await registry.request("/keys/none", { method: "DELETE", headers: { authorization } });
    expect(response.status).toBe(404);
  }
  await registry.organization("acme", {});
  const key = await registry.organizationKey("acme");
  const { body } = await registry.post("/oauth/token", {
    grant_type: "client_credentials",
    client_id: MIX,
    client_secret: key,
    scope: "api",
  });
  const response = await registry.request("/orgs/acme/keys/none", {
    method: "DELETE",
    headers: { authorization: `Bearer ${body.access_token}` },
  });
  expect(response.status).toBe(404);
});

describe("1.7: guessing", () => {
  const TOO_MANY = "Too many failed two-factor authentication attempts. Please try again later.";

  it("ends after five wrong codes of a user in ten minutes, however many come at once", async () => {
    const { access_token } = await registry.signIn("ann", ["api:write"]);
    const guesses = await Promise.all(Array.from({ length: 12 }, () => removeKey(access_token, "000000")));
    expect(guesses.map(([status]) => status).sort()).toEqual([
      ...Array.from({ length: 5 }, () => 401),
      ...Array.from({ length: 7 }, () => 429),
    ]);
    // A right one would tell that it is.
    expect(await removeKey(access_token, code())).toEqual([429, TOO_MANY, null]);
    // Others go on.
    const { access_token: other } = await registry.signIn("bob", ["api:write"]);
    expect(await removeKey(other, code())).toEqual(NOT_FOUND);
    registry.pass(601);
    expect(await removeKey(access_token, code())).toEqual(NOT_FOUND);
  });

  it("ends after twenty of an address, whoever they are of", async () => {
    const { deps } = registry;
    const tokens: string[] = [];
    for (const name of ["u1", "u2", "u3", "u4", "u5"].map((end) => `guessed-${end}`)) {
      const id = await registry.user(name);
      await deps.sql.begin((tx) => enableTotp(tx, id, sealTotpSecret(deps, id, SECRET), []));
      tokens.push((await registry.signIn(name, ["api:write"])).access_token);
    }
    const statuses: number[] = [];
    for (const token of tokens) {
      for (let count = 0; count < 4; count += 1) statuses.push((await removeKey(token, "000000"))[0]);
    }
    expect(new Set(statuses)).toEqual(new Set([401]));
    expect((await removeKey(tokens[4] ?? "", code()))[0]).toBe(429);
  });
});
