/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** Showing that an address is one's own. */
import { requestVerification, verifyEmail } from "../../api/mail/account-links.ts";
import { unverifiedPrimaryAddress } from "../../store/queries/account-links.ts";
import { limited } from "../attempts.ts";
import { Field, PostForm } from "../parts/form.tsx";
import { Frame, LookIntoMail } from "../parts/frame.tsx";
import { respondPage } from "../respond.ts";
import type { Visit } from "../visit.ts";

/** What the link in the mail opens. */
export async function verifyAddress(visit: Visit): Promise<Response> {
  const { username = "", email = "", key = "" } = visit.c.req.query();
  const verified = await verifyEmail(visit.deps, { username, email, key });
  visit.c.header("referrer-policy", "no-referrer");
  return visit.redirect("/", verified ? "address-verified" : "address-not-verified");
}

export function showVerification(visit: Visit): Promise<Response> {
  const page = (
    <Frame visit={visit} title="Send the link again">
      <div class="narrow">
        <h1>Send the link again</h1>
        <p>We send another link to the address that you signed up with. The one before stops working.</p>
        <PostForm visit={visit} action="/email/verification">
          <Field name="username" label="User name" autocomplete="username" autofocus />
          <button type="submit">Send the link</button>
        </PostForm>
      </div>
    </Frame>
  );
  return respondPage(visit, page);
}

export async function sendVerification(visit: Visit): Promise<Response> {
  const { deps, form } = visit;
  const username = form.text("username").toLowerCase();
  await limited(visit, "verification", username, async () => {
    const account = await unverifiedPrimaryAddress(deps.sql, username);
    if (account !== undefined) await deps.sql.begin((tx) => requestVerification(deps, tx, account));
  });
  // The same whatever there is, so that it tells nothing about accounts.
  const page = (
    <LookIntoMail visit={visit}>
      <p>
        If there is such an account and its address is not verified, a link is on its way. Open it within 24
        hours; then you can <a href="/login">sign in</a>.
      </p>
    </LookIntoMail>
  );
  return respondPage(visit, page);
}
