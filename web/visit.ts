/** One request of a browser: who sent it, from where, and what its answer sets. */
import type { Context } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { hashToken } from "../api/auth/token-hash.ts";
import { clientAddress, type NodeBindings } from "../api/http/client.ts";
import { plainAddress } from "../api/limits/address.ts";
import type { ApiDependencies } from "../api/settings.ts";
import { type Micros, micros, microsOf } from "../schemas/time.ts";
import type { Transaction } from "../store/postgres/pool.ts";
import { audit } from "../store/queries/audit.ts";
import { endOldestSessions, MOST_SESSIONS } from "../store/queries/sessions.ts";
import { type UserRow, userById } from "../store/queries/users.ts";
import {
  deleteWebSession,
  insertWebSession,
  touchWebSession,
  type WebSessionRow,
  webSessionByHash,
} from "../store/queries/web-sessions.ts";
import { Form } from "./form.ts";
import { type Notice, type NoticeName, noticeOf } from "./notices.ts";
import { csrfToken, isCsrfToken, isSessionSecret, newSessionSecret } from "./secrets.ts";

export type WebContext = Context<{ Bindings: NodeBindings }>;

const MINUTE_MICROS = 60_000_000;
const TOUCH_MICROS = 5 * MINUTE_MICROS;
const SESSION_DAYS = 30;
const SESSION_MICROS = SESSION_DAYS * 24 * 60 * MINUTE_MICROS;
const PENDING_MICROS = 15 * MINUTE_MICROS;
const SUDO_MICROS = 60 * MINUTE_MICROS;
const NOTICE_SECONDS = 60;

export class Visit {
  readonly c: WebContext;
  readonly deps: ApiDependencies;
  readonly requestId: string;
  readonly ip: string;
  readonly userAgent: string;
  readonly now: Micros;
  /** What a POST carries; empty otherwise. */
  form = new Form(new URLSearchParams());
  /** Of the browser, also of one that is only half signed in. */
  session: WebSessionRow | undefined;
  /** Who is signed in. */
  user: UserRow | undefined;
  /** Who has shown the password and not the second factor yet. */
  pendingUser: UserRow | undefined;
  /** What the last page left to say. */
  readonly notice: Notice | undefined;
  #secret: string | undefined;

  private constructor(c: WebContext, deps: ApiDependencies, requestId: string) {
    this.c = c;
    this.deps = deps;
    this.requestId = requestId;
    const peer = c.env?.incoming?.socket.remoteAddress ?? "127.0.0.1";
    const forwarded = c.req.header("x-forwarded-for") ?? null;
    this.ip = plainAddress(clientAddress(forwarded, peer, deps.settings.trustedProxies));
    this.userAgent = c.req.header("user-agent") ?? "";
    this.now = microsOf(deps.clock());
    const secret = getCookie(c, this.#cookieName());
    this.#secret = isSessionSecret(secret) ? secret : undefined;
    this.notice = noticeOf(getCookie(c, NOTICE_COOKIE));
  }

  /** Finds out who it is. */
  static async open(c: WebContext, deps: ApiDependencies, requestId: string): Promise<Visit> {
    const visit = new Visit(c, deps, requestId);
    if (visit.notice !== undefined) visit.#setCookie(NOTICE_COOKIE, "", 0);
    await visit.#loadSession();
    return visit;
  }

  async #loadSession(): Promise<void> {
    if (this.#secret === undefined) return;
    const { sql } = this.deps;
    const session = await webSessionByHash(sql, hashToken(this.#secret), this.now);
    const user = session && (await userById(sql, session.userId));
    if (session === undefined || user === undefined || user.deactivatedAt !== null) return;
    this.session = session;
    if (session.pending) {
      this.pendingUser = user;
      return;
    }
    this.user = user;
    const isDue = this.now - session.lastUsedAt > TOUCH_MICROS && this.deps.readOnly.current() === undefined;
    if (isDue) await touchWebSession(sql, session.id, this.now, this.ip);
  }

  /** @returns whether the password, or the second factor, was shown within the last hour. */
  get isSudo(): boolean {
    const until = this.session?.sudoUntil ?? null;
    return this.user !== undefined && until !== null && until > this.now;
  }

  /** @returns when a proof of identity that is given now runs out. */
  get sudoUntil(): Micros {
    return micros(this.now + SUDO_MICROS);
  }

  /** @returns the token of this browser's forms; gives the browser a cookie when it has none. */
  csrf(): string {
    if (this.#secret === undefined) {
      this.#secret = newSessionSecret(this.deps.random);
      // Forgotten with the window: nothing is behind it.
      this.#setCookie(this.#cookieName(), this.#secret, undefined);
    }
    return csrfToken(this.deps.keySecret, this.#secret);
  }

  /** @returns whether a form came from a page that this browser was given. */
  hasCsrf(token: string | null): boolean {
    return this.#secret !== undefined && isCsrfToken(token, this.deps.keySecret, this.#secret);
  }

  /**
   * Signs a user in under a new secret: one that somebody planted before is worth nothing after.
   * @param pending a second factor is still to come
   */
  async signIn(userId: number, { pending }: { readonly pending: boolean }): Promise<void> {
    const { sql } = this.deps;
    await this.signOut();
    const secret = newSessionSecret(this.deps.random);
    const lasts = pending ? PENDING_MICROS : SESSION_MICROS;
    const session = {
      secretHash: hashToken(secret),
      userId,
      pending,
      sudoUntil: pending ? null : this.sudoUntil,
      userAgent: this.userAgent,
      ip: this.ip,
      now: this.now,
      expiresAt: micros(this.now + lasts),
    };
    await sql.begin(async (tx) => {
      await insertWebSession(tx, session);
      if (!pending) await endOldestSessions(tx, { userId }, MOST_SESSIONS, this.now);
    });
    this.#secret = secret;
    this.#setCookie(this.#cookieName(), secret, lasts / 1_000_000);
  }

  /**
   * Writes an audit entry.
   * @param about.userId who did it, when somebody shows in another way than by being signed in who they are
   * @param about.organizationId whose entry it is, too
   */
  async audit(
    tx: Transaction,
    action: string,
    params: object,
    about: { readonly userId?: number; readonly organizationId?: number } = {},
  ): Promise<void> {
    const { ip: remoteIp, userAgent } = this;
    const userId = this.user?.id ?? null;
    await audit(tx, { action, params, keyId: null, userAgent, remoteIp, userId, ...about });
  }

  async signOut(): Promise<void> {
    const { session } = this;
    if (session !== undefined) await deleteWebSession(this.deps.sql, session.userId, session.id);
    this.session = undefined;
    this.user = undefined;
    this.#secret = undefined;
    this.#setCookie(this.#cookieName(), "", 0);
  }

  /** @returns a redirect; the next page says the notice. @param path of this site, made here or judged */
  redirect(path: string, notice?: NoticeName): Response {
    if (notice !== undefined) this.#setCookie(NOTICE_COOKIE, notice, NOTICE_SECONDS);
    return this.c.redirect(path, 302);
  }

  get #isSecure(): boolean {
    return this.deps.settings.publicUrl.startsWith("https:");
  }

  // Under TLS the prefix keeps other hosts of the domain from planting one.
  #cookieName(): string {
    return this.#isSecure ? "__Host-skep" : "skep";
  }

  #setCookie(name: string, value: string, maxAge: number | undefined): void {
    setCookie(this.c, name, value, {
      path: "/",
      httpOnly: true,
      sameSite: "Lax",
      secure: this.#isSecure,
      ...(maxAge === undefined ? {} : { maxAge }),
    });
  }
}

const NOTICE_COOKIE = "skep_notice";
