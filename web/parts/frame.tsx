/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** What every page has around it. */
import { readFileSync } from "node:fs";
import { raw } from "hono/html";
import type { Child } from "hono/jsx";
import type { Visit } from "../visit.ts";
import { PostButton } from "./form.tsx";

export const STYLE = readFileSync(new URL("../style.css", import.meta.url), "utf8");

/** A hive of straw, which is what the word means. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M13 5.5h6M10 12h12M7 18.5h18M5.500 25h6.500M20 25h6.500" fill="none" stroke="#c77d0a" stroke-width="4.500" stroke-linecap="round"/></svg>`;

export interface FrameProps {
  readonly visit: Visit;
  readonly title: string;
  readonly children?: Child;
}

export function Frame({ visit, title, children }: FrameProps) {
  const { repositoryName } = visit.deps.settings;
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${title} · ${repositoryName}`}</title>
        <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
        <style>{raw(STYLE)}</style>
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to the content
        </a>
        <header>
          <a class="brand" href="/">
            {raw(ICON.replace("<svg ", '<svg aria-hidden="true" width="28" height="28" '))}
            <span>{repositoryName}</span>
          </a>
          <nav aria-label="Account">
            {visit.user === undefined ? (
              <>
                <a href="/login">Sign in</a>
                <a href="/signup">Sign up</a>
              </>
            ) : (
              <>
                <a href="/account">{visit.user.username}</a>
                <PostButton visit={visit} action="/logout" class="link">
                  Sign out
                </PostButton>
              </>
            )}
          </nav>
        </header>
        <main id="main" tabindex={-1}>
          {visit.notice === undefined ? null : (
            <p class={`notice ${visit.notice.kind}`} role="status">
              {visit.notice.text}
            </p>
          )}
          {children}
        </main>
        <footer>
          <a href="/">How to use this registry</a>
          <span>
            Run with <b>skep</b>
          </span>
        </footer>
      </body>
    </html>
  );
}

const ACCOUNT_PAGES = [
  ["/account", "Overview"],
  ["/account/keys", "API keys"],
  ["/account/organizations", "Organizations"],
  ["/account/emails", "E-mail"],
  ["/account/password", "Password"],
  ["/account/two-factor", "Two factors"],
  ["/account/sessions", "Sessions"],
] as const;

/** The pages of an account, with a way from each to the others. */
export function AccountFrame({ visit, title, children }: FrameProps) {
  const current = visit.c.req.path;
  return (
    <Frame visit={visit} title={title}>
      <nav class="tabs" aria-label="Your account">
        {ACCOUNT_PAGES.map(([path, label]) => (
          <a href={path} aria-current={path === current ? "page" : undefined}>
            {label}
          </a>
        ))}
      </nav>
      <h1>{title}</h1>
      {children}
    </Frame>
  );
}

/** What follows a form after which a mail may be on its way. */
export function LookIntoMail({ visit, children }: { readonly visit: Visit; readonly children?: Child }) {
  return (
    <Frame visit={visit} title="Look into your mail">
      <div class="narrow">
        <h1>Look into your mail</h1>
        {children}
      </div>
    </Frame>
  );
}
