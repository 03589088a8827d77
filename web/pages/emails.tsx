/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** The e-mail addresses of who is signed in. */
import { requestVerification } from "../../api/mail/account-links.ts";
import { isMailable } from "../../api/mail/address.ts";
import { isDuplicate } from "../../store/postgres/pool.ts";
import {
  deleteEmail,
  type EmailRow,
  emailsOf,
  insertEmail,
  makeEmailPrimary,
  setPublicEmail,
} from "../../store/queries/emails.ts";
import { emailIsVerifiedElsewhere, type UserRow } from "../../store/queries/users.ts";
import { limited } from "../attempts.ts";
import { Field, PostButton, PostForm, ProblemSummary } from "../parts/form.tsx";
import { AccountFrame } from "../parts/frame.tsx";
import { NO_PROBLEMS, type Problems, problem } from "../problems.ts";
import { respondPage } from "../respond.ts";
import type { Visit } from "../visit.ts";

const MOST_ADDRESSES = 10;

export const showEmails = (visit: Visit): Promise<Response> => showList(visit, NO_PROBLEMS);

export async function addEmail(visit: Visit): Promise<Response> {
  const { user, deps, form } = visit;
  if (user === undefined) return visit.redirect("/login");
  const email = form.text("email").toLowerCase();
  const refused = await problemWith(visit, user, email);
  if (refused !== undefined) return showList(visit, problem(refused, "email"));
  const { trustEmails } = deps.settings;
  try {
    await deps.sql.begin(async (tx) => {
      if (await insertEmail(tx, user.id, email, trustEmails)) await visit.audit(tx, "email.add", { email });
    });
  } catch (error) {
    // Somebody else verified it since we looked.
    if (isDuplicate(error, "emails_verified")) return showList(visit, problem(IN_USE, "email"));
    throw error;
  }
  if (trustEmails) return visit.redirect("/account/emails", "address-made");
  await sendLink(visit, user, email);
  return visit.redirect("/account/emails", "address-added");
}

const IN_USE = "This address is already in use.";

async function problemWith({ deps }: Visit, user: UserRow, email: string): Promise<string | undefined> {
  if (!isMailable(email)) return "This is not an e-mail address.";
  if (await emailIsVerifiedElsewhere(deps.sql, email)) return IN_USE;
  const own = await emailsOf(deps.sql, user.id);
  return own.length >= MOST_ADDRESSES ? `More than ${MOST_ADDRESSES} addresses are not possible.` : undefined;
}

function sendLink(visit: Visit, { id, username }: UserRow, email: string): Promise<void> {
  const { deps } = visit;
  return limited(visit, "verification", email, () =>
    deps.sql.begin((tx) => requestVerification(deps, tx, { id, username, email })),
  );
}

/** What the buttons beside an address do. */
export async function changeEmail(visit: Visit): Promise<Response> {
  const { user, deps, form } = visit;
  if (user === undefined) return visit.redirect("/login");
  const row = (await emailsOf(deps.sql, user.id)).find(({ id }) => String(id) === form.raw("id"));
  if (row === undefined) return visit.redirect("/account/emails");
  switch (form.raw("action")) {
    case "primary": {
      await deps.sql.begin(async (tx) => {
        const email = await makeEmailPrimary(tx, user.id, row.id);
        if (email !== undefined) await visit.audit(tx, "email.primary", { email });
      });
      return visit.redirect("/account/emails", "address-primary");
    }
    case "public":
    case "private": {
      const shown = form.raw("action") === "public" && row.verified;
      await deps.sql.begin(async (tx) => {
        await setPublicEmail(tx, user.id, shown ? row.id : null);
        await visit.audit(tx, "email.public", { email: shown ? row.email : null });
      });
      return visit.redirect("/account/emails", "address-shown");
    }
    case "remove": {
      await deps.sql.begin(async (tx) => {
        const email = await deleteEmail(tx, user.id, row.id);
        if (email !== undefined) await visit.audit(tx, "email.remove", { email });
      });
      return visit.redirect("/account/emails", "address-removed");
    }
    case "verify":
      if (!row.verified) await sendLink(visit, user, row.email);
      return visit.redirect("/account/emails", "address-added");
    default:
      return visit.redirect("/account/emails");
  }
}

async function showList(visit: Visit, problems: Problems): Promise<Response> {
  const { user, deps, form } = visit;
  if (user === undefined) return visit.redirect("/login");
  const emails = await emailsOf(deps.sql, user.id);
  const page = (
    <AccountFrame visit={visit} title="E-mail addresses">
      <p>Mails go to the primary address. You can sign in with each that is verified.</p>
      <ProblemSummary problems={problems} />
      <ul class="rows">
        {emails.map((row) => (
          <EmailItem visit={visit} row={row} />
        ))}
      </ul>
      <h2>Another address</h2>
      <p>
        To change your address, add the new one, open the link that we send there, and make it the primary
        one.
      </p>
      <PostForm visit={visit} action="/account/emails">
        <Field
          name="email"
          label="E-mail address"
          type="email"
          value={form.text("email")}
          autocomplete="email"
          problems={problems}
        />
        <button type="submit">Add the address</button>
      </PostForm>
    </AccountFrame>
  );
  return respondPage(visit, page, { status: problems.status });
}

function EmailItem({ visit, row }: { readonly visit: Visit; readonly row: EmailRow }) {
  const states = [
    row.primary ? "primary" : undefined,
    row.verified ? undefined : "not verified",
    row.public ? "everybody sees it" : undefined,
  ].filter((state) => state !== undefined);
  const button = (action: string, text: string, style: string) => (
    <PostButton
      visit={visit}
      action="/account/emails/change"
      fields={{ id: String(row.id), action }}
      class={style}
      label={`${text}: ${row.email}`}
    >
      {text}
    </PostButton>
  );
  return (
    <li>
      <div>
        <h3>{row.email}</h3>
        <p class="quiet">{states.length === 0 ? "verified" : states.join(" · ")}</p>
      </div>
      <div class="actions">
        {row.verified && !row.primary ? button("primary", "Make primary", "small") : null}
        {row.verified && !row.public ? button("public", "Show to everybody", "small") : null}
        {row.public ? button("private", "Hide", "small") : null}
        {row.verified ? null : button("verify", "Send the link again", "small")}
        {row.primary ? null : button("remove", "Remove", "danger")}
      </div>
    </li>
  );
}
