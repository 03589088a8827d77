/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** An account at a glance. */
import { liveKeysOf } from "../../store/queries/keys.ts";
import { packagesOwnedBy } from "../../store/queries/users.ts";
import { webSessionsOf } from "../../store/queries/web-sessions.ts";
import { AccountFrame } from "../parts/frame.tsx";
import { respondPage } from "../respond.ts";
import type { Visit } from "../visit.ts";

export async function showAccount(visit: Visit): Promise<Response> {
  const { user, deps, now } = visit;
  if (user === undefined) return visit.redirect("/login");
  const [keys, sessions, packages] = await Promise.all([
    liveKeysOf(deps.sql, { userId: user.id }, now),
    webSessionsOf(deps.sql, user.id, now),
    packagesOwnedBy(deps.sql, user.id),
  ]);
  const page = (
    <AccountFrame visit={visit} title="Your account">
      <dl class="facts">
        <div>
          <dt>User name</dt>
          <dd>
            <a href={`/users/${user.username}`}>{user.username}</a>
          </dd>
        </div>
        {user.fullName === null ? null : (
          <div>
            <dt>Full name</dt>
            <dd>{user.fullName}</dd>
          </div>
        )}
        <div>
          <dt>API keys</dt>
          <dd>
            <a href="/account/keys">{String(keys.length)}</a>
          </dd>
        </div>
        <div>
          <dt>Browsers signed in</dt>
          <dd>
            <a href="/account/sessions">{String(sessions.length)}</a>
          </dd>
        </div>
        <div>
          <dt>Two-factor authentication</dt>
          <dd>
            <a href="/account/two-factor">{user.hasTotp ? "on" : "off"}</a>
          </dd>
        </div>
        <div>
          <dt>Packages</dt>
          <dd>{packages.length === 0 ? "none yet" : packages.map(({ name }) => name).join(", ")}</dd>
        </div>
      </dl>
    </AccountFrame>
  );
  return respondPage(visit, page);
}
