/** Verification, forgotten passwords, and how often one may guess. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SETTINGS } from "../support/api-settings.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { WebClient } from "./client.ts";

let registry: TestRegistry;
let now = Date.now();
beforeAll(async () => {
  registry = await startRegistry({
    generator: false,
    clock: () => new Date(now),
    settings: { trustEmails: false, limits: { ...SETTINGS.limits, signInFailures: 3 } },
  });
});
afterAll(() => registry.stop());

const client = () => new WebClient(registry.url);
/** Every test has a window of time of its own, so that counters do not mix. */
const nextWindow = () => {
  now += 15 * 60_000;
};

/** @returns the links in mails to an address, the newest last, as paths. */
async function links(email: string): Promise<readonly string[]> {
  const rows = await registry.database.sql<{ text: string }[]>`
    select body_text as text from mails where recipient = ${email} order by id`;
  return rows
    .flatMap(({ text }) => /https?:\/\/\S+\/(?:email|password)\/\S+/.exec(text) ?? [])
    .map((url) => url.slice(registry.url.length));
}

const newAccount = { password: "long enough", password_confirmation: "long enough" };

describe("10: /email/verify", () => {
  it("makes an account that may sign in once its address is verified; the link works once", async () => {
    nextWindow();
    const browser = client();
    const made = await browser.post("/signup", {
      ...newAccount,
      username: "vera",
      email: "Vera@example.com",
    });
    expect([made.status, await made.text()]).toEqual([
      200,
      expect.stringContaining("vera@example.com".replace("v", "V")),
    ]);
    expect((await browser.signIn("vera", "long enough")).status).toBe(400);

    const [link = ""] = await links("vera@example.com");
    const opened = await browser.send(link);
    expect([opened.status, opened.headers.get("location")]).toEqual([302, "/"]);
    expect(browser.lastSetCookie.join()).toContain("skep_notice=address-verified");
    await browser.send(link);
    expect(browser.lastSetCookie.join()).toContain("skep_notice=address-not-verified");
    expect((await browser.signIn("vera", "long enough")).status).toBe(302);
  });

  it("is out of date after a day; another link replaces it, and nobody learns who has an account", async () => {
    nextWindow();
    await client().post("/signup", { ...newAccount, username: "vito", email: "vito@example.com" });
    now += 25 * 3_600_000;
    const browser = client();
    await browser.send((await links("vito@example.com"))[0] ?? "");
    expect(browser.lastSetCookie.join()).toContain("address-not-verified");
    const texts = [];
    for (const username of ["vito", "nobody", "vera"]) {
      texts.push(await (await client().post("/email/verification", { username })).text());
    }
    expect(new Set(texts).size).toBe(1);
    const all = await links("vito@example.com");
    expect(all).toHaveLength(2);
    await browser.send(all[1] ?? "");
    expect(browser.lastSetCookie.join()).toContain("address-verified");
    expect(await links("vera@example.com")).toHaveLength(1);
  });
});

describe("3.6: another address", () => {
  it("counts once its link was opened; then it can be the primary one, and the old one can go", async () => {
    nextWindow();
    const id = await registry.user("emma");
    const browser = client();
    await browser.signIn("emma");
    const list = "/account/emails";
    expect((await browser.post(list, { email: "emma" })).status).toBe(400);
    await registry.user("other");
    expect((await browser.post(list, { email: "other@example.com" })).status).toBe(400);
    expect((await browser.post(list, { email: "Emma@new.example" })).status).toBe(302);
    const rows = () =>
      registry.database.sql<{ id: number; email: string; verified: boolean; is_primary: boolean }[]>`
        select id, email, verified, is_primary from emails where user_id = ${id} order by id`;
    const [old, added] = await rows();
    const change = (row: { readonly id: number } | undefined, action: string) =>
      browser.post("/account/emails/change", { id: String(row?.id), action }, list);
    await change(added, "primary");
    await change(old, "remove");
    expect(await rows()).toMatchObject([{ is_primary: true }, { verified: false, is_primary: false }]);

    await browser.send((await links("emma@new.example"))[0] ?? "");
    await change(added, "primary");
    await change(old, "remove");
    expect(await rows()).toEqual([
      { id: added?.id, email: "emma@new.example", verified: true, is_primary: true },
    ]);
    const audited = await registry.database.sql<{ action: string }[]>`
      select action from audit_logs where user_id = ${id} order by id`;
    expect(audited.map(({ action }) => action)).toEqual(["email.add", "email.primary", "email.remove"]);
  });

  it("of somebody else cannot be touched", async () => {
    nextWindow();
    const id = await registry.user("erik");
    await registry.user("eve");
    await registry.database.sql`
      insert into emails (user_id, email, verified) values (${id}, 'erik@second.example', true)`;
    const rows = () => registry.database.sql`select * from emails where user_id = ${id} order by id`;
    const before = await rows();
    const browser = client();
    await browser.signIn("eve");
    for (const action of ["remove", "primary", "public", "private"]) {
      await browser.post("/account/emails/change", { id: String(before[1]?.id), action }, "/account/emails");
    }
    expect(await rows()).toEqual(before);
  });
});

