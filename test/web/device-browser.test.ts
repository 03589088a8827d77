/** A device let in by a person at a real browser: with the keyboard alone, on a phone, under a strict policy. */
import { type Browser, type BrowserContext, devices, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { sealTotpSecret } from "../../api/auth/second-factor.ts";
import { totpCode } from "../../api/auth/totp.ts";
import { enableTotp } from "../../store/queries/totp.ts";
import { DEVICE_GRANT, MIX, type OAuthRegistry, startOAuthRegistry } from "../api/oauth/oauth.ts";
import { hasChromium, openBrowser, openPage } from "../support/browser.ts";

const SECRET = Buffer.from("12345678901234567890");
const HOSTILE = `<img src=x onerror="document.title='owned'">"'&`;
const shots = process.env.SKEP_SHOTS;

describe.skipIf(!hasChromium())("a device in Chromium", () => {
  let registry: OAuthRegistry;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    [registry, browser] = await Promise.all([startOAuthRegistry(), openBrowser()]);
    const { deps } = registry;
    const id = await registry.user("nora");
    await deps.sql.begin((tx) => enableTotp(tx, id, sealTotpSecret(deps, id, SECRET), []));
    await registry.user("plain");
  });
  afterAll(async () => {
    await browser?.close();
    await registry?.stop();
  });
  beforeEach(async () => {
    const options = { baseURL: registry.url, ...devices["iPhone 13"], colorScheme: "dark" } as const;
    complaints.length = 0;
    ({ context, page } = await openPage(browser, options, complaints));
  });
  afterEach(() => context.close());

  const ask = async (name: string) =>
    (await registry.post("/oauth/device_authorization", { client_id: MIX, scope: "api repositories", name }))
      .body;
  const poll = (device_code: string) =>
    registry.post("/oauth/token", { grant_type: DEVICE_GRANT, device_code, client_id: MIX });
  const shoot = (name: string) =>
    shots === undefined ? undefined : page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
  /** The field in which the keyboard begins; a browser goes there a moment after the page has loaded. */
  const focused = (id: string) => page.waitForFunction(`document.activeElement.id === "${id}"`);
  const fits = async () =>
    expect(
      await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"),
    ).toBe(true);

  it("from the link to the tokens, with the keyboard alone", async () => {
    const asked = await ask(HOSTILE);
    await page.goto(asked.verification_uri_complete);
    // Whoever is not signed in comes back here afterwards, second step included.
    await focused("username");
    await page.keyboard.type("nora");
    await page.keyboard.press("Tab");
    await page.keyboard.type("password");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/tfa?return=*");
    await shoot("second-step");
    await focused("code");
    await page.keyboard.type(totpCode(SECRET, Math.floor(Date.now() / 1000)));
    await page.keyboard.press("Enter");
    await page.waitForURL("**/oauth/device?user_code=*");
    const { user_code: code } = asked;
    expect(await page.locator(".user-code").innerText()).toBe(`${code.slice(0, 4)}-${code.slice(4)}`);
    await fits();
    await shoot("device-confirm");
    await page.getByRole("button", { name: "Yes, it shows this code" }).press("Enter");
    await page.waitForURL("**/oauth/device/authorize");
    expect(await page.locator("dd", { hasText: "<img" }).innerText()).toBe(HOSTILE);
    await fits();
    await shoot("device-scopes");
    // All that was asked is ticked; reading cannot be unticked.
    expect(await page.getByRole("checkbox").count()).toBe(3);
    expect(await page.getByRole("checkbox", { name: "See your account" }).isDisabled()).toBe(true);
    await page.getByRole("checkbox", { name: "Fetch from" }).focus();
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Let it in" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("The program is let in").waitFor();
    const { body } = await poll(asked.device_code);
    expect(body.scope).toBe("api:read api:write");
    expect(await page.title()).not.toBe("owned");
    expect(complaints).toEqual([]);
  });

  it("without a second factor it is told what is missing, and may read", async () => {
    const asked = await ask("laptop");
    await page.goto("/oauth/device");
    await page.getByLabel("User name or e-mail address").fill("plain");
    await page.getByLabel("Password").fill("password");
    await page.keyboard.press("Enter");
    await page.getByLabel("Code").fill("no such");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    await shoot("device-wrong");
    // The browser goes there a moment after the page has loaded.
    await page.waitForFunction('document.activeElement.className === "problems"');
    await page.getByLabel("Code").fill(asked.user_code.toLowerCase());
    await page.keyboard.press("Enter");
    await page.waitForURL("**/oauth/device/authorize");
    expect(await page.getByRole("checkbox", { name: "Publish packages" }).isDisabled()).toBe(true);
    await page.getByText("Needs two-factor authentication").waitFor();
    await fits();
    await shoot("device-read-only");
    await page.getByRole("button", { name: "Turn it away" }).click();
    await page.getByText("The program is turned away").waitFor();
    expect(await poll(asked.device_code)).toMatchObject({ status: 403 });
    expect(complaints).toEqual([]);
  });

  it.skipIf(shots === undefined)("pictures of what else there is", async () => {
    await registry.organization("acme", { plain: "admin", nora: "read" });
    await registry.organizationKey("acme");
    await registry.signIn("plain", ["api:read", "repositories"]);
    await page.goto("/login");
    await page.getByLabel("User name or e-mail address").fill("plain");
    await page.getByLabel("Password").fill("password");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/users/plain");
    for (const [name, path] of [
      ["organizations", "/account/organizations"],
      ["organization", "/organizations/acme"],
      ["sessions", "/account/sessions"],
      ["two-factor", "/account/two-factor"],
    ] as const) {
      await page.goto(path);
      await fits();
      await shoot(name);
      await page.setViewportSize({ width: 1100, height: 800 });
      await page.emulateMedia({ colorScheme: "light" });
      await shoot(`${name}-wide`);
      await page.setViewportSize({ width: 390, height: 664 });
      await page.emulateMedia({ colorScheme: "dark" });
    }
  });
});
