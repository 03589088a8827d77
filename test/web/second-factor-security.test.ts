/** What an attacker, a closed account and a new secret of the API meet at the second factor. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { hashRecoveryCode } from "../../api/auth/recovery-codes.ts";
import { sealTotpSecret } from "../../api/auth/second-factor.ts";
import { base32, totpCode } from "../../api/auth/totp.ts";
import { enableTotp } from "../../store/queries/totp.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { WebClient } from "./client.ts";

const RECOVERY_CODES = ["01234-56789-abcde-f0123", "11234-56789-abcde-f0123"];
const PAGE = "/account/two-factor";

let registry: TestRegistry;
let ahead = 0;
const logged: string[] = [];
/** What no log may hold. */
const secrets = new Set<string>();
beforeAll(async () => {
  const keep = (fields: object, message: string) => logged.push(JSON.stringify(fields) + message);
  const log = { info: keep, warn: keep, error: keep };
  registry = await startRegistry({ generator: false, clock: () => new Date(Date.now() + ahead), log });
});
afterAll(() => registry.stop());
// Windows of failures begin anew.
beforeEach(() => {
  ahead += 3_600_000;
});

const location = (response: Response) => [response.status, response.headers.get("location")];

function codeOf(secret: Uint8Array): string {
  return totpCode(secret, Math.floor((Date.now() + ahead) / 1000));
}

/** Every way in which a secret could be written. */
function remember(secret: Buffer): void {
  const grouped = (base32(secret).match(/.{4}/g) ?? []).join(" ");
  for (const text of [
    base32(secret),
    grouped,
    ...(["hex", "base64", "base64url", "latin1"] as const).map((form) => secret.toString(form)),
  ])
    secrets.add(text);
}

/** @returns the secret of a user who has a second factor now. */
async function enabled(username: string): Promise<Buffer> {
  const { deps } = registry;
  const id = await registry.user(username);
  const secret = Buffer.from(deps.random(20));
  const hashes = RECOVERY_CODES.map(hashRecoveryCode);
  await deps.sql.begin((tx) => enableTotp(tx, id, sealTotpSecret(deps, id, secret), hashes));
  remember(secret);
  for (const code of RECOVERY_CODES) secrets.add(code);
  return secret;
}

/** @returns a browser that has shown the password and nothing else. */
async function halfway(username: string): Promise<WebClient> {
  const client = new WebClient(registry.url, (secret) => secrets.add(secret));
  expect((await client.signIn(username)).status).toBe(302);
  return client;
}

describe("1.7: sudo", () => {
  it("takes five codes in a quarter of an hour, and says so", async () => {
    const secret = await enabled("ann");
    const client = await halfway("ann");
    await client.post("/tfa", { code: codeOf(secret) });
    const statuses = [];
    for (let count = 0; count < 5; count += 1)
      statuses.push((await client.post("/sudo", { type: "tfa", code: "000000" })).status);
    expect(statuses).toEqual([400, 400, 400, 400, 400]);
    const refused = await client.post("/sudo", { type: "tfa", code: codeOf(secret) });
    expect([refused.status, await refused.text()]).toEqual([429, expect.stringContaining("Too many")]);
  });

  it("does not call a right code wrong when others were guessed elsewhere", async () => {
    const secret = await enabled("bob");
    const client = await halfway("bob");
    await client.post("/tfa", { code: codeOf(secret) });
    const thief = await halfway("bob");
    for (let count = 0; count < 5; count += 1) await thief.post("/tfa", { code: "000000" });
    const refused = await client.post("/sudo", { type: "tfa", code: codeOf(secret) });
    expect([refused.status, await refused.text()]).toEqual([429, expect.stringContaining("Too many")]);
  });

  it("takes no recovery code, and uses none up", async () => {
    const secret = await enabled("cid");
    const client = await halfway("cid");
    await client.post("/tfa", { code: codeOf(secret) });
    expect((await client.post("/sudo", { type: "tfa", code: RECOVERY_CODES[0] ?? "" })).status).toBe(400);
    const other = await halfway("cid");
    expect(location(await other.post("/tfa", { code: RECOVERY_CODES[0] ?? "" }))).toEqual([
      302,
      "/users/cid",
    ]);
  });
});

