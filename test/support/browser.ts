/** A real Chromium, one for each test file. */
import { type Browser, chromium } from "playwright-core";
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
