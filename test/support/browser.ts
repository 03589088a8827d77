/** A real Chromium, one for each test file. */
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core";
import { requireTool } from "./tools.ts";

/** @returns whether there is one; says so when not. */
export const hasChromium = (): boolean => requireTool("chromium");

export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: "/usr/bin/chromium",
    // Chromium's sandbox refuses to run as root.
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
}

/**
 * A page of a browser of its own.
 * @param complaints gets what the console says: what the Content-Security-Policy blocks, and errors of scripts
 */
export async function openPage(
  browser: Browser,
  options: BrowserContextOptions,
  complaints: string[],
): Promise<{ readonly context: BrowserContext; readonly page: Page }> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  return { context, page };
}
