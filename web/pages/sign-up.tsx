/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** Making an account. */
import { normalizeUsername } from "../../hex/names.ts";
import { userByLogin } from "../../store/queries/users.ts";
import { callApi } from "../api-call.ts";
import { mayHash } from "../attempts.ts";
import { Field, PostForm, ProblemSummary } from "../parts/form.tsx";
import { Frame, LookIntoMail } from "../parts/frame.tsx";
import { NO_PROBLEMS, type Problems, problem, problemsOf } from "../problems.ts";
import { respondPage } from "../respond.ts";
import type { Visit } from "../visit.ts";
import { NewPasswordFields } from "./password.tsx";

const LABELS = {
  username: { label: "User name" },
  full_name: { label: "Full name" },
  emails: { label: "E-mail address", field: "email" },
  password: { label: "Password" },
  password_confirmation: { label: "Repeated password" },
};

export async function showSignUp(visit: Visit): Promise<Response> {
  if (visit.user !== undefined) return visit.redirect("/account");
  return showForm(visit, NO_PROBLEMS);
}

export async function signUp(visit: Visit): Promise<Response> {
  const { form, deps } = visit;
  const username = form.text("username");
  if (!(await mayHash(visit, "sign-up"))) return showForm(visit, problem(TOO_MANY), 429);
  try {
    await callApi(visit, "POST", "/users", {
      username,
      full_name: form.text("full_name") || null,
      email: form.text("email") || null,
      // Accounts without a password exist, but nobody signs up for one here.
      password: form.raw("password"),
      password_confirmation: form.raw("password_confirmation"),
    });
  } catch (error) {
    return showForm(visit, problemsOf(error, LABELS));
  }
  const user = await userByLogin(deps.sql, normalizeUsername(username));
  if (user?.verified) {
    await visit.signIn(user.id, { pending: false });
    return visit.redirect("/account");
  }
  return showSent(visit, form.text("email"));
}

const TOO_MANY = "Too many accounts were made from your address. Wait 15 minutes and try again.";

function showSent(visit: Visit, email: string): Promise<Response> {
  const page = (
    <LookIntoMail visit={visit}>
      <p>
        We have sent a link to <b>{email}</b>. Open it within 24 hours; then you can{" "}
        <a href="/login">sign in</a>.
      </p>
      <p class="aside">
        Nothing there? <a href="/email/verification">Send the link again</a>
      </p>
    </LookIntoMail>
  );
  return respondPage(visit, page);
}

function showForm(visit: Visit, problems: Problems, status: number = problems.status): Promise<Response> {
  const { form } = visit;
  const wrong = problems.list.length > 0;
  const page = (
    <Frame visit={visit} title={wrong ? "Problem: Sign up" : "Sign up"}>
      <div class="narrow">
        <h1>Sign up</h1>
        <ProblemSummary problems={problems} />
        <PostForm visit={visit} action="/signup">
          <Field
            name="username"
            label="User name"
            hint="Letters, digits, _ - and . – everybody can see it"
            value={form.text("username")}
            autocomplete="username"
            problems={problems}
            autofocus
          />
          <Field
            name="email"
            label="E-mail address"
            type="email"
            value={form.text("email")}
            autocomplete="email"
            problems={problems}
          />
          <Field
            name="full_name"
            label="Full name (optional)"
            value={form.text("full_name")}
            autocomplete="name"
            problems={problems}
          />
          <NewPasswordFields problems={problems} label="Password" />
          <button type="submit">Sign up</button>
        </PostForm>
        <p class="aside">
          You have an account? <a href="/login">Sign in</a>
        </p>
      </div>
    </Frame>
  );
  return respondPage(visit, page, { status });
}
