/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** A new password for who is signed in. */
import { hashPassword } from "../../api/auth/password.ts";
import { changePassword } from "../../api/mail/account-links.ts";
import { deleteWebSessionsOf } from "../../store/queries/web-sessions.ts";
import { Field, PostForm, ProblemSummary } from "../parts/form.tsx";
import { AccountFrame } from "../parts/frame.tsx";
import { newPasswordProblems } from "../password-rules.ts";
import { NO_PROBLEMS, type Problems } from "../problems.ts";
import { respondPage } from "../respond.ts";
import type { Visit } from "../visit.ts";

export const showPassword = (visit: Visit): Promise<Response> => showForm(visit, NO_PROBLEMS);

export async function changePasswordPage(visit: Visit): Promise<Response> {
  const { form, deps, user, session } = visit;
  if (user === undefined || session === undefined) return visit.redirect("/login");
  const problems = newPasswordProblems(form.raw("password"), form.raw("password_confirmation"));
  if (problems.list.length > 0) return showForm(visit, problems);
  const passwordHash = await hashPassword(form.raw("password"), deps.random);
  await deps.sql.begin(async (tx) => {
    await changePassword(deps, tx, user, passwordHash);
    await deleteWebSessionsOf(tx, user.id, session.id);
    await visit.audit(tx, "password.update", { username: user.username });
  });
  return visit.redirect("/account", "password-changed");
}

function showForm(visit: Visit, problems: Problems): Promise<Response> {
  const page = (
    <AccountFrame visit={visit} title="Password">
      <p>All other browsers will be signed out. API keys go on working.</p>
      <ProblemSummary problems={problems} />
      <PostForm visit={visit} action="/account/password">
        <NewPasswordFields problems={problems} />
        <button type="submit">Change the password</button>
      </PostForm>
    </AccountFrame>
  );
  return respondPage(visit, page, { status: problems.status });
}

interface NewPasswordProps {
  readonly problems: Problems;
  readonly label?: string;
}

/** A password, typed twice. */
export function NewPasswordFields({ problems, label = "New password" }: NewPasswordProps) {
  return (
    <>
      <Field
        name="password"
        label={label}
        type="password"
        hint="At least 8 characters"
        autocomplete="new-password"
        problems={problems}
      />
      <Field
        name="password_confirmation"
        label={`${label} once more`}
        type="password"
        autocomplete="new-password"
        problems={problems}
      />
    </>
  );
}
