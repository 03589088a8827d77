/** The second factor in a real browser: with the keyboard alone, on a phone, in the dark. */
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { base32, totpCode } from "../../api/auth/totp.ts";
import { hasChromium, openBrowser, openPage } from "../support/browser.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

const PAGE = "/account/two-factor";
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const shots = process.env.SKEP_SHOTS;

describe.skipIf(!hasChromium())("the second factor in Chromium", () => {
  let registry: TestRegistry;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    [registry, browser] = await Promise.all([startRegistry({ generator: false }), openBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await registry?.stop();
  });
  beforeEach(async () => {
    await open();
  });
  afterEach(() => context.close());

  async function open(): Promise<void> {
    const options = { baseURL: registry.url, viewport: { width: 390, height: 800 } };
    complaints.length = 0;
    ({ context, page } = await openPage(browser, options, complaints));
  }

  /** By keyboard: the form's first field has the focus. */
  async function signIn(username: string): Promise<void> {
    await registry.user(username);
    await page.goto("/login");
    await hasFocus("User name or e-mail address");
    await page.keyboard.type(username);
    await page.keyboard.press("Tab");
    await page.keyboard.type("password");
    await page.keyboard.press("Enter");
  }

  /** Waits for what the page gives the focus by itself. */
  function hasFocus(label: string): Promise<void> {
    return page.getByLabel(label).and(page.locator(":focus")).waitFor();
  }

  /** @returns the secret that the page shows, as somebody types it into an app. */
  async function shownSecret(): Promise<Buffer> {
    const text = (await page.getByLabel("Key for the app").innerText()).replaceAll(/\s/g, "");
    const bits = [...text].map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, "0")).join("");
    const secret = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
    expect(base32(secret)).toBe(text);
    return secret;
  }

  const codeOf = (secret: Buffer) => totpCode(secret, Math.floor(Date.now() / 1000));

  /** Tabs on until something is focused. */
  async function tabTo(label: string): Promise<void> {
    const focused = "document.activeElement.labels?.[0]?.innerText ?? document.activeElement.innerText";
    for (let count = 0; count < 40; count += 1) {
      if ((await page.evaluate(focused)) === label) return;
      await page.keyboard.press("Tab");
    }
    throw new Error(`the keyboard does not reach ${label}`);
  }

  async function isNoWiderThanThePhone(): Promise<void> {
    expect(await page.evaluate("document.documentElement.scrollWidth"), page.url()).toBeLessThanOrEqual(390);
  }

  /** Both colour schemes, a phone and a desk; only where somebody wants to look. */
  async function shoot(name: string): Promise<void> {
    if (shots === undefined) return;
    for (const colorScheme of ["light", "dark"] as const) {
      for (const width of [390, 1_100]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        await page.screenshot({ path: `${shots}/${name}-${colorScheme}-${width}.png`, fullPage: true });
      }
    }
    await page.setViewportSize({ width: 390, height: 800 });
  }

  /** Turns it on from the account's page. @returns the secret and the recovery codes */
  async function turnOn(username: string) {
    await signIn(username);
    await page.waitForURL(`**/users/${username}`);
    await page.goto(PAGE);
    const secret = await shownSecret();
    await isNoWiderThanThePhone();
    const hidden = await page.evaluate(
      "[...document.querySelectorAll('.steps pre')].map((pre) => pre.scrollWidth - pre.clientWidth)",
    );
    expect(hidden, "of the key").toEqual([0]);
    await shoot("two-factor-set-up");
    await tabTo("Six digits");
    await page.keyboard.type(codeOf(secret));
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Your recovery codes" }).waitFor();
    const codes = (await page.getByLabel("Recovery codes").innerText()).trim().split(/\s+/);
    expect(codes).toHaveLength(10);
    await isNoWiderThanThePhone();
    await shoot("two-factor-recovery-codes");
    return { secret, codes };
  }

  it("is turned on, asked for at the next sign-in, and turned off, with the keyboard alone", async () => {
    const { secret, codes } = await turnOn("nina");
    await tabTo("I have kept them");
    await page.keyboard.press("Enter");
    await page.waitForURL(`**${PAGE}`);
    const text = await page.locator("main").innerText();
    expect(text).toContain("10 of them are left");
    for (const shown of [...codes, base32(secret)]) expect(await page.content()).not.toContain(shown);
    await isNoWiderThanThePhone();
    await shoot("two-factor-on");
    expect(complaints).toEqual([]);

    await context.close();
    await open();
    await signIn("nina");
    await page.waitForURL("**/tfa");
    await isNoWiderThanThePhone();
    await shoot("tfa");
    await hasFocus("Code");
    await page.keyboard.type("000000");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    expect(await page.evaluate("document.activeElement.className")).toBe("problems");
    await shoot("tfa-refused");
    await tabTo("Code");
    await page.keyboard.type(codeOf(secret));
    await page.keyboard.press("Enter");
    await page.waitForURL("**/users/nina");

    await registry.database.sql`update web_sessions set sudo_until = null`;
    await page.goto(PAGE);
    await page.waitForURL("**/sudo?return=%2Faccount%2Ftwo-factor");
    await isNoWiderThanThePhone();
    await shoot("sudo-code");
    await hasFocus("Code of your authenticator");
    await page.keyboard.type(codeOf(secret));
    await page.keyboard.press("Enter");
    await page.waitForURL(`**${PAGE}`);
    await tabTo("Turn it off");
    await page.keyboard.press("Enter");
    await page.getByText("Two-factor authentication is off").waitFor();
    // A refused form answers 400, which Chromium tells as well.
    expect(complaints.filter((line) => !line.includes("400"))).toEqual([]);
  });

  it("gives way to a recovery code, once", async () => {
    const { codes } = await turnOn("otto");
    const [first = ""] = codes;
    for (const [url, shown] of [
      ["**/users/otto", "otto"],
      ["**/tfa", "The code is wrong"],
    ] as const) {
      await context.close();
      await open();
      await signIn("otto");
      await page.waitForURL("**/tfa");
      await hasFocus("Code");
      await page.keyboard.type(first);
      await page.keyboard.press("Enter");
      await page.getByText(shown).first().waitFor();
      await page.waitForURL(url);
    }
  });

  it("has a QR code that cameras read in the dark, too: black on white, with a margin", async () => {
    await signIn("paul");
    await page.waitForURL("**/users/paul");
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.goto(PAGE);
      const colours = await page.evaluate(
        "[getComputedStyle(document.querySelector('.qr')).backgroundColor, getComputedStyle(document.querySelector('.qr path')).fill]",
      );
      expect(colours).toEqual(["rgb(255, 255, 255)", "rgb(0, 0, 0)"]);
    }
    const { width = 0 } = (await page.locator("svg.qr").boundingBox()) ?? {};
    expect(width).toBeGreaterThan(180);
    expect(complaints).toEqual([]);
  });
});
