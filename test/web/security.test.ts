/** What must hold of pages whatever the browser: tokens, cookies, redirects, headers. Without a browser. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hashToken } from "../../api/auth/token-hash.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { WebClient } from "./client.ts";

let registry: TestRegistry;
let now = Date.now();
const logged: string[] = [];
beforeAll(async () => {
  const keep = (fields: object, message: string) => logged.push(JSON.stringify(fields) + message);
  const log = { info: keep, warn: keep, error: keep };
  registry = await startRegistry({ generator: false, clock: () => new Date(now), log });
  await registry.user("ann");
});
afterAll(() => registry.stop());

/** What no log may hold. */
const SECRETS = ["scrypt$", "evil.example", "made-up"];

class Client extends WebClient {
  constructor() {
    super(registry.url, (secret) => SECRETS.push(secret));
  }

  login({ username = "ann", password = "password", ...rest }: Record<string, string> = {}) {
    return this.signIn(username, password, rest);
  }
}

const sessions = () =>
  registry.database.sql<{ secret_hash: string }[]>`select secret_hash from web_sessions order by id`;

describe("every page", () => {
  it.each(["/", "/login", "/signup", "/nothing", "/users/nobody"])(
    "%s runs nothing and is framed by nobody",
    async (path) => {
      const { headers } = await new Client().send(path);
      const policy = headers.get("content-security-policy") ?? "";
      expect(policy).toMatch(
        /^default-src 'none'; style-src 'sha256-[\w+/=]+'; img-src 'self'; form-action 'self'; /,
      );
      expect(policy).toContain("frame-ancestors 'none'; base-uri 'none'");
      expect(Object.fromEntries(headers)).toMatchObject({
        "cache-control": "no-store",
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "content-type": "text/html; charset=utf-8",
      });
    },
  );

  it("that is not there is HTML for browsers alone", async () => {
    const [html, text] = await Promise.all([
      new Client().send("/nothing"),
      new Client().send("/nothing", { headers: { accept: "*/*" } }),
    ]);
    expect([html.status, text.status, await text.text()]).toEqual([404, 404, "not found\n"]);
    expect(await html.text()).toContain("Page not found");
    expect(
      (await new Client().send("/api/nothing", { headers: { accept: "*/*" } })).headers.get("content-type"),
    ).toContain("json");
  });

  it("names a broken database and no details", async () => {
    await registry.database.sql`alter table users rename to users_away`;
    try {
      const response = await new Client().send("/users/ann");
      expect(response.status).toBe(500);
      expect(await response.text()).not.toMatch(/users_away|relation|PostgresError/);
    } finally {
      await registry.database.sql`alter table users_away rename to users`;
    }
  });
});

describe("forms", () => {
  it.each([
    ["no token", ""],
    ["a made-up token", "made-up"],
  ])("with %s are refused", async (_, csrf) => {
    const client = new Client();
    await client.csrf("/login");
    expect((await client.login({ csrf })).status).toBe(403);
  });

  it("with another browser's token are refused", async () => {
    const [own, other] = [new Client(), new Client()];
    const csrf = await other.csrf("/login");
    await own.csrf("/login");
    expect((await own.login({ csrf })).status).toBe(403);
    expect((await new Client().login({ csrf })).status).toBe(403);
  });

  it("with the token from before the sign-in are refused after it", async () => {
    const client = new Client();
    const csrf = await client.csrf("/login");
    await client.login();
    expect((await client.post("/logout", { csrf })).status).toBe(403);
  });

  it.each([
    ["another type", "application/json", "{}", 415],
    ["too much", "application/x-www-form-urlencoded", `a=${"x".repeat(70_000)}`, 413],
    ["too many fields", "application/x-www-form-urlencoded", "a&".repeat(1_000), 400],
    ["no UTF-8", "application/x-www-form-urlencoded", "\u00ff", 403],
    ["a NUL", "application/x-www-form-urlencoded", "username=%00", 400],
  ])("of %s", async (_, type, body, status) => {
    const response = await new Client().send("/login", {
      method: "POST",
      headers: { "content-type": type },
      body,
    });
    expect(response.status).toBe(status);
  });
});

