/** The pages in a real browser: what a person does, with a keyboard, on a phone, and what an attacker tries. */
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { hasChromium, openBrowser, openPage } from "../support/browser.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

const HOSTILE = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>"'&`;

describe.skipIf(!hasChromium())("pages in Chromium", () => {
  let registry: TestRegistry;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    [registry, browser] = await Promise.all([startRegistry(), openBrowser()]);
    // The generator's first look at the database records its key.
    await vi.waitFor(async () => {
      expect(await registry.database.sql`select from signing_keys`).toHaveLength(1);
    }, 10_000);
  });
  afterAll(async () => {
    await browser?.close();
    await registry?.stop();
  });
  beforeEach(async () => {
    complaints.length = 0;
    ({ context, page } = await openPage(browser, { baseURL: registry.url }, complaints));
  });
  afterEach(() => context.close());

  async function signIn(username: string): Promise<void> {
    await registry.user(username);
    await page.goto("/login");
    await page.getByLabel("User name or e-mail address").fill(username);
    await page.getByLabel("Password").fill("password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(`**/users/${username}`);
  }

  it("the start page has this installation's own commands", async () => {
    await page.goto("/");
    const text = await page.locator("main").innerText();
    expect(text).toContain(`mix hex.repo add local ${registry.url}/repo \\\n  --fetch-public-key SHA256:`);
    expect(text).toContain(`api_url => <<"${registry.url}/api">>`);
    expect(text).toContain("-----BEGIN PUBLIC KEY-----");
    expect(complaints).toEqual([]);
  });

  it("somebody signs up, makes a key with the keyboard alone, and the key works until it is revoked", async () => {
    await page.goto("/signup");
    await page.keyboard.type("Nina");
    for (const text of ["nina@example.com", HOSTILE, "long enough", "long enough"]) {
      await page.keyboard.press("Tab");
      await page.keyboard.type(text);
    }
    await page.keyboard.press("Enter");
    await page.waitForURL("**/account");
    expect(await page.getByLabel("Full name").inputValue()).toBe(HOSTILE);

    await page.goto("/account/keys");
    await page.getByLabel("Name", { exact: true }).focus();
    await page.keyboard.type("laptop");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Your new key" }).waitFor();
    const secret = await page.getByLabel("Secret of the key").innerText();
    expect(secret).toMatch(/^[0-9a-f]{32}$/);
    const status = async () =>
      (await registry.request("/users/me", { headers: { authorization: secret } })).status;
    expect(await status()).toBe(200);

    await page.getByRole("link", { name: "I have kept it" }).click();
    expect(await page.content()).not.toContain(secret);
    await page.getByRole("button", { name: "Revoke laptop" }).click();
    await page.getByText("The key is revoked").waitFor();
    expect(await status()).toBe(401);
    await page.reload();
    expect(await page.getByText("The key is revoked").count()).toBe(0);
    expect(await page.title()).not.toBe("owned");
    expect(complaints).toEqual([]);
  });

  it("tells what is wrong at the top, and there the keyboard begins", async () => {
    await page.goto("/signup");
    await page.getByLabel("User name").fill("me");
    await page.getByLabel("Password", { exact: true }).fill("short");
    await page.getByRole("button", { name: "Sign up" }).click();
    const alert = page.getByRole("alert");
    expect(await alert.locator("li").allInnerTexts()).toEqual([
      "User name is reserved.",
      "Password should be at least 8 characters.",
      "Repeated password does not match password.",
      "E-mail address can't be blank.",
    ]);
    expect(await page.evaluate("document.activeElement.className")).toBe("problems");
    await alert.getByRole("link", { name: "Password should" }).click();
    expect(await page.evaluate("document.activeElement.id")).toBe("password");
    expect(await page.getByLabel("Password", { exact: true }).getAttribute("aria-describedby")).toBe(
      "password-hint password-problem",
    );
    expect(complaints.filter((text) => !text.includes("400"))).toEqual([]);
  });

  it("a name that somebody else chose stays text", async () => {
    await registry.key("olga");
    await registry.database.sql`update users set full_name = ${HOSTILE} where username = 'olga'`;
    await registry.database.sql`update keys set name = ${HOSTILE}`;
    await page.goto("/users/olga");
    expect(await page.locator(".lead").innerText()).toBe(HOSTILE);
    await signIn("olga");
    await page.goto("/account/keys");
    expect(await page.getByRole("heading", { level: 3 }).innerText()).toBe(HOSTILE);
    expect(await page.title()).not.toBe("owned");
    expect(await page.locator("main img, main script").count()).toBe(0);
  });

  it("a password changed in one browser signs the others out", async () => {
    await signIn("paul");
    const other = await browser.newContext({ baseURL: registry.url });
    const otherPage = await other.newPage();
    await otherPage.goto("/login?return=/account/sessions");
    await otherPage.getByLabel("User name or e-mail address").fill("paul@example.com");
    await otherPage.getByLabel("Password").fill("password");
    await otherPage.keyboard.press("Enter");
    await otherPage.getByRole("heading", { name: "Sessions" }).waitFor();
    expect(await otherPage.locator("main li").count()).toBe(2);

    await registry.database.sql`update web_sessions set sudo_until = null`;
    await page.goto("/account/password");
    await page.waitForURL("**/sudo?return=%2Faccount%2Fpassword");
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByRole("alert").waitFor();
    await page.getByLabel("Password").fill("password");
    await page.getByRole("button", { name: "Go on" }).click();
    await page.waitForURL("**/account/password");
    await page.getByLabel("New password", { exact: true }).fill("another one");
    await page.getByLabel("New password once more").fill("another one");
    await page.getByRole("button", { name: "Change the password" }).click();
    await page.getByText("Your password is changed").waitFor();

    await otherPage.reload();
    expect(new URL(otherPage.url()).pathname).toBe("/login");
    await other.close();
    const [entry] = await registry.database
      .sql`select params from audit_logs where action = 'password.update'`;
    expect(entry?.params).toEqual({ username: "paul" });
  });

  it("fits a phone: nothing is wider than it", async () => {
    await page.setViewportSize({ width: 320, height: 640 });
    await signIn("rosa");
    await registry.key("rosa");
    for (const path of [
      "/",
      "/signup",
      "/account",
      "/account/keys",
      "/account/sessions",
      "/account/emails",
      "/users/rosa",
    ]) {
      await page.goto(path);
      const width = await page.evaluate("document.documentElement.scrollWidth");
      expect(width, path).toBeLessThanOrEqual(320);
    }
  });

  const shots = process.env.SKEP_SHOTS;
  it.skipIf(shots === undefined)(
    "pictures to look at",
    async () => {
      await signIn("viola");
      await registry.database.sql`
      insert into emails (user_id, email, verified)
      select id, 'viola@work.example', false from users where username = 'viola'`;
      await registry.key("viola", [{ domain: "package", resource: "local/decimal" }]);
      const pictures: [string, string][] = [
        ["start", "/"],
        ["user", "/users/viola"],
        ["account", "/account"],
        ["keys", "/account/keys"],
        ["sessions", "/account/sessions"],
        ["emails", "/account/emails"],
        ["password", "/account/password"],
        ["missing", "/nothing"],
      ];
      const out: [string, string][] = [
        ["sign-in", "/login"],
        ["sign-up", "/signup"],
      ];
      const shoot = async (list: [string, string][]) => {
        for (const scheme of ["light", "dark"] as const) {
          for (const width of [390, 1_100]) {
            await page.emulateMedia({ colorScheme: scheme });
            await page.setViewportSize({ width, height: 800 });
            for (const [name, path] of list) {
              await page.goto(path);
              await page.screenshot({ path: `${shots}/${name}-${scheme}-${width}.png`, fullPage: true });
            }
          }
        }
      };
      await shoot(pictures);
      await page.getByRole("button", { name: "Sign out" }).click();
      await shoot(out);
      await page.goto("/login");
      await page.getByLabel("Password").press("Enter");
      await page.getByRole("alert").waitFor();
      await page.screenshot({ path: `${shots}/refused-dark-1100.png`, fullPage: true });
    },
    60_000,
  );
});
