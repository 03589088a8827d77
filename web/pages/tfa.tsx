/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** The second step of signing in: a code of the authenticator, or a recovery code. */
import { tellTotpChanged } from "../../api/mail/notices.ts";
import { guessCode } from "../attempts.ts";
import { localPath } from "../local-path.ts";
import { Field, PostForm, ProblemSummary } from "../parts/form.tsx";
import { Frame } from "../parts/frame.tsx";
import { NO_PROBLEMS, type Problems, problem } from "../problems.ts";
import { respondPage } from "../respond.ts";
import type { Visit } from "../visit.ts";

export async function showSecondStep(visit: Visit): Promise<Response> {
  const returnTo = localPath(visit.c.req.query("return"));
  if (visit.pendingUser === undefined) return visit.redirect(returnTo ?? "/login");
  return showForm(visit, returnTo, NO_PROBLEMS, 200);
}

export async function secondStep(visit: Visit): Promise<Response> {
  const { pendingUser: user, form } = visit;
  const returnTo = localPath(form.raw("return"));
  if (user === undefined) return visit.redirect("/login");
  const guess = await guessCode(visit, user.id, {
    code: form.text("code"),
    recovery: async (tx) => {
      await visit.audit(tx, "security.use_recovery_code", { username: user.username }, { userId: user.id });
      await tellTotpChanged(tx, visit.deps.settings, user, "recovery-code-used");
    },
  });
  if (guess.kind === "too-many") {
    return showForm(visit, returnTo, problem("Too many wrong codes. Wait 15 minutes and try again."), 429);
  }
  if (guess.found === undefined) return showForm(visit, returnTo, problem("The code is wrong.", "code"), 400);
  await visit.signIn(user.id, { pending: false });
  return visit.redirect(returnTo ?? `/users/${user.username}`);
}

function showForm(
  visit: Visit,
  returnTo: string | undefined,
  problems: Problems,
  status: number,
): Promise<Response> {
  const page = (
    <Frame visit={visit} title={problems.list.length > 0 ? "Problem: Second step" : "Second step"}>
      <div class="narrow">
        <h1>Second step</h1>
        <ProblemSummary problems={problems} />
        <PostForm visit={visit} action="/tfa">
          {returnTo === undefined ? null : <input type="hidden" name="return" value={returnTo} />}
          <Field
            name="code"
            label="Code"
            hint="Six digits from your authenticator, or one of your recovery codes"
            autocomplete="one-time-code"
            problems={problems}
            autofocus
            code
          />
          <button type="submit">Sign in</button>
        </PostForm>
        <p class="aside">
          Lost both? Whoever runs this registry can help you. <a href="/login">Sign in as somebody else</a>
        </p>
      </div>
    </Frame>
  );
  return respondPage(visit, page, { status });
}