describe("sessions", () => {
  it("have a new secret at each sign-in, of which the hash alone is kept", async () => {
    const client = new Client();
    await client.csrf("/login");
    const planted = client.cookie ?? "";
    const response = await client.login();
    expect([response.status, response.headers.get("location")]).toEqual([302, "/users/ann"]);
    expect(client.cookie).toMatch(/^[\w-]{43}$/);
    expect(client.cookie).not.toBe(planted);
    expect(client.lastSetCookie.at(-1)).toMatch(/; Path=\/; HttpOnly; SameSite=Lax$/);
    const hashes = (await sessions()).map((row) => row.secret_hash);
    expect(hashes).toContain(hashToken(client.cookie ?? ""));
    expect(hashes).not.toContain(client.cookie);

    const before = client.cookie ?? "";
    await client.post("/logout", {}, "/account");
    const thief = new Client();
    thief.cookie = before;
    expect((await thief.send("/account")).headers.get("location")).toBe("/login?return=%2Faccount");
    thief.cookie = planted;
    expect((await thief.send("/account")).status).toBe(302);
  });

  it("end after 30 days, and with the account", async () => {
    const client = new Client();
    await client.login();
    expect((await client.send("/account")).status).toBe(200);
    const start = now;
    now += 31 * 86_400_000;
    expect((await client.send("/account")).status).toBe(302);
    now = start;
    await registry.database.sql`update users set deactivated_at = now() where username = 'ann'`;
    expect((await client.send("/account")).status).toBe(302);
    expect((await new Client().login()).status).toBe(400);
    await registry.database.sql`update users set deactivated_at = null where username = 'ann'`;
  });

  it("ask for the password again after an hour, before what changes the account", async () => {
    const client = new Client();
    await client.login();
    expect((await client.send("/account/password")).status).toBe(200);
    const start = now;
    now += 61 * 60_000;
    expect((await client.send("/account/password")).headers.get("location")).toBe(
      "/sudo?return=%2Faccount%2Fpassword",
    );
    const made = await client.post("/account/keys", { name: "k", access: "all" });
    expect(made.headers.get("location")).toBe("/sudo?return=%2Faccount%2Fkeys");
    const wrong = await client.post("/sudo", { type: "password", password: "wrong" });
    expect(wrong.status).toBe(400);
    const right = await client.post("/sudo", {
      type: "password",
      password: "password",
      return: "/account/keys",
    });
    expect(right.headers.get("location")).toBe("/account/keys");
    expect((await client.send("/account/password")).status).toBe(200);
    now = start;
  });

  it("9.4: are five at most; the one not used for the longest time ends", async () => {
    await registry.user("finn");
    const browsers: Client[] = [];
    for (let count = 0; count < 6; count += 1) {
      const browser = new Client();
      await browser.login({ username: "finn" });
      browsers.push(browser);
      now += 1_000;
    }
    const statuses = [];
    for (const browser of browsers) statuses.push((await browser.send("/account")).status);
    expect(statuses).toEqual([302, 200, 200, 200, 200, 200]);
  });

  it("of others cannot be ended", async () => {
    const [own, other] = [new Client(), new Client()];
    await registry.user("bob");
    await own.login();
    await other.login({ username: "bob" });
    const [row] = await registry.database.sql<{ id: number }[]>`select max(id) as id from web_sessions`;
    await own.post("/account/sessions/end", { id: String(row?.id) }, "/account");
    expect((await other.send("/account")).status).toBe(200);
  });
});

describe("10: sign-in", () => {
  it.each([
    ["/account/keys", "/account/keys"],
    ["/oauth/device?user_code=ABCDEFGH", "/oauth/device?user_code=ABCDEFGH"],
    ["https://evil.example", "/users/ann"],
    ["//evil.example", "/users/ann"],
    ["/\\evil.example", "/users/ann"],
    ["/%2fevil.example", "/users/ann"],
    ["/%5Cevil.example", "/users/ann"],
    ["/\t/evil.example", "/users/ann"],
    ["/%09/evil.example", "/users/ann"],
    ["/\r\n/evil.example", "/users/ann"],
  ])("leads from %j to %s", async (asked, target) => {
    const response = await new Client().login({ return: asked });
    expect(response.headers.get("location")).toBe(target);
    const signedIn = new Client();
    await signedIn.login();
    const again = await signedIn.send(`/login?return=${encodeURIComponent(asked)}`);
    expect(again.headers.get("location")).toBe(target);
  });

  it("says the same of a wrong password and an unknown name: 400", async () => {
    const answers = await Promise.all(
      [{ password: "wrong" }, { username: "zoe" }].map((fields) => new Client().login(fields)),
    );
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    const told = texts.map((text) => /<ul><li>.*?<\/ul>/.exec(text)?.[0]);
    expect(answers.map((answer) => answer.status)).toEqual([400, 400]);
    expect(told[0]).toContain("User name, e-mail address or password is wrong");
    expect(told[1]).toBe(told[0]);
  });

  it("refuses an unverified address: 400", async () => {
    await registry.user("una", { verified: false });
    const response = await new Client().login({ username: "una" });
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining("not verified")]);
  });
});

it("under TLS the cookie is for this host alone, and for TLS alone", async () => {
  const secure = await startRegistry({
    generator: false,
    settings: { publicUrl: "https://hex.example" },
  });
  try {
    const { headers } = await fetch(`${secure.url}/login`, { headers: { accept: "text/html" } });
    expect(headers.get("set-cookie")).toMatch(
      /^__Host-skep=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
  } finally {
    await secure.stop();
  }
});

it("nothing secret is logged", () => {
  expect(logged.length).toBeGreaterThan(10);
  const leaked = logged.filter((line) => SECRETS.some((secret) => line.includes(secret)));
  expect(leaked).toEqual([]);
});
