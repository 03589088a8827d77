/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** Letting a web application in (RFC 6749, 4.1.1): the browser comes with a request and goes back with an answer. */

import { issueAuthorizationCode } from "../../api/oauth/approval.ts";
import { readableRepositories } from "../../api/oauth/bearer.ts";
import { findClient } from "../../api/oauth/client.ts";
import { isChallenge } from "../../api/oauth/pkce.ts";
import { matchesRedirect } from "../../api/oauth/redirect-uri.ts";
import { expandApi, isAllowed, requestedScopes } from "../../api/oauth/scopes.ts";
import type { OAuthClientRow } from "../../store/queries/oauth-clients.ts";
import { PostForm, ProblemSummary } from "../parts/form.tsx";
import { Frame } from "../parts/frame.tsx";
import { Decision } from "../parts/scopes.tsx";
import { NO_PROBLEMS, type Problems, problem } from "../problems.ts";
import { respondPage } from "../respond.ts";
import { chosenScopes } from "../scope-choice.ts";
import type { Visit } from "../visit.ts";

/** What is asked, once it is known whom to tell about the rest. */
interface Request {
  readonly client: OAuthClientRow;
  readonly redirectUri: string;
  readonly state: string | undefined;
  readonly scopes: readonly string[];
  readonly codeChallenge: string;
}

type Parameter = (name: string) => string | undefined;
type Judged = { readonly request: Request } | { readonly answer: Response };

export async function showAuthorization(visit: Visit): Promise<Response> {
  const judged = await judge(visit, (name) => visit.c.req.query(name));
  return "answer" in judged ? judged.answer : showRequest(visit, judged.request, NO_PROBLEMS);
}

export async function decideAuthorization(visit: Visit): Promise<Response> {
  const { user, form, deps } = visit;
  const judged = await judge(visit, (name) => form.raw(name) || undefined);
  if ("answer" in judged) return judged.answer;
  const { request } = judged;
  if (user === undefined) return visit.redirect("/login");
  if (form.raw("action") !== "approve") {
    return back(visit, request, {
      error: "access_denied",
      error_description: "Authorization denied by user",
    });
  }
  const chosen = chosenScopes(form.all("selected_scopes[]"), request.scopes, user.hasTotp);
  if ("problem" in chosen) return showRequest(visit, request, problem(chosen.problem));
  const code = await issueAuthorizationCode(deps, { ...request, user, scopes: chosen.scopes });
  return back(visit, request, { code });
}

/** Until client and address are known to belong together nobody is sent anywhere: it would be an open redirect. */
async function judge(visit: Visit, parameter: Parameter): Promise<Judged> {
  const { deps } = visit;
  const client = await findClient(deps, parameter("client_id") ?? "");
  const redirectUri = parameter("redirect_uri") ?? "";
  if (client === undefined) return refused(visit, "invalid_client", "Invalid client");
  if (!client.redirectUris.some((registered) => matchesRedirect(registered, redirectUri))) {
    return refused(visit, "invalid_request", "Invalid redirect URI");
  }
  const state = parameter("state");
  const codeChallenge = parameter("code_challenge") ?? "";
  const whom = { redirectUri, state };
  const invalid = (text: string) => ({
    answer: back(visit, whom, { error: "invalid_request", error_description: text }),
  });
  if (!client.grants.includes("authorization_code")) {
    return invalid("Client not authorized for this grant type");
  }
  if (state === undefined) return invalid("Missing required parameter: state");
  if (!isChallenge(codeChallenge)) return invalid("Missing or invalid code_challenge");
  if (parameter("code_challenge_method") !== "S256") return invalid("code_challenge_method must be S256");
  const asked = requestedScopes(parameter("scope")) ?? [];
  if (!asked.every((scope) => isAllowed(scope, client.scopes))) return invalid("Invalid scope");
  if (!(await isMemberOfAll(visit, asked))) return invalid("Not a member of a requested organization");
  return { request: { client, redirectUri, state, scopes: expandApi(asked), codeChallenge } };
}

async function isMemberOfAll({ user, deps }: Visit, scopes: readonly string[]): Promise<boolean> {
  const named = scopes.flatMap((scope) => /^(?:repository|docs):(.+)$/.exec(scope)?.[1] ?? []);
  if (user === undefined || named.length === 0) return true;
  const readable = await readableRepositories(deps, deps.sql, { kind: "user", user });
  return named.every((name) => readable.includes(name));
}

function refused(visit: Visit, error: string, description: string): Judged {
  const body = { error, error_description: description };
  return { answer: visit.c.json(body, 400, { "cache-control": "no-store" }) };
}

/** The address was registered, so that only what we add to it is ours to escape. */
function back(
  visit: Visit,
  { redirectUri, state }: Pick<Request, "redirectUri" | "state">,
  answer: Readonly<Record<string, string>>,
): Response {
  const query = new URLSearchParams(state === undefined ? answer : { ...answer, state });
  const address = `${redirectUri}${redirectUri.includes("?") ? "&" : "?"}${query}`;
  return visit.c.body(null, 302, {
    location: address,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
  });
}

function showRequest(visit: Visit, request: Request, problems: Problems): Promise<Response> {
  const { client, redirectUri, state, scopes, codeChallenge } = request;
  const target = new URL(redirectUri);
  const origin = target.origin === "null" ? `${target.protocol}` : target.origin;
  const fields = {
    client_id: client.clientId,
    redirect_uri: redirectUri,
    state: state ?? "",
    code_challenge: codeChallenge,
    code_challenge_method: "S256",
    scope: scopes.join(" "),
  };
  const page = (
    <Frame visit={visit} title="Let it in?">
      <div class="narrow">
        <h1>Let it in?</h1>
        <p>
          <b>{client.name}</b> at <b>{target.host}</b> wants to act for you,{" "}
          <b>{visit.user?.username ?? ""}</b>.
        </p>
        <ProblemSummary problems={problems} />
        <PostForm visit={visit} action="/oauth/authorize">
          {Object.entries(fields).map(([name, value]) => (
            <input type="hidden" name={name} value={value} />
          ))}
          <Decision accept="approve" scopes={scopes} hasTotp={visit.user?.hasTotp ?? false} />
        </PostForm>
      </div>
    </Frame>
  );
  return respondPage(visit, page, { formTarget: origin });
}
