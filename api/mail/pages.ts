/** What the links in mails open, where no account pages are in front of it. */
import { type Context, Hono } from "hono";
import type { ApiDependencies } from "../settings.ts";
import { verifyEmail } from "./account-links.ts";

/** @returns `GET /email/verify`, which goes on to `/` whatever became of it, so that it tells nothing about an account. */
export function createMailPages(deps: Pick<ApiDependencies, "sql" | "clock" | "log">): Hono {
  const pages = new Hono();
  pages.get("/email/verify", async (c: Context) => {
    const { username = "", email = "", key = "" } = c.req.query();
    const verified = await verifyEmail(deps, { username, email, key });
    deps.log.info({ verified }, "a link from a mail was opened");
    return c.body(null, 302, {
      location: "/",
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
    });
  });
  return pages;
}
