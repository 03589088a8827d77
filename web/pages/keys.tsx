/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** API keys of who is signed in. */
import { liveKeysOf } from "../../store/queries/keys.ts";
import { callApi } from "../api-call.ts";
import { isIncomplete, KEY_LABELS, type KeyPurpose, keyWishes } from "../key-wishes.ts";
import { PostButton, ProblemSummary } from "../parts/form.tsx";
import { AccountFrame } from "../parts/frame.tsx";
import { KeyForm, KeyItem, NewSecret } from "../parts/keys.tsx";
import { NO_PROBLEMS, type Problems, problemsOf } from "../problems.ts";
import { respondPage } from "../respond.ts";
import type { Visit } from "../visit.ts";

const PURPOSES: readonly KeyPurpose[] = [
  {
    value: "all",
    label: "do everything that you may",
    hint: "publish, retire, change owners, make keys",
    permissions: [{ domain: "api", resource: null }],
  },
  {
    value: "read",
    label: "read",
    hint: "look packages up",
    permissions: [{ domain: "api", resource: "read" }],
  },
  {
    value: "package",
    label: "publish one package",
    hint: "named here below",
    permissions: (resource) => [{ domain: "package", resource }],
  },
  {
    value: "repositories",
    label: "fetch from private repositories",
    hint: "of all your organizations",
    permissions: [{ domain: "repositories", resource: null }],
  },
];

export const showKeys = (visit: Visit): Promise<Response> => showList(visit, NO_PROBLEMS);

export async function createKeyPage(visit: Visit): Promise<Response> {
  const wishes = keyWishes(visit, PURPOSES);
  if (isIncomplete(wishes)) return showList(visit, wishes);
  try {
    const answer = await callApi(visit, "POST", "/keys", { ...wishes });
    const { name, secret } = answer.body as { readonly name: string; readonly secret: string };
    return showSecret(visit, name, secret);
  } catch (error) {
    return showList(visit, problemsOf(error, KEY_LABELS));
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
      <KeyForm visit={visit} action="/account/keys" purposes={PURPOSES} problems={problems} />
    </AccountFrame>
  );
  return respondPage(visit, page, { status: problems.status });
}
