/** What a team does on the pages, in a real browser: with the keyboard alone, on a phone, in the dark. */
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { hasChromium, openBrowser, openPage } from "../support/browser.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

const HOSTILE = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>"'&`;

describe.skipIf(!hasChromium())("a team in Chromium", () => {
  let registry: TestRegistry;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    [registry, browser] = await Promise.all([startRegistry(), openBrowser()]);
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

  async function signIn(page: Page, username: string): Promise<void> {
    await registry.user(username);
    await page.goto("/login");
    await page.getByLabel("User name or e-mail address").fill(username);
    await page.getByLabel("Password").fill("password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(`**/users/${username}`);
  }

  async function publish(username: string, organization: string, name = "secret") {
    const response = await registry.request(`/repos/${organization}/publish`, {
      method: "POST",
      headers: { authorization: await registry.key(username) },
      body: new Uint8Array(packageTarball({ metadata: { name, version: "1.2.0" } })),
    });
    expect(response.status).toBe(201);
  }

  /** Moves on with the Tab key until what has the name has the focus. */
  async function tabTo(name: string): Promise<void> {
    const focused = `(() => {
      const element = document.activeElement;
      return element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent;
    })()`;
    for (let count = 0; count < 60; count++) {
      await page.keyboard.press("Tab");
      if ((await page.evaluate(focused)) === name) return;
    }
    throw new Error(`the keyboard does not reach ${name}`);
  }

  it("makes an organization, adds a member who sees it, makes a key and revokes it: with the keyboard alone", async () => {
    await signIn(page, "ann");
    await registry.user("bob");
    await page.goto("/account");
    await tabTo("Organizations");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/account/organizations");
    await tabTo("Name");
    await page.keyboard.type("Acme");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/organizations/acme");
    await page.getByText("you are its admin").waitFor();

    await tabTo("Add a member");
    await page.keyboard.type("bob");
    await tabTo("Role");
    await page.keyboard.press("w");
    await tabTo("Add");
    await page.keyboard.press("Enter");
    await page.getByText("The member is added").waitFor();
    expect(await page.getByLabel("Role of bob", { exact: true }).inputValue()).toBe("write");

    await tabTo("Name");
    await page.keyboard.type("ci");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "The organization's new key" }).waitFor();
    const secret = await page.getByLabel("Secret of the key").innerText();
    const text = await page.locator("main").innerText();
    expect(text).toContain(`--auth-key ${secret}`);
    expect(text).toContain(`#{<<"local:acme">> =>\n  #{repo_key => <<"${secret}">>}}.`);
    await publish("ann", "acme");
    const fetched = async () =>
      (await fetch(`${registry.url}/repo/repos/acme/names`, { headers: { authorization: secret } })).status;
    expect(await fetched()).toBe(200);

    const theirs = await openPage(browser, { baseURL: registry.url }, complaints);
    await signIn(theirs.page, "bob");
    await theirs.page.goto("/account/organizations");
    await theirs.page.getByRole("link", { name: "acme" }).click();
    await theirs.page.getByRole("heading", { name: "secret 1.2.0" }).waitFor();
    expect(await theirs.page.getByText("Add a member").count()).toBe(0);
    expect(await theirs.page.getByRole("button", { name: "Revoke ci" }).count()).toBe(1);
    expect(await theirs.page.content()).not.toContain(secret);

    await tabTo("I have kept it");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/organizations/acme");
    expect(await page.content()).not.toContain(secret);
    await tabTo("Revoke ci");
    await page.keyboard.press("Enter");
    await page.getByText("The key is revoked").waitFor();
    expect(await fetched()).toBe(401);

    await theirs.page.getByText("Leave acme").click();
    await theirs.page.getByRole("button", { name: "Leave it now" }).click();
    await theirs.page.getByText("no longer a member").waitFor();
    expect((await theirs.page.goto("/organizations/acme"))?.status()).toBe(404);
    await theirs.context.close();
    expect(complaints.filter((text) => !text.includes("404"))).toEqual([]);
  });

  it("tells what is wrong beside the field, and keeps the role that was chosen", async () => {
    await registry.organization("firm", { ann: "admin" });
    await signIn(page, "ann");
    await page.goto("/organizations/firm");
    await page.getByLabel("Add a member").fill("nobody");
    await page.getByLabel("Role", { exact: true }).selectOption("admin");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    const alert = page.getByRole("alert");
    expect(await alert.locator("li").allInnerTexts()).toEqual(["Unknown user."]);
    await alert.getByRole("link").click();
    expect(await page.evaluate("document.activeElement.id")).toBe("member");
    expect(await page.getByLabel("Role", { exact: true }).inputValue()).toBe("admin");
    expect(await page.getByLabel("Add a member").inputValue()).toBe("nobody");
  });

  it("a key for one package publishes that one and fetches", async () => {
    await registry.organization("shop", { ann: "admin" });
    await publish("ann", "shop", "cart");
    await signIn(page, "ann");
    await page.goto("/organizations/shop");
    await page.getByLabel("Name", { exact: true }).fill("deploy");
    await page.getByLabel("fetch, and publish one package").check();
    await page.getByRole("button", { name: "Make the key" }).click();
    expect(await page.getByRole("alert").locator("li").allInnerTexts()).toEqual([
      "Name the package that the key is for.",
    ]);
    await page.getByLabel("Package (for a key that publishes one)").fill("cart");
    await page.getByLabel("It ends").selectOption("90");
    await page.getByRole("button", { name: "Make the key" }).click();
    const authorization = await page.getByLabel("Secret of the key").innerText();
    const send = (name: string, version: string) =>
      registry.request("/repos/shop/publish", {
        method: "POST",
        headers: { authorization },
        body: new Uint8Array(packageTarball({ metadata: { name, version } })),
      });
    expect((await send("cart", "2.0.0")).status).toBe(201);
    expect((await send("other", "1.0.0")).status).toBe(401);
    const names = await fetch(`${registry.url}/repo/repos/shop/names`, { headers: { authorization } });
    expect(names.status).toBe(200);
  });

  it("the full name changes, and names that others chose stay text", async () => {
    await registry.organization("odd", { ann: "admin", zoe: "read" });
    await signIn(page, "zoe");
    await page.goto("/account");
    await page.getByLabel("Full name").fill(HOSTILE);
    await page.getByRole("button", { name: "Change the name" }).click();
    await page.getByText("Your full name is changed").waitFor();
    expect(await page.getByLabel("Full name").inputValue()).toBe(HOSTILE);
    await page.goto("/users/zoe");
    expect(await page.locator(".lead").innerText()).toBe(HOSTILE);
    const [entry] = await registry.database.sql`select params from audit_logs where action = 'user.update'`;
    expect(entry?.params).toMatchObject({ full_name: HOSTILE, user: { username: "zoe" } });

    const theirs = await openPage(browser, { baseURL: registry.url }, complaints);
    await signIn(theirs.page, "ann");
    await theirs.page.goto("/organizations/odd");
    await theirs.page.getByLabel("Name", { exact: true }).fill(HOSTILE);
    await theirs.page.getByRole("button", { name: "Make the key" }).click();
    await theirs.page.getByRole("link", { name: "I have kept it" }).click();
    expect(await theirs.page.getByText(HOSTILE).count()).toBe(2);
    expect(await theirs.page.locator("main img, main script").count()).toBe(0);
    expect(await theirs.page.title()).toBe("odd · local");
    await theirs.context.close();
    expect(complaints).toEqual([]);

    await page.goto("/account");
    await page.getByLabel("Full name").fill("x".repeat(300));
    await page.getByRole("button", { name: "Change the name" }).click();
    await page.getByText("Full name should be at most 255 characters.").first().waitFor();
    await page.getByLabel("Full name").fill("");
    await page.getByRole("button", { name: "Change the name" }).click();
    await page.goto("/users/zoe");
    expect(await page.locator(".lead").count()).toBe(0);
  });

  it("shows owners their packages with the level, private ones to nobody else", async () => {
    await registry.organization("labs", { ann: "admin", ida: "read" });
    await publish("ann", "labs", "hidden");
    await publish("ida", "local", "open");
    await registry.database.sql`
      insert into package_owners (package_id, user_id, level)
      select p.id, u.id, 'maintainer' from packages p, users u where p.name = 'hidden' and u.username = 'ida'`;
    await signIn(page, "ida");
    await page.goto("/account");
    expect(await page.locator(".rows li").allInnerTexts()).toEqual([
      expect.stringMatching(/^open\s+full owner$/),
      expect.stringMatching(/^labs\/hidden\s+maintainer$/),
    ]);
    await page.goto("/users/ida");
    expect(await page.locator("main li").allInnerTexts()).toEqual(["open"]);
  });

  describe("with something of everything", () => {
    const PICTURES: readonly [string, string][] = [
      ["account", "/account"],
      ["organizations", "/account/organizations"],
      ["organization", "/organizations/team-of-names"],
      ["keys", "/account/keys"],
      ["user", "/users/viola"],
    ];
    beforeAll(async () => {
      await registry.organization("team-of-names", {
        viola: "admin",
        "somebody.with-a.rather_long-name-of-forty": "write",
        tom: "read",
      });
      const { sql } = registry.database;
      await sql`update users set full_name = 'Viola Cesario' where username = 'viola'`;
      await sql`update organizations set seats = 5 where name = 'team-of-names'`;
      await registry.organizationKey("team-of-names", [{ domain: "repository", resource: "team-of-names" }]);
      await sql`
        update keys set name = 'build server'
        where organization_id = (select id from organizations where name = 'team-of-names')`;
      await publish("viola", "team-of-names", "atlas");
      await publish("viola", "team-of-names", "a_package_with_a_name_that_is_longer_than_others");
      await publish("viola", "local", "compass");
      await registry.own("viola", "atlas", "full");
    });
    beforeEach(() => signIn(page, "viola"));

    it("fits a phone", async () => {
      for (const width of [320, 390]) {
        await page.setViewportSize({ width, height: 800 });
        for (const [, path] of PICTURES) {
          await page.goto(path);
          const needed = await page.evaluate("document.documentElement.scrollWidth");
          expect(needed, path).toBeLessThanOrEqual(width);
        }
      }
    });

    it.each(["light", "dark"] as const)("is readable in %s colours", async (colorScheme) => {
      await page.emulateMedia({ colorScheme });
      for (const [, path] of PICTURES) {
        await page.goto(path);
        expect(await page.evaluate(WEAK_TEXTS), path).toEqual([]);
      }
    });

    const shots = process.env.SKEP_SHOTS;
    it.skipIf(shots === undefined)("pictures to look at", async () => {
      for (const colorScheme of ["light", "dark"] as const) {
        for (const width of [390, 1_100]) {
          await page.emulateMedia({ colorScheme });
          await page.setViewportSize({ width, height: 800 });
          for (const [name, path] of PICTURES) {
            await page.goto(path);
            await page.screenshot({
              path: `${shots}/team-${name}-${colorScheme}-${width}.png`,
              fullPage: true,
            });
          }
        }
      }
      await page.goto("/organizations/team-of-names");
      await page.getByLabel("Name", { exact: true }).fill("ci");
      await page.getByRole("button", { name: "Make the key" }).click();
      await page.getByText("I have kept it").waitFor();
      await page.screenshot({ path: `${shots}/team-secret-dark-1100.png`, fullPage: true });
    });
  });
});

/** Texts with less contrast than WCAG 2 demands of small ones (1.4.3), 4.5:1. */
const WEAK_TEXTS = `(() => {
  const channels = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = (color) => {
    const [r, g, b] = channels(color).map((value) => {
      const part = value / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      const [, , , alpha = 1] = channels(backgroundColor);
      if (alpha === 1) return backgroundColor;
    }
    return "rgb(255, 255, 255)";
  };
  return [...document.querySelectorAll("body *")]
    .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ""))
    .filter((element) => {
      const [a, b] = [luminance(getComputedStyle(element).color), luminance(behind(element))];
      return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
    })
    .map((element) => element.outerHTML.slice(0, 80));
})()`;
