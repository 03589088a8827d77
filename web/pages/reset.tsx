/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** A new password for who has forgotten it, by a link in a mail. */
import { requestPasswordReset, resetPassword } from "../../api/mail/account-links.ts";
import { userByLogin } from "../../store/queries/users.ts";
import { deleteWebSessionsOf } from "../../store/queries/web-sessions.ts";
import { limited, mayHash } from "../attempts.ts";
import { Field, PostForm, ProblemSummary } from "../parts/form.tsx";
import { Frame, LookIntoMail } from "../parts/frame.tsx";
import { newPasswordProblems } from "../password-rules.ts";
import { NO_PROBLEMS, type Problems, problem } from "../problems.ts";
import { respondPage } from "../respond.ts";
import type { Visit } from "../visit.ts";
import { NewPasswordFields } from "./password.tsx";

export function showResetRequest(visit: Visit): Promise<Response> {
  const { mail } = visit.deps.settings;
  const page = (
    <Frame visit={visit} title="Forgotten your password?">
      <div class="narrow">
        <h1>Forgotten your password?</h1>
        {mail ? null : (
          <p class="notice problem">This registry sends no mail: ask whoever runs it for a new password.</p>
        )}
        <p>We send a link to your primary e-mail address, with which you choose a new one.</p>
        <PostForm visit={visit} action="/password/reset">
          <Field name="username" label="User name or e-mail address" autocomplete="username" autofocus />
          <button type="submit">Send the link</button>
        </PostForm>
      </div>
    </Frame>
  );
  return respondPage(visit, page);
}

export async function requestReset(visit: Visit): Promise<Response> {
  const { deps, form } = visit;
  const login = form.text("username").toLowerCase();
  await limited(visit, "password-reset", login, async () => {
    const user = await userByLogin(deps.sql, login);
    if (user === undefined || user.deactivatedAt !== null) return;
    await deps.sql.begin(async (tx) => {
      await requestPasswordReset(deps, tx, user);
      await visit.audit(tx, "password.reset.init", { username: user.username }, { userId: user.id });
    });
  });
  // The same whatever there is, so that it tells nothing about accounts.
  const page = (
    <LookIntoMail visit={visit}>
      <p>
        If there is such an account with a verified address, a link is on its way. It works once, within 24
        hours.
      </p>
    </LookIntoMail>
  );
  return respondPage(visit, page);
}

interface ResetLink {
  readonly username: string;
  readonly key: string;
}

/** What the link in the mail opens. */
export async function showReset(visit: Visit): Promise<Response> {
  const { username = "", key = "" } = visit.c.req.query();
  return showForm(visit, { username, key }, NO_PROBLEMS);
}

export async function reset(visit: Visit): Promise<Response> {
  const { deps, form } = visit;
  const link = { username: form.raw("username"), key: form.raw("key") };
  const problems = newPasswordProblems(form.raw("password"), form.raw("password_confirmation"));
  if (problems.list.length > 0) return showForm(visit, link, problems);
  if (!(await mayHash(visit, "new-password"))) return showForm(visit, link, problem(TOO_MANY));
  const user = await resetPassword(
    deps,
    { ...link, password: form.raw("password") },
    async (tx, { id, username }) => {
      await deleteWebSessionsOf(tx, id, undefined);
      await visit.audit(tx, "password.reset.finish", { username }, { userId: id });
    },
  );
  if (user === undefined)
    return showForm(visit, link, problem("This link is no longer valid. Ask for a new one."));
  return visit.redirect("/login", "password-reset");
}

const TOO_MANY = "Too many attempts. Wait 15 minutes and try again.";

function showForm(visit: Visit, { username, key }: ResetLink, problems: Problems): Promise<Response> {
  const page = (
    <Frame visit={visit} title="Choose a new password">
      <div class="narrow">
        <h1>Choose a new password</h1>
        <ProblemSummary problems={problems} />
        <PostForm visit={visit} action="/password/new">
          <input type="hidden" name="username" value={username} />
          <input type="hidden" name="key" value={key} />
          <NewPasswordFields problems={problems} />
          <button type="submit">Change the password</button>
        </PostForm>
        <p class="aside">
          <a href="/password/reset">Ask for a new link</a>
        </p>
      </div>
    </Frame>
  );
  return respondPage(visit, page, { status: problems.status });
}
