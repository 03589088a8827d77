/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** The second factor of an account: turning it on and off, and its recovery codes. */
import { encode } from "uqr";
import { hashRecoveryCode, newRecoveryCodes } from "../../api/auth/recovery-codes.ts";
import { openTotpSecret, sealTotpSecret } from "../../api/auth/second-factor.ts";
import { base32, isTotpCode, otpauthUri, TOTP_SECRET_BYTES } from "../../api/auth/totp.ts";
import { tellTotpChanged } from "../../api/mail/notices.ts";
import {
  disableTotp,
  enableTotp,
  replaceRecoveryCodes,
  unusedRecoveryCodes,
} from "../../store/queries/totp.ts";
import type { UserRow } from "../../store/queries/users.ts";
import { setTotpDraft } from "../../store/queries/web-sessions.ts";
import { Field, PostButton, PostForm, ProblemSummary } from "../parts/form.tsx";
import { AccountFrame } from "../parts/frame.tsx";
import { Code } from "../parts/text.tsx";
import { NO_PROBLEMS, type Problems, problem } from "../problems.ts";
import { respondPage } from "../respond.ts";
import type { Visit } from "../visit.ts";

const TITLE = "Two-factor authentication";

export async function showTwoFactor(visit: Visit): Promise<Response> {
  const { user } = visit;
  if (user === undefined) return visit.redirect("/login");
  return user.hasTotp ? showEnabled(visit, user) : showSetUp(visit, user, NO_PROBLEMS);
}

export async function enableTwoFactor(visit: Visit): Promise<Response> {
  const { user, session, deps, form, now } = visit;
  if (user === undefined || session === undefined) return visit.redirect("/login");
  const secret = keptDraft(visit, user);
  if (user.hasTotp || secret === undefined) return visit.redirect("/account/two-factor");
  if (!isTotpCode(secret, form.text("code"), Math.floor(now / 1_000_000))) {
    return showSetUp(visit, user, problem(WRONG_CODE, "code"));
  }
  const codes = newRecoveryCodes(deps.random);
  const done = await deps.sql.begin(async (tx) => {
    // Another browser may have been quicker: then it has shown the codes that count.
    if (!(await enableTotp(tx, user.id, sealTotpSecret(deps, user.id, secret), codes.map(hashRecoveryCode))))
      return false;
    await setTotpDraft(tx, session.id, null);
    await visit.audit(tx, "security.update", { username: user.username, totp: "enabled" });
    await tellTotpChanged(tx, deps.settings, user, "enabled");
    return true;
  });
  return done ? showCodes(visit, codes) : visit.redirect("/account/two-factor");
}

const WRONG_CODE =
  "The code is wrong. Look whether the clock of your device is right, and type the code that it shows now.";

export async function disableTwoFactor(visit: Visit): Promise<Response> {
  const { user, deps } = visit;
  if (user === undefined) return visit.redirect("/login");
  await deps.sql.begin(async (tx) => {
    if (!(await disableTotp(tx, user.id))) return;
    await visit.audit(tx, "security.update", { username: user.username, totp: "disabled" });
    await tellTotpChanged(tx, deps.settings, user, "disabled");
  });
  return visit.redirect("/account/two-factor", "two-factor-disabled");
}

export async function rotateRecoveryCodes(visit: Visit): Promise<Response> {
  const { user, deps } = visit;
  if (user === undefined) return visit.redirect("/login");
  if (!user.hasTotp) return visit.redirect("/account/two-factor");
  const codes = newRecoveryCodes(deps.random);
  await deps.sql.begin(async (tx) => {
    await replaceRecoveryCodes(tx, user.id, codes.map(hashRecoveryCode));
    await visit.audit(tx, "security.rotate_recovery_codes", { username: user.username });
    await tellTotpChanged(tx, deps.settings, user, "recovery-codes");
  });
  return showCodes(visit, codes);
}

function keptDraft({ session, deps }: Visit, user: UserRow): Buffer | undefined {
  const draft = session?.totpDraft ?? null;
  return draft === null ? undefined : openTotpSecret(deps, user.id, draft);
}

/** A secret stays the same until it is confirmed, however often the page is loaded: it may be in the app already. */
async function draftOf(visit: Visit, user: UserRow): Promise<Buffer> {
  const { session, deps } = visit;
  const kept = keptDraft(visit, user);
  if (kept !== undefined) return kept;
  const secret = Buffer.from(deps.random(TOTP_SECRET_BYTES));
  if (session !== undefined) await setTotpDraft(deps.sql, session.id, sealTotpSecret(deps, user.id, secret));
  return secret;
}

async function showSetUp(visit: Visit, user: UserRow, problems: Problems): Promise<Response> {
  const secret = await draftOf(visit, user);
  const issuer = `${visit.deps.settings.repositoryName} (${new URL(visit.deps.settings.publicUrl).host})`;
  const page = (
    <AccountFrame visit={visit} title={TITLE}>
      <p>
        Signing in, and letting a program publish in your name, then takes a code from an app on your phone
        beside the password. API keys are not asked for one.
      </p>
      <ProblemSummary problems={problems} />
      <ol class="steps">
        <li>
          <h2>Scan this with an authenticator app</h2>
          <QrCode text={otpauthUri(secret, issuer, user.username)} />
          <p>Or type this key into the app:</p>
          <Code label="Key for the app">{(base32(secret).match(/.{4}/g) ?? []).join(" ")}</Code>
        </li>
        <li>
          <h2>Type the code that the app shows</h2>
          <PostForm visit={visit} action="/account/two-factor">
            <Field
              name="code"
              label="Six digits"
              autocomplete="one-time-code"
              inputmode="numeric"
              problems={problems}
              code
            />
            <button type="submit">Turn it on</button>
          </PostForm>
        </li>
      </ol>
    </AccountFrame>
  );
  return respondPage(visit, page, { status: problems.status });
}

async function showEnabled(visit: Visit, user: UserRow): Promise<Response> {
  const left = await unusedRecoveryCodes(visit.deps.sql, user.id);
  const page = (
    <AccountFrame visit={visit} title={TITLE}>
      <p>
        <span class="tag">on</span> Signing in takes a code of your authenticator.
      </p>
      <h2>Recovery codes</h2>
      <p>
        {left === 1 ? "One of them is" : `${left} of them are`} left. Each signs you in once when your
        authenticator is lost. New ones make the old ones worthless.
      </p>
      <PostButton visit={visit} action="/account/two-factor/recovery-codes">
        New recovery codes
      </PostButton>
      <h2>Turn it off</h2>
      <p>Programs that you have let in can then read, but not write any more.</p>
      <PostButton visit={visit} action="/account/two-factor/disable" class="danger">
        Turn it off
      </PostButton>
    </AccountFrame>
  );
  return respondPage(visit, page);
}

function showCodes(visit: Visit, codes: readonly string[]): Promise<Response> {
  const page = (
    <AccountFrame visit={visit} title="Your recovery codes">
      <p>
        They are shown this once. Keep them where you do not keep your authenticator: each signs you in once,
        should you lose it.
      </p>
      <Code label="Recovery codes">{codes.join("\n")}</Code>
      <p>
        <a class="button" href="/account/two-factor">
          I have kept them
        </a>
      </p>
    </AccountFrame>
  );
  return respondPage(visit, page);
}

/** Dark on light in every colour scheme, or cameras would not read it. */
function QrCode({ text }: { readonly text: string }) {
  const { data, size } = encode(text, { ecc: "M", border: 4 });
  const path = data
    .flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])))
    .join("");
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label="QR code of the key below">
      <path d={path} />
    </svg>
  );
}