describe("an account that is closed between password and code", () => {
  it("is not signed in, by code or recovery code", async () => {
    const secret = await enabled("dan");
    const client = await halfway("dan");
    const csrf = await client.csrf("/tfa");
    await registry.database.sql`update users set deactivated_at = now() where username = 'dan'`;
    for (const code of [codeOf(secret), RECOVERY_CODES[0] ?? ""]) {
      expect(location(await client.post("/tfa", { code, csrf }))).toEqual([302, "/login"]);
    }
    expect((await client.send("/account")).status).toBe(302);
    const rows = await registry.database.sql`
      select used_at from recovery_codes r join users u on u.id = r.user_id where username = 'dan'`;
    expect(rows.map((row) => row.used_at)).toEqual([null, null]);
  });
});

describe("a secret of the API that is not the one of before", () => {
  it("leaves recovery codes, with which the second factor is set up anew", async () => {
    await enabled("eve");
    await registry.database.sql`
      update totp_secrets set sealed_secret = (select sealed_secret from totp_secrets t join users u on u.id = t.user_id where username = 'ann')
      where user_id = (select id from users where username = 'eve')`;
    const client = await halfway("eve");
    expect((await client.post("/tfa", { code: "123456" })).status).toBe(400);
    expect(logged.filter((line) => line.includes("SKEP_KEY_SECRET"))).toHaveLength(1);
    expect(location(await client.post("/tfa", { code: RECOVERY_CODES[0] ?? "" }))).toEqual([
      302,
      "/users/eve",
    ]);
    expect(location(await client.post(`${PAGE}/disable`, {}, PAGE))).toEqual([302, PAGE]);
  });
});

it("a secret being set up that does not open gives way to a new one", async () => {
  await registry.user("gus");
  const client = await halfway("gus");
  await client.send(PAGE);
  await registry.database.sql`
    update web_sessions set totp_draft = (select sealed_secret from totp_secrets limit 1) where totp_draft is not null`;
  const csrf = await client.csrf("/account");
  expect(location(await client.post(PAGE, { code: "123456", csrf }))).toEqual([302, PAGE]);
  const shown = await client.send(PAGE);
  expect([shown.status, await shown.text()]).toEqual([
    200,
    expect.stringMatching(/<code>[A-Z2-7 ]{39}<\/code>/),
  ]);
});

it("the secret and the codes are on no page after the set-up", async () => {
  await registry.user("fay");
  const client = await halfway("fay");
  const html = await (await client.send(PAGE)).text();
  const shown = (/<code>([A-Z2-7 ]+)<\/code>/.exec(html)?.[1] ?? "").replaceAll(" ", "");
  expect(shown).toHaveLength(32);
  const bits = [...shown].map((letter) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"),
  );
  const secret = Buffer.from((bits.join("").match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  expect(base32(secret)).toBe(shown);
  remember(secret);
  const codes =
    (await (await client.post(PAGE, { code: codeOf(secret) })).text()).match(
      /[0-9a-f]{5}(?:-[0-9a-f]{5}){3}/g,
    ) ?? [];
  expect(codes).toHaveLength(10);
  for (const code of codes) secrets.add(code);
  const grouped = (shown.match(/.{4}/g) ?? []).join(" ");
  for (const path of [
    PAGE,
    "/account",
    "/account/keys",
    "/account/sessions",
    "/account/emails",
    "/users/fay",
  ]) {
    const page = await (await client.send(path)).text();
    for (const text of [shown, grouped, ...codes]) expect(page, path).not.toContain(text);
  }
  const basic = `Basic ${Buffer.from("fay:password").toString("base64")}`;
  for (const path of ["/users/me", "/users/me/audit-logs", "/users/fay"]) {
    const answer = await registry.request(path, { headers: { authorization: basic } });
    expect(answer.status).toBe(200);
    const text = await answer.text();
    for (const hidden of [shown, grouped, ...codes]) expect(text, path).not.toContain(hidden);
  }
});

it("nothing secret is logged, mailed or audited", async () => {
  const { sql } = registry.database;
  const rows = await sql<{ text: string }[]>`
    select m::text as text from mails m union all select a::text from audit_logs a`;
  expect(rows.length).toBeGreaterThan(1);
  expect(logged.length).toBeGreaterThan(10);
  expect(secrets.size).toBeGreaterThan(20);
  const leaked = [...logged, ...rows.map(({ text }) => text)].filter((line) =>
    [...secrets].some((secret) => line.includes(secret)),
  );
  expect(leaked).toEqual([]);
});
