import {
  deleteWebSession,
  deleteWebSessionsOf,
  type WebSessionRow,
  webSessionsOf,
} from "../../store/queries/web-sessions.ts";
import { browserName } from "../browser-name.ts";
import { PostButton } from "../parts/form.tsx";
import { AccountFrame } from "../parts/frame.tsx";
import { Time } from "../parts/text.tsx";
import { respondPage } from "../respond.ts";
import type { Visit } from "../visit.ts";

export async function showSessions(visit: Visit): Promise<Response> {
  const { user, deps, now } = visit;
  if (user === undefined) return visit.redirect("/login");
  const sessions = await webSessionsOf(deps.sql, user.id, now);
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

export async function endSession(visit: Visit): Promise<Response> {
  const { user, deps, form } = visit;
  if (user === undefined) return visit.redirect("/login");
  const id = /^\d{1,15}$/.test(form.raw("id")) ? Number(form.raw("id")) : 0;
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
