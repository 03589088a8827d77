/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** Signing in and out. */
import { verifyPassword } from "../../api/auth/password.ts";
import { userByLogin } from "../../store/queries/users.ts";
import { guessSignIn } from "../attempts.ts";
import { localPath } from "../local-path.ts";
import { Field, PostForm, ProblemSummary } from "../parts/form.tsx";
import { Frame } from "../parts/frame.tsx";
import { NO_PROBLEMS, type Problems, problem } from "../problems.ts";
import { respondPage } from "../respond.ts";
import type { Visit } from "../visit.ts";

interface SignInForm {
  readonly username: string;
  readonly returnTo: string | undefined;
}

export async function showSignIn(visit: Visit): Promise<Response> {
  const returnTo = localPath(visit.c.req.query("return"));
  if (visit.user !== undefined) return visit.redirect(returnTo ?? `/users/${visit.user.username}`);
  return showForm(visit, { username: "", returnTo }, NO_PROBLEMS, 200);
}

export async function signIn(visit: Visit): Promise<Response> {
  const form = { username: visit.form.text("username"), returnTo: localPath(visit.form.raw("return")) };
  const guess = await guessSignIn(visit, async () => {
    const found = await userByLogin(visit.deps.sql, form.username.toLowerCase());
    const isRight = await verifyPassword(visit.form.raw("password"), found?.passwordHash ?? null);
    return isRight ? found : undefined;
  });
  if (guess.kind === "too-many") {
    return showForm(visit, form, problem("Too many failed attempts. Wait 15 minutes and try again."), 429);
  }
  const user = guess.found;
  if (user === undefined) {
    return showForm(visit, form, problem("User name, e-mail address or password is wrong.", "username"), 400);
  }
  if (user.deactivatedAt !== null) return showForm(visit, form, problem("This account is closed."), 400);
  if (!user.verified) return showForm(visit, form, problem(UNVERIFIED), 400, true);
  await visit.signIn(user.id, { pending: user.hasTotp });
  if (user.hasTotp) {
    const after = form.returnTo === undefined ? "" : `?return=${encodeURIComponent(form.returnTo)}`;
    return visit.redirect(`/tfa${after}`);
  }
  return visit.redirect(form.returnTo ?? `/users/${user.username}`);
}

const UNVERIFIED = "Your e-mail address is not verified yet. Open the link in the mail that we sent you.";

export async function signOut(visit: Visit): Promise<Response> {
  await visit.signOut();
  return visit.redirect("/", "signed-out");
}

function showForm(
  visit: Visit,
  { username, returnTo }: SignInForm,
  problems: Problems,
  status: number,
  unverified = false,
): Promise<Response> {
  const page = (
    <Frame visit={visit} title={problems.list.length > 0 ? "Problem: Sign in" : "Sign in"}>
      <div class="narrow">
        <h1>Sign in</h1>
        <ProblemSummary problems={problems} />
        {unverified ? (
          <p>
            <a href="/email/verification">Send the link again</a>
          </p>
        ) : null}
        <PostForm visit={visit} action="/login">
          {returnTo === undefined ? null : <input type="hidden" name="return" value={returnTo} />}
          <Field
            name="username"
            label="User name or e-mail address"
            value={username}
            autocomplete="username"
            problems={problems}
            autofocus
          />
          <Field name="password" label="Password" type="password" autocomplete="current-password" />
          <button type="submit">Sign in</button>
        </PostForm>
        <p class="aside">
          <a href="/password/reset">Forgotten your password?</a> · New here? <a href="/signup">Sign up</a>
        </p>
      </div>
    </Frame>
  );
  return respondPage(visit, page, { status });
}
