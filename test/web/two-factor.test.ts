/** A second factor from being turned on to being lost. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { totpCode } from "../../api/auth/totp.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { WebClient } from "./client.ts";

let registry: TestRegistry;
let ahead = 0;
beforeAll(async () => {
  registry = await startRegistry({ generator: false, clock: () => new Date(Date.now() + ahead) });
});
afterAll(() => registry.stop());
// Windows of failures begin anew.
beforeEach(() => {
  ahead += 3_600_000;
});

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
function fromBase32(text: string): Buffer {
  const bits = [...text].map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, "0")).join("");
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
const codeOf = (secret: Buffer) => totpCode(secret, Math.floor((Date.now() + ahead) / 1000));

const PAGE = "/account/two-factor";

/** @returns the secret that the page shows. */
async function shownSecret(client: WebClient): Promise<Buffer> {
  const html = await (await client.send(PAGE)).text();
  return fromBase32((/<code>([A-Z2-7 ]+)<\/code>/.exec(html)?.[1] ?? "").replaceAll(" ", ""));
}

/** @returns a user with a second factor: its browser, secret and recovery codes. */
async function enabled(username: string) {
  await registry.user(username);
  const client = new WebClient(registry.url);
  await client.signIn(username);
  const secret = await shownSecret(client);
  const shown = await client.post(PAGE, { code: codeOf(secret) });
  expect(shown.status).toBe(200);
  const codes = (await shown.text()).match(/[0-9a-f]{5}(?:-[0-9a-f]{5}){3}/g) ?? [];
  expect(codes).toHaveLength(10);
  return { client, secret, codes };
}

const location = (response: Response) => [response.status, response.headers.get("location")];
const auditOf = async (username: string) =>
  (
    await registry.database.sql<{ action: string }[]>`
      select action from audit_logs a join users u on u.id = a.user_id where u.username = ${username} order by a.id`
  ).map(({ action }) => action);
const mailsTo = async (address: string) =>
  (
    await registry.database.sql<{ subject: string }[]>`
      select subject from mails where recipient = ${address} order by id`
  ).length;

describe("turning it on", () => {
  it("shows one secret until a code confirms it, and never again", async () => {
    await registry.user("ann");
    const client = new WebClient(registry.url);
    await client.signIn("ann");
    const secret = await shownSecret(client);
    expect(secret).toHaveLength(20);
    expect(await shownSecret(client)).toEqual(secret);
    const wrong = await client.post(PAGE, { code: "000000" });
    expect([wrong.status, await wrong.text()]).toEqual([400, expect.stringContaining("The code is wrong")]);
    expect(await shownSecret(client)).toEqual(secret);
    const done = await client.post(PAGE, { code: codeOf(secret) });
    const html = await done.text();
    expect(html).toContain("Your recovery codes");
    const later = await (await client.send(PAGE)).text();
    expect(later).toContain("10 of them are");
    for (const code of html.match(/[0-9a-f]{5}(?:-[0-9a-f]{5}){3}/g) ?? []) expect(later).not.toContain(code);
    const { sql } = registry.database;
    const [kept] = await sql<{ text: string }[]>`
      select (select string_agg(t::text, '') from totp_secrets t) || (select string_agg(r::text, '') from recovery_codes r)
        || (select string_agg(w::text, '') from web_sessions w) || (select string_agg(a::text, '') from audit_logs a) as text`;
    expect(kept?.text).not.toContain(secret.toString("hex"));
    expect(await auditOf("ann")).toEqual(["security.update"]);
    expect(await mailsTo("ann@example.com")).toBe(1);
  });

  it("needs the password of late", async () => {
    await registry.user("bob");
    const client = new WebClient(registry.url);
    await client.signIn("bob");
    ahead += 3_601_000;
    const path = encodeURIComponent(PAGE);
    expect(location(await client.send(PAGE))).toEqual([302, `/sudo?return=${path}`]);
    expect(location(await client.post(`${PAGE}/disable`, {}, "/account/keys"))).toEqual([
      302,
      expect.stringContaining("/sudo?return="),
    ]);
  });
});

