/** Pages as HTTP. */
import { createHash } from "node:crypto";
import { STYLE } from "./parts/frame.tsx";
import type { Visit } from "./visit.ts";

const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");

/** What a page made of JSX is. */
interface Rendered {
  toString(): string | Promise<string>;
}

export interface PageOptions {
  readonly status?: number;
  /** Another site's origin to which a form of the page may lead. */
  readonly formTarget?: string;
}

/** @returns the page. Nothing runs in it: no script, no frame, no style but its own. */
export async function respondPage(
  visit: Visit,
  page: Rendered,
  options: PageOptions = {},
): Promise<Response> {
  // Rendering may set a cookie, so the headers come after.
  const html = await page.toString();
  for (const [name, value] of Object.entries(securityHeaders(options.formTarget)))
    visit.c.header(name, value);
  return visit.c.body(`<!doctype html>${html}`, (options.status ?? 200) as 200);
}

function securityHeaders(formTarget: string | undefined): Readonly<Record<string, string>> {
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${STYLE_HASH}'`,
    "img-src 'self'",
    // Browsers apply this to where a form's answer redirects to, too.
    `form-action 'self'${formTarget === undefined ? "" : ` ${formTarget}`}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join("; ");
  return {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": policy,
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    // Links in mails carry keys; `no-referrer` would also empty the Origin of our own forms.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
  };
}