describe("a forgotten password", () => {
  it("is replaced by a link that works once and signs everybody out", async () => {
    nextWindow();
    await registry.user("paula");
    const signedIn = client();
    await signedIn.signIn("paula");
    const texts = [];
    for (const username of ["paula@example.com", "nobody"]) {
      texts.push(await (await client().post("/password/reset", { username })).text());
    }
    expect(texts[0]).toBe(texts[1]);
    const [link = ""] = await links("paula@example.com");
    const key = new URL(link, registry.url).searchParams.get("key") ?? "";

    const browser = client();
    const reset = (fields: object) =>
      browser.post("/password/new", { username: "paula", key, ...newAccount, ...fields }, link);
    expect((await reset({ password: "short" })).status).toBe(400);
    expect((await reset({ password_confirmation: "another" })).status).toBe(400);
    expect((await reset({ key: "0".repeat(32) })).status).toBe(400);
    expect((await reset({ username: "vera" })).status).toBe(400);
    expect((await reset({})).headers.get("location")).toBe("/login");
    expect((await reset({})).status).toBe(400);
    expect((await signedIn.send("/account")).status).toBe(302);
    expect((await browser.signIn("paula", "password")).status).toBe(400);
    expect((await browser.signIn("paula", "long enough")).status).toBe(302);
    const audited = await registry.database.sql<{ action: string }[]>`
      select action from audit_logs where action like 'password.%' order by id`;
    expect(audited.map(({ action }) => action)).toEqual(["password.reset.init", "password.reset.finish"]);
  });

  it("cannot be chosen a day later", async () => {
    nextWindow();
    await registry.user("pia");
    await client().post("/password/reset", { username: "pia" });
    const [link = ""] = await links("pia@example.com");
    const key = new URL(link, registry.url).searchParams.get("key") ?? "";
    now += 25 * 3_600_000;
    const late = await client().post("/password/new", { username: "pia", key, ...newAccount }, link);
    expect([late.status, await late.text()]).toEqual([400, expect.stringContaining("no longer valid")]);
  });

  it("fills nobody's mailbox", async () => {
    nextWindow();
    await registry.user("polly");
    for (let count = 0; count < 5; count += 1) await client().post("/password/reset", { username: "polly" });
    expect(await links("polly@example.com")).toHaveLength(3);
  });
});

describe("1.7: guessing", () => {
  it("a password from one address ends with 429, for right ones too, until the window does", async () => {
    nextWindow();
    await registry.user("greta");
    const statuses = [];
    for (const password of ["a", "b", "c", "d", "password"]) {
      statuses.push((await client().signIn("greta", password)).status);
    }
    expect(statuses).toEqual([400, 400, 400, 429, 429]);
    nextWindow();
    expect((await client().signIn("greta")).status).toBe(302);
  });

  it("accounts from one address: 30 attempts in 15 minutes", async () => {
    nextWindow();
    const browser = client();
    const csrf = await browser.csrf("/signup");
    const statuses = [];
    for (let count = 0; count < 31; count += 1)
      statuses.push((await browser.post("/signup", { csrf })).status);
    expect([...new Set(statuses.slice(0, 30)), statuses[30]]).toEqual([400, 429]);
  });

  it("the password of a browser that is signed in: 5 in 15 minutes", async () => {
    nextWindow();
    await registry.user("gerd");
    const browser = client();
    await browser.signIn("gerd");
    const statuses = [];
    for (const password of ["a", "b", "c", "d", "e", "password"]) {
      statuses.push((await browser.post("/sudo", { type: "password", password })).status);
    }
    expect(statuses).toEqual([400, 400, 400, 400, 400, 429]);
  });
});

describe("1.7: who is kept out", () => {
  it("a blocked address sees no page; a read-only registry takes no form", async () => {
    nextWindow();
    await registry.database.sql`insert into blocked_addresses (network) values ('127.0.0.1')`;
    await registry.blockList.refresh();
    expect((await client().send("/login")).status).toBe(403);
    await registry.database.sql`delete from blocked_addresses`;
    await registry.blockList.refresh();

    const browser = client();
    const csrf = await browser.csrf("/login");
    await registry.database.sql`insert into read_only_mode (message) values ('moving <house>')`;
    await registry.readOnly.refresh();
    const refused = await browser.signIn("greta", "password", { csrf });
    expect([refused.status, await refused.text()]).toEqual([
      503,
      expect.stringContaining("moving &lt;house&gt;"),
    ]);
    expect((await browser.send("/")).status).toBe(200);
    await registry.database.sql`delete from read_only_mode`;
    await registry.readOnly.refresh();
  });
});