describe("signing in", () => {
  it("takes a code after the password; until then the browser is nobody", async () => {
    const { secret } = await enabled("cid");
    const client = new WebClient(registry.url);
    expect(location(await client.signIn("cid", "password", { return: "/account/keys" }))).toEqual([
      302,
      "/tfa?return=%2Faccount%2Fkeys",
    ]);
    const halfway = client.cookie;
    expect(location(await client.send("/account"))).toEqual([302, "/login?return=%2Faccount"]);
    expect((await client.post("/tfa", { code: "000000" })).status).toBe(400);
    const done = await client.post("/tfa", { code: codeOf(secret), return: "/account/keys" });
    expect(location(done)).toEqual([302, "/account/keys"]);
    expect(client.cookie).not.toBe(halfway);
    expect((await client.send("/account")).status).toBe(200);
    // And grants what the password alone no longer does.
    expect((await client.send(PAGE)).status).toBe(200);
  });

  it("leads to no other site", async () => {
    const { secret } = await enabled("cleo");
    for (const target of ["//evil.example", "/\\evil.example", "https://evil.example", "/%2fevil.example"]) {
      const client = new WebClient(registry.url);
      await client.signIn("cleo");
      const done = await client.post("/tfa", { code: codeOf(secret), return: target });
      expect(location(done)).toEqual([302, "/users/cleo"]);
    }
  });

  it("10: waits fifteen minutes for the code", async () => {
    const { secret } = await enabled("dan");
    const client = new WebClient(registry.url);
    await client.signIn("dan");
    ahead += 901_000;
    expect(location(await client.post("/tfa", { code: codeOf(secret) }, "/login"))).toEqual([302, "/login"]);
  });

  it("takes a recovery code once, and no code of somebody else", async () => {
    const { codes } = await enabled("eve");
    const { codes: foreign } = await enabled("fay");
    const [code = ""] = codes;
    const trying = async (text: string) => {
      const client = new WebClient(registry.url);
      await client.signIn("eve");
      return location(await client.post("/tfa", { code: text }));
    };
    expect(await trying(foreign[0] ?? "")).toEqual([400, null]);
    expect(await trying(code.toUpperCase())).toEqual([302, "/users/eve"]);
    expect(await trying(code)).toEqual([400, null]);
    const both = await Promise.all([trying(codes[1] ?? ""), trying(codes[1] ?? "")]);
    expect(both.map(([status]) => status).sort()).toEqual([302, 400]);
    // Its owner hears of each.
    expect((await auditOf("eve")).filter((action) => action === "security.use_recovery_code")).toHaveLength(
      2,
    );
    expect(await mailsTo("eve@example.com")).toBe(3);
  });

  it("1.7: five wrong codes, however many browsers", async () => {
    const { secret } = await enabled("gus");
    const statuses: number[] = [];
    const clients = Array.from({ length: 7 }, () => new WebClient(registry.url));
    for (const client of clients) {
      await client.signIn("gus");
      statuses.push((await client.post("/tfa", { code: "000000" })).status);
    }
    expect(statuses).toEqual([400, 400, 400, 400, 400, 429, 429]);
    expect((await (clients[0] as WebClient).post("/tfa", { code: codeOf(secret) })).status).toBe(429);
  });
});

it("10: sudo takes the code and not the password", async () => {
  const { client, secret } = await enabled("hal");
  ahead += 3_601_000;
  const html = await (await client.send("/sudo")).text();
  expect(html).toContain('name="type" value="tfa"');
  expect((await client.post("/sudo", { password: "password" })).status).toBe(400);
  expect(location(await client.post("/sudo", { type: "tfa", code: codeOf(secret), return: PAGE }))).toEqual([
    302,
    PAGE,
  ]);
  expect((await client.send(PAGE)).status).toBe(200);
});

it("new recovery codes make the old ones worthless", async () => {
  const { client, codes } = await enabled("ivy");
  const shown = await client.post(`${PAGE}/recovery-codes`, {}, PAGE);
  const fresh = (await shown.text()).match(/[0-9a-f]{5}(?:-[0-9a-f]{5}){3}/g) ?? [];
  expect(fresh).toHaveLength(10);
  const other = new WebClient(registry.url);
  await other.signIn("ivy");
  expect((await other.post("/tfa", { code: codes[0] ?? "" })).status).toBe(400);
  expect((await other.post("/tfa", { code: fresh[0] ?? "" })).status).toBe(302);
  expect(await auditOf("ivy")).toEqual([
    "security.update",
    "security.rotate_recovery_codes",
    "security.use_recovery_code",
  ]);
});

it("turned off, the password suffices", async () => {
  const { client } = await enabled("jan");
  expect(location(await client.post(`${PAGE}/disable`, {}, PAGE))).toEqual([302, PAGE]);
  const other = new WebClient(registry.url);
  expect(location(await other.signIn("jan"))).toEqual([302, "/users/jan"]);
  expect(await auditOf("jan")).toEqual(["security.update", "security.update"]);
  expect(await mailsTo("jan@example.com")).toBe(2);
});
