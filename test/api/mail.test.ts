/** Who is mailed to when, and the links in those mails. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type LinkDependencies,
  requestPasswordReset,
  resetPassword,
  verifyEmail,
} from "../../api/mail/account-links.ts";
import { isMailable, oneLine } from "../../api/mail/address.ts";
import { tellMemberAdded, tellTotpChanged } from "../../api/mail/notices.ts";
import { keysRemovedMail, passwordResetMail, verificationMail } from "../../api/mail/templates.ts";
import type { Sql } from "../../store/postgres/pool.ts";
import { SETTINGS } from "../support/api-settings.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

let registry: TestRegistry;
let sql: Sql;
let now = new Date();
let deps: LinkDependencies & { readonly sql: Sql };
beforeAll(async () => {
  registry = await startRegistry({
    generator: false,
    clock: () => now,
    settings: { trustEmails: false, publishWaitMilliseconds: 0 },
  });
  sql = registry.database.sql;
  deps = {
    sql,
    clock: () => now,
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    settings: { ...SETTINGS, publicUrl: "http://skep.example" },
  };
});
afterAll(() => registry.stop());
beforeEach(async () => {
  await sql`delete from mails`;
});

interface Row {
  readonly kind: string;
  readonly recipient: string;
  readonly subject: string;
  readonly text: string;
}
const mails = () => sql<Row[]>`
  select kind, recipient, subject, body_text as text from mails order by kind, recipient`;
const sent = async () => (await mails()).map(({ kind, recipient }) => [kind, recipient.split("@")[0]]);

const send = (method: string, path: string, authorization: string | undefined, body: object = {}) =>
  registry.request(path, {
    method,
    headers: {
      ...(authorization === undefined ? {} : { authorization }),
      "content-type": "application/json",
    },
    body: JSON.stringify(body),
  });
const publish = (authorization: string, name: string, version = "1.0.0") =>
  registry.request("/publish", {
    method: "POST",
    headers: { authorization },
    body: new Uint8Array(packageTarball({ metadata: { name, version } })),
  });

describe("3.6: verification", () => {
  const register = async (username: string) => {
    const response = await send("POST", "/users", undefined, {
      username,
      password: "long enough",
      email: `${username}@example.com`,
    });
    expect(response.status).toBe(201);
    const [mail] = await mails();
    const url = new URL(/http\S+verify\S+/.exec(mail?.text ?? "")?.[0] ?? "");
    return { mail, url, link: Object.fromEntries(url.searchParams) as Parameters<typeof verifyEmail>[1] };
  };
  const me = (username: string) =>
    registry.request("/users/me", {
      headers: { authorization: `Basic ${btoa(`${username}:long enough`)}` },
    });

  it("7.2: a new account gets one mail, to its address, with a link to verify it", async () => {
    const { mail, url, link } = await register("newcomer");
    expect(await sent()).toEqual([["verification", "newcomer"]]);
    expect(mail?.subject).toBe("[local] Verify your e-mail address");
    expect(url.origin + url.pathname).toBe(`${registry.url}/email/verify`);
    expect(link).toEqual({
      username: "newcomer",
      email: "newcomer@example.com",
      key: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(await (await me("newcomer")).json()).toMatchObject({ status: 403, message: "email not verified" });

    expect(await verifyEmail(deps, { ...link, key: "0".repeat(32) })).toBe(false);
    expect(await verifyEmail(deps, { ...link, username: "ann" })).toBe(false);
    const opened = await fetch(url, { redirect: "manual" });
    expect([opened.status, opened.headers.get("location")]).toEqual([302, "/"]);
    expect((await me("newcomer")).status).toBe(200);
    expect(await verifyEmail(deps, link)).toBe(false);
  });

  it("the key is not stored", async () => {
    const { link } = await register("careful");
    await sql`delete from mails`;
    const rows = await sql`select row_to_json(e)::text as text from emails e`;
    expect(JSON.stringify(rows)).not.toContain(link.key);
  });

  it("a link runs out after 24 hours", async () => {
    const { link } = await register("late");
    const before = now;
    now = new Date(before.getTime() + 24 * 3_600_000);
    expect(await verifyEmail(deps, link)).toBe(false);
    now = new Date(before.getTime() + 24 * 3_600_000 - 1_000);
    expect(await verifyEmail(deps, link)).toBe(true);
    now = before;
  });

  it("an address that another account has verified since is not verified twice", async () => {
    const { link } = await register("second");
    const id = await registry.user("first");
    await sql`update emails set email = 'second@example.com' where user_id = ${id}`;
    expect(await verifyEmail(deps, link)).toBe(false);
  });

  it("a link with what no text column holds is a wrong one", async () => {
    expect(await verifyEmail(deps, { username: "ann\0", email: "a@b.c", key: "\ud800" })).toBe(false);
  });
});

describe("a new password", () => {
  const ask = async (username: string) => {
    const id = await registry.user(username);
    await sql`delete from mails`;
    await sql.begin((tx) => requestPasswordReset(deps, tx, { id, username }));
    const [mail] = await mails();
    expect(mail).toMatchObject({ kind: "password-reset", recipient: `${username}@example.com` });
    const key = /key=([0-9a-f]{32})/.exec(mail?.text ?? "")?.[1] ?? "";
    return { username, key, password: "another one" };
  };
  const nothing = async () => undefined;

  it("by a link that works once", async () => {
    const link = await ask("forgetful");
    expect(await resetPassword(deps, { ...link, key: "0".repeat(32) }, nothing)).toBeUndefined();
    expect(await resetPassword(deps, link, nothing)).toMatchObject({ username: "forgetful" });
    const authorization = `Basic ${btoa("forgetful:another one")}`;
    expect((await registry.request("/users/me", { headers: { authorization } })).status).toBe(200);
    expect(await resetPassword(deps, { ...link, password: "a third one" }, nothing)).toBeUndefined();
    expect(await sent()).toContainEqual(["password-changed", "forgetful"]);
  });

  it("the key of another account, an older key, and one that has run out do nothing", async () => {
    const older = await ask("slow");
    const link = await ask("slow");
    await registry.user("thief");
    expect(await resetPassword(deps, older, nothing)).toBeUndefined();
    expect(await resetPassword(deps, { ...link, username: "thief" }, nothing)).toBeUndefined();
    const before = now;
    now = new Date(before.getTime() + 25 * 3_600_000);
    expect(await resetPassword(deps, link, nothing)).toBeUndefined();
    now = before;
  });

  it("stays the old one when what belongs to the change fails", async () => {
    const link = await ask("unlucky");
    const fail = () => Promise.reject(new Error("audit failed"));
    await expect(resetPassword(deps, link, fail)).rejects.toThrow("audit failed");
    const authorization = `Basic ${btoa("unlucky:password")}`;
    expect((await registry.request("/users/me", { headers: { authorization } })).status).toBe(200);
    expect(await resetPassword(deps, link, nothing)).toBeDefined();
  });
});

describe("appendix D", () => {
  let ann: string;
  beforeAll(async () => {
    ann = await registry.key("ann");
    for (const name of ["bob", "carol", "dave"]) await registry.user(name);
    expect((await publish(ann, "shared")).status).toBe(201);
    await registry.own("bob", "shared", "maintainer");
  });

  it("publish and replace: to every owner", async () => {
    expect((await publish(ann, "shared", "1.1.0")).status).toBe(201);
    expect(await sent()).toEqual([
      ["published", "ann"],
      ["published", "bob"],
    ]);
    expect((await mails())[0]?.subject).toBe("[local] shared 1.1.0 was published");
    expect((await publish(ann, "shared", "1.1.0")).status).toBe(200);
    expect(await sent()).toHaveLength(4);
  });

  it("publish: not to owners who do not want it, or whose account is closed", async () => {
    await sql`update users set optional_mail = false where username = 'bob'`;
    await sql`update users set deactivated_at = now() where username = 'carol'`;
    await registry.own("carol", "shared", "maintainer");
    await publish(ann, "shared", "1.2.0");
    expect(await sent()).toEqual([["published", "ann"]]);
    await sql`update users set optional_mail = true, deactivated_at = null`;
    await sql`delete from package_owners where user_id = (select id from users where username = 'carol')`;
  });

  it("a publish that fails is told to nobody", async () => {
    expect((await publish(await registry.key("dave"), "shared", "1.3.0")).status).toBe(403);
    expect(await sent()).toEqual([]);
  });

  it("owner added, removed: to the owners and the one whom it is about, once each", async () => {
    expect((await send("PUT", "/packages/shared/owners/carol", ann)).status).toBe(204);
    expect(await sent()).toEqual([
      ["owner-added", "ann"],
      ["owner-added", "bob"],
      ["owner-added", "carol"],
    ]);
    await sql`delete from mails`;
    expect((await send("DELETE", "/packages/shared/owners/carol", ann)).status).toBe(204);
    expect(await sent()).toEqual([
      ["owner-removed", "ann"],
      ["owner-removed", "bob"],
      ["owner-removed", "carol"],
    ]);
  });

  it("owner transferred: to those who are owners no longer, too", async () => {
    await publish(ann, "given");
    await sql`delete from mails`;
    expect((await send("PUT", "/packages/given/owners/dave", ann, { transfer: true })).status).toBe(204);
    expect(await sent()).toEqual([
      ["owner-transferred", "ann"],
      ["owner-transferred", "dave"],
    ]);
  });

  it("key made and removed: to its owner, who has to get it; one mail for all of them", async () => {
    const key = await registry.key("eve");
    await sql`update users set optional_mail = false where username = 'eve'`;
    for (const name of ["one", "two"]) expect((await send("POST", "/keys", key, { name })).status).toBe(201);
    expect(await sent()).toEqual([
      ["key-made", "eve"],
      ["key-made", "eve"],
    ]);
    await sql`delete from mails`;
    expect((await send("DELETE", "/keys/one", key)).status).toBe(200);
    expect((await mails()).map(({ subject }) => subject)).toEqual(["[local] API key one removed"]);
    await sql`delete from mails`;
    expect((await send("DELETE", "/keys", key)).status).toBe(200);
    const all = await mails();
    expect(all).toHaveLength(1);
    expect(all[0]?.subject).toBe("[local] 2 API keys removed");
    expect(all[0]?.text).toContain("- two");
  });

  it("an address that is not verified gets nothing but its verification", async () => {
    const key = await registry.key("unproven", undefined, { verified: false });
    expect((await send("POST", "/keys", key, { name: "early" })).status).toBe(201);
    expect(await sent()).toEqual([]);
  });

  it("TOTP and members", async () => {
    const id = await registry.user("ann");
    await sql.begin(async (tx) => {
      await tellTotpChanged(tx, deps.settings, { id, username: "ann" }, "enabled");
      await tellMemberAdded(tx, deps.settings, "acme", { id, role: "write" });
    });
    expect((await mails()).map(({ subject }) => subject)).toEqual([
      "[local] You are a member of acme now",
      "[local] Two-factor authentication was enabled",
    ]);
  });

  it("nothing where nobody delivers mails", async () => {
    const id = await registry.user("ann");
    const settings = { ...deps.settings, mail: false };
    await sql.begin((tx) => tellTotpChanged(tx, settings, { id, username: "ann" }, "enabled"));
    expect(await sent()).toEqual([]);
  });
});

describe("texts", () => {
  const sender = { name: "acme", url: "https://hex.acme.example" };

  it("have names of others escaped and on one line", () => {
    const name = '<img src=x onerror="alert(1)">\r\nBcc: eve@example.com\u202e';
    const { subject, text, html } = keysRemovedMail(sender, "ann", [name]);
    expect(subject).not.toMatch(/[\r\n\u202e]/);
    expect(text).not.toMatch(/\r|^Bcc/m);
    expect(html).not.toContain("<img");
    expect(html).toContain("&lt;img src=x onerror=&quot;alert(1)&quot;&gt;");
  });

  it("carry links with every value in its escaped form", () => {
    const account = { username: "a.b", email: "a+b&c=d@example.com", key: "0123" };
    const { text, html } = verificationMail(sender, account);
    const link = new URL(/https\S+/.exec(text)?.[0] ?? "");
    expect(Object.fromEntries(link.searchParams)).toEqual(account);
    expect(html).toContain("&amp;key=0123");
    expect(passwordResetMail(sender, account).text).toContain(
      "https://hex.acme.example/password/new?username=a.b&key=0123\n",
    );
  });

  it("keep the length of a line within bounds", () => {
    expect([...oneLine("n".repeat(5_000))]).toHaveLength(200);
  });
});

it.each([
  ["ann@example.com", true],
  ["ann+tag@sub.example.com", true],
  ["änn@exämple.com", true],
  ["ann@localhost", false],
  ["ann@example.", false],
  ["@example.com", false],
  ["ann@b@example.com", false],
  ["ann,eve@example.com", false],
  ["<ann@example.com>", false],
  ["ann@example.com\r\nbcc: eve", false],
  ["ann\u0000@example.com", false],
  ['"ann"@example.com', false],
  [`${"a".repeat(250)}@example.com`, false],
])("isMailable(%j) is %s", (address, expected) => {
  expect(isMailable(address)).toBe(expected);
});
