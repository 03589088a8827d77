/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** Asks once more who it is, before something that a borrowed browser must not do. */
import { verifyPassword } from "../../api/auth/password.ts";
import type { UserRow } from "../../store/queries/users.ts";
import { setSudo } from "../../store/queries/web-sessions.ts";
import { type Guess, guessCode, guessSudo } from "../attempts.ts";
import { localPath } from "../local-path.ts";
import { Field, PostForm, ProblemSummary } from "../parts/form.tsx";
import { Frame } from "../parts/frame.tsx";
import { NO_PROBLEMS, type Problems, problem } from "../problems.ts";
import { respondPage } from "../respond.ts";
import type { Visit } from "../visit.ts";

export async function showSudo(visit: Visit): Promise<Response> {
  return showForm(visit, localPath(visit.c.req.query("return")), NO_PROBLEMS, 200);
}

export async function sudo(visit: Visit): Promise<Response> {
  const { user, session, form } = visit;
  if (user === undefined || session === undefined) return visit.redirect("/login");
  const returnTo = localPath(form.raw("return"));
  const guess = await guessSudo(visit, user.id, () => guessProof(visit, user));
  if (guess.kind === "too-many") {
    return showForm(
      visit,
      returnTo,
      problem("Too many failed attempts. Wait 15 minutes and try again."),
      429,
    );
  }
  if (guess.found === undefined) {
    const wrong = user.hasTotp
      ? problem("The code is wrong.", "code")
      : problem("The password is wrong.", "password");
    return showForm(visit, returnTo, wrong, 400);
  }
  await setSudo(visit.deps.sql, session.id, visit.sudoUntil);
  return visit.redirect(returnTo ?? "/account");
}

/** Whoever has a second factor shows that one: passwords are what gets stolen. */
async function guessProof(visit: Visit, user: UserRow): Promise<Guess<true>> {
  const { form } = visit;
  if (user.hasTotp) return guessCode(visit, user.id, { code: form.text("code") });
  const isRight = await verifyPassword(form.raw("password"), user.passwordHash);
  return { kind: "checked", found: isRight ? true : undefined };
}

function showForm(
  visit: Visit,
  returnTo: string | undefined,
  problems: Problems,
  status: number,
): Promise<Response> {
  const page = (
    <Frame visit={visit} title="Confirm that it is you">
      <div class="narrow">
        <h1>Confirm that it is you</h1>
        <p>What comes next can change your account. You will not be asked again for an hour.</p>
        <ProblemSummary problems={problems} />
        <PostForm visit={visit} action="/sudo">
          <input type="hidden" name="type" value={visit.user?.hasTotp ? "tfa" : "password"} />
          {returnTo === undefined ? null : <input type="hidden" name="return" value={returnTo} />}
          <input type="hidden" name="username" value={visit.user?.username ?? ""} autocomplete="username" />
          {visit.user?.hasTotp ? (
            <Field
              name="code"
              label="Code of your authenticator"
              autocomplete="one-time-code"
              inputmode="numeric"
              problems={problems}
              autofocus
              code
            />
          ) : (
            <Field
              name="password"
              label="Password"
              type="password"
              autocomplete="current-password"
              problems={problems}
              autofocus
            />
          )}
          <button type="submit">Go on</button>
        </PostForm>
      </div>
    </Frame>
  );
  return respondPage(visit, page, { status });
}
