import {
  type OAuthSessionRow,
  oauthSessionsOf,
  revokeOAuthSession,
} from "../../store/queries/oauth-sessions.ts";
import {
  deleteWebSession,
  deleteWebSessionsOf,
  type WebSessionRow,
  webSessionsOf,
} from "../../store/queries/web-sessions.ts";
import { browserName } from "../browser-name.ts";
import { PostButton } from "../parts/form.tsx";
import { AccountFrame } from "../parts/frame.tsx";
import { scopeText } from "../parts/scopes.tsx";
import { Time } from "../parts/text.tsx";
import { respondPage } from "../respond.ts";
import type { Visit } from "../visit.ts";

export async function showSessions(visit: Visit): Promise<Response> {
  const { user, deps, now } = visit;
  if (user === undefined) return visit.redirect("/login");
  const [sessions, programs] = await Promise.all([
    webSessionsOf(deps.sql, user.id, now),
    oauthSessionsOf(deps.sql, { userId: user.id }, now),
  ]);
  const page = (
    <AccountFrame visit={visit} title="Sessions">
      <p>Browsers in which you are signed in. End what you do not know, and change your password then.</p>
      <ul class="rows">
        {sessions.map((session) => (
          <SessionItem visit={visit} row={session} />
        ))}
      </ul>
      {sessions.length > 1 ? (
        <PostButton visit={visit} action="/account/sessions/end-others" class="danger">
          End all others
        </PostButton>
      ) : null}
      <h2>Programs</h2>
      {programs.length === 0 ? (
        <p class="empty">You have let no program in.</p>
      ) : (
        <ul class="rows">
          {programs.map((session) => (
            <ProgramItem visit={visit} row={session} />
          ))}
        </ul>
      )}
    </AccountFrame>
  );
  return respondPage(visit, page);
}

function SessionItem({ visit, row }: { readonly visit: Visit; readonly row: WebSessionRow }) {
  const name = browserName(row.userAgent ?? "");
  const isCurrent = row.id === visit.session?.id;
  return (
    <li>
      <div>
        <h3>{name}</h3>
        <p class="quiet">
          {row.ip} · signed in <Time at={row.insertedAt} /> · last used <Time at={row.lastUsedAt} />
        </p>
      </div>
      {isCurrent ? (
        <span class="tag">this browser</span>
      ) : (
        <PostButton
          visit={visit}
          action="/account/sessions/end"
          fields={{ id: String(row.id) }}
          class="danger"
          label={`End the session of ${name} from ${row.ip}`}
        >
          End
        </PostButton>
      )}
    </li>
  );
}

function ProgramItem({ visit, row }: { readonly visit: Visit; readonly row: OAuthSessionRow }) {
  const name = row.name === null ? row.clientName : `${row.clientName} (${row.name})`;
  return (
    <li>
      <div>
        <h3>{name}</h3>
        <p class="quiet">
          {row.scopes.length === 0 ? "nothing" : row.scopes.map(scopeText).join(", ")}
          {" · let in "}
          <Time at={row.insertedAt} /> · last used <Time at={row.lastUsedAt} />
          {row.ip === null ? null : ` from ${row.ip}`} · ends <Time at={row.expiresAt} />
        </p>
      </div>
      <PostButton
        visit={visit}
        action="/account/sessions/end-program"
        fields={{ id: String(row.id) }}
        class="danger"
        label={`Shut out ${name}`}
      >
        Shut out
      </PostButton>
    </li>
  );
}

export async function endProgram(visit: Visit): Promise<Response> {
  const { user, deps, now } = visit;
  if (user === undefined) return visit.redirect("/login");
  const id = idOf(visit);
  await deps.sql.begin(async (tx) => {
    if (await revokeOAuthSession(tx, id, now, user.id))
      await visit.audit(tx, "session.revoke", { id, type: "oauth" });
  });
  return visit.redirect("/account/sessions", "session-ended");
}

function idOf({ form }: Visit): number {
  return /^\d{1,15}$/.test(form.raw("id")) ? Number(form.raw("id")) : 0;
}

export async function endSession(visit: Visit): Promise<Response> {
  const { user, deps } = visit;
  if (user === undefined) return visit.redirect("/login");
  const id = idOf(visit);
  await deps.sql.begin(async (tx) => {
    if (await deleteWebSession(tx, user.id, id))
      await visit.audit(tx, "session.revoke", { id, type: "browser" });
  });
  return visit.redirect("/account/sessions", "session-ended");
}

export async function endOtherSessions(visit: Visit): Promise<Response> {
  const { user, deps, session } = visit;
  if (user === undefined) return visit.redirect("/login");
  await deps.sql.begin(async (tx) => {
    await deleteWebSessionsOf(tx, user.id, session?.id);
    await visit.audit(tx, "session.revoke", { type: "browser", all_but: session?.id ?? null });
  });
  return visit.redirect("/account/sessions", "sessions-ended");
}
