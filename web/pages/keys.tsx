/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** API keys of who is signed in. */
import { isoMicros, micros } from "../../schemas/time.ts";
import { liveKeysOf } from "../../store/queries/keys.ts";
import { callApi } from "../api-call.ts";
import { Choice, Field, PostButton, PostForm, ProblemSummary } from "../parts/form.tsx";
import { AccountFrame } from "../parts/frame.tsx";
import { KeyItem, NewSecret } from "../parts/keys.tsx";
import { NO_PROBLEMS, type Problems, problem, problemsOf } from "../problems.ts";
import { respondPage } from "../respond.ts";
import type { Visit } from "../visit.ts";

const DAY_MICROS = 86_400_000_000;
const LIFETIMES = [30, 90, 365] as const;
const LABELS = {
  name: { label: "Name" },
  permissions: { label: "Package", field: "package" },
  revoke_at: { label: "End" },
};

export const showKeys = (visit: Visit): Promise<Response> => showList(visit, NO_PROBLEMS);

export async function createKeyPage(visit: Visit): Promise<Response> {
  const { form, now } = visit;
  const permissions = permissionsOf(form.raw("access"), form.text("package"));
  if (permissions === undefined) return showList(visit, problem("Choose what the key may do."));
  if (form.raw("access") === "package" && form.text("package") === "") {
    return showList(visit, problem("Name the package that the key is for.", "package"));
  }
  const days = LIFETIMES.find((lifetime) => String(lifetime) === form.raw("days"));
  try {
    const answer = await callApi(visit, "POST", "/keys", {
      name: form.text("name") || null,
      permissions,
      ...(days === undefined ? {} : { revoke_at: isoMicros(micros(now + days * DAY_MICROS)) }),
    });
    const { name, secret } = answer.body as { readonly name: string; readonly secret: string };
    return showSecret(visit, name, secret);
  } catch (error) {
    return showList(visit, problemsOf(error, LABELS));
  }
}

function permissionsOf(access: string, packageName: string): readonly object[] | undefined {
  switch (access) {
    case "all":
      return [{ domain: "api", resource: null }];
    case "read":
      return [{ domain: "api", resource: "read" }];
    case "package":
      return [{ domain: "package", resource: packageName }];
    case "repositories":
      return [{ domain: "repositories", resource: null }];
    default:
      return undefined;
  }
}

export async function revokeKeyPage(visit: Visit): Promise<Response> {
  await callApi(visit, "DELETE", "/keys/:name", { name: visit.form.raw("name") });
  return visit.redirect("/account/keys", "key-revoked");
}

export async function revokeAllKeysPage(visit: Visit): Promise<Response> {
  await callApi(visit, "DELETE", "/keys", {});
  return visit.redirect("/account/keys", "keys-revoked");
}

function showSecret(visit: Visit, name: string, secret: string): Promise<Response> {
  const commands = [{ text: "In a terminal, for mix and rebar3:", command: `export HEX_API_KEY=${secret}` }];
  const page = (
    <AccountFrame visit={visit} title="Your new key">
      <NewSecret name={name} secret={secret} commands={commands} back="/account/keys" />
    </AccountFrame>
  );
  return respondPage(visit, page);
}

async function showList(visit: Visit, problems: Problems): Promise<Response> {
  const { user, deps, now } = visit;
  if (user === undefined) return visit.redirect("/login");
  const keys = await liveKeysOf(deps.sql, { userId: user.id }, now);
  const page = (
    <AccountFrame visit={visit} title="API keys">
      <p>With a key, a build tool publishes or fetches in your name.</p>
      <ProblemSummary problems={problems} />
      {keys.length === 0 ? (
        <p class="empty">You have no keys yet.</p>
      ) : (
        <ul class="rows">
          {keys.map((key) => (
            <KeyItem visit={visit} row={key} revoke="/account/keys/revoke" />
          ))}
        </ul>
      )}
      {keys.length > 1 ? (
        <PostButton visit={visit} action="/account/keys/revoke-all" class="danger">
          Revoke all keys
        </PostButton>
      ) : null}
      <h2>New key</h2>
      <KeyForm visit={visit} problems={problems} />
    </AccountFrame>
  );
  return respondPage(visit, page, { status: problems.status });
}

function KeyForm({ visit, problems }: { readonly visit: Visit; readonly problems: Problems }) {
  const { form } = visit;
  const chosen = form.raw("access") || "all";
  const choice = (value: string, label: string, hint: string) => (
    <Choice type="radio" name="access" value={value} label={label} hint={hint} checked={chosen === value} />
  );
  return (
    <PostForm visit={visit} action="/account/keys">
      <Field
        name="name"
        label="Name"
        hint="For you to know it by, such as the machine it is for"
        value={form.raw("name")}
        autocomplete="off"
        problems={problems}
      />
      <fieldset>
        <legend>It may</legend>
        {choice("all", "do everything that you may", "publish, retire, change owners, make keys")}
        {choice("read", "read", "look packages up")}
        {choice("package", "publish one package", "named here below")}
        {choice("repositories", "fetch from private repositories", "of all your organizations")}
        <Field
          name="package"
          label="Package (for a key that publishes one)"
          value={form.raw("package")}
          autocomplete="off"
          problems={problems}
        />
      </fieldset>
      <div class="field">
        <label for="days">It ends</label>
        <select id="days" name="days">
          <option value="">when it is revoked</option>
          {LIFETIMES.map((days) => (
            <option value={String(days)} selected={form.raw("days") === String(days) ? true : undefined}>
              {days === 365 ? "after a year" : `after ${days} days`}
            </option>
          ))}
        </select>
      </div>
      <button type="submit">Make the key</button>
    </PostForm>
  );
}
