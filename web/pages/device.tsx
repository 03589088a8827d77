/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** Letting a device in (RFC 8628, 3.3): type its code, look at what it wants, decide. */
import { letDeviceIn } from "../../api/oauth/approval.ts";
import { parseUserCode, showUserCode } from "../../api/oauth/user-code.ts";
import { micros } from "../../schemas/time.ts";
import { type DeviceCodeRow, denyDevice, deviceCodeByUserCode } from "../../store/queries/device-codes.ts";
import { setDevice } from "../../store/queries/web-sessions.ts";
import { mayTryDevice } from "../attempts.ts";
import { Field, PostForm, ProblemSummary } from "../parts/form.tsx";
import { Frame } from "../parts/frame.tsx";
import { Decision } from "../parts/scopes.tsx";
import { NO_PROBLEMS, type Problems, problem } from "../problems.ts";
import { respondPage } from "../respond.ts";
import { chosenScopes } from "../scope-choice.ts";
import type { Visit } from "../visit.ts";

const DECIDE_MICROS = 5 * 60 * 1_000_000;
const TOO_MANY = "Too many verification attempts. Please wait 15 minutes before trying again.";

/** `GET /oauth/device`: the code is asked for, or shown when the link has brought it. */
export async function showDevice(visit: Visit): Promise<Response> {
  const given = visit.c.req.query("user_code");
  if (given === undefined) return showCodeForm(visit, NO_PROBLEMS);
  const found = await findCode(visit, given);
  return "problem" in found ? showCodeForm(visit, problem(found.problem)) : showConfirmation(visit, found);
}

/** `POST /oauth/device`: the code is theirs. What the device wants comes on the next page. */
export async function confirmDevice(visit: Visit): Promise<Response> {
  const { form, deps, session, now } = visit;
  if (session === undefined) return visit.redirect("/login");
  const given = form.text("user_code");
  if (given === "") return showCodeForm(visit, problem("Missing verification code", "user_code"));
  const found = await findCode(visit, given);
  if ("problem" in found) return showCodeForm(visit, problem(found.problem, "user_code"));
  await setDevice(deps.sql, session.id, { userCode: found.userCode, until: micros(now + DECIDE_MICROS) });
  return visit.redirect("/oauth/device/authorize");
}

/** `GET /oauth/device/authorize` */
export async function showDeviceRequest(visit: Visit): Promise<Response> {
  const code = await codeOfSession(visit);
  return code === undefined ? visit.redirect("/oauth/device") : showRequest(visit, code, NO_PROBLEMS);
}

/** `POST /oauth/device/authorize` */
export async function decideDevice(visit: Visit): Promise<Response> {
  const { user, session, deps, form, ip, userAgent } = visit;
  const code = await codeOfSession(visit);
  if (user === undefined || session === undefined || code === undefined)
    return visit.redirect("/oauth/device");
  if (form.raw("action") === "deny") {
    await denyDevice(deps.sql, code.id);
    await setDevice(deps.sql, session.id, undefined);
    return visit.redirect("/", "device-denied");
  }
  const chosen = chosenScopes(form.all("selected_scopes[]"), code.scopes, user.hasTotp);
  if ("problem" in chosen) return showRequest(visit, code, problem(chosen.problem));
  const isIn = await letDeviceIn(deps, { user, code, scopes: chosen.scopes, ip, userAgent });
  await setDevice(deps.sql, session.id, undefined);
  return isIn ? visit.redirect("/", "device-in") : showCodeForm(visit, problem(PROCESSED));
}

const PROCESSED = "This application has already been processed";

/** Counted, right or wrong: codes are short, and a stranger's must not be found by trying. */
async function findCode(visit: Visit, text: string): Promise<DeviceCodeRow | { readonly problem: string }> {
  const { user, deps, now } = visit;
  if (user === undefined || !(await mayTryDevice(visit, user.id))) return { problem: TOO_MANY };
  const userCode = parseUserCode(text);
  const code = userCode === undefined ? undefined : await deviceCodeByUserCode(deps.sql, userCode);
  if (code === undefined) return { problem: "Invalid verification code" };
  if (code.state !== "pending") return { problem: PROCESSED };
  return code.expiresAt <= now ? { problem: "Verification code has expired" } : code;
}

/** @returns the code that was typed into this browser of late, while it waits. */
async function codeOfSession({ session, deps, now }: Visit): Promise<DeviceCodeRow | undefined> {
  const { deviceUserCode, deviceUntil } = session ?? {};
  if (deviceUserCode == null || deviceUntil == null || deviceUntil <= now) return undefined;
  const code = await deviceCodeByUserCode(deps.sql, deviceUserCode);
  return code?.state === "pending" && code.expiresAt > now ? code : undefined;
}

function showCodeForm(visit: Visit, problems: Problems): Promise<Response> {
  const page = (
    <Frame visit={visit} title={problems.list.length > 0 ? "Problem: Let a device in" : "Let a device in"}>
      <div class="narrow">
        <h1>Let a device in</h1>
        <p>Type the code that your terminal shows. Never one that somebody else has sent you.</p>
        <ProblemSummary problems={problems} />
        <PostForm visit={visit} action="/oauth/device">
          <Field
            name="user_code"
            label="Code"
            hint="Eight letters and digits, such as BCDF-2345"
            autocomplete="off"
            problems={problems}
            autofocus
            code
          />
          <button type="submit">Go on</button>
        </PostForm>
      </div>
    </Frame>
  );
  return respondPage(visit, page);
}

function showConfirmation(visit: Visit, code: DeviceCodeRow): Promise<Response> {
  const page = (
    <Frame visit={visit} title="Is this your code?">
      <div class="narrow">
        <h1>Is this your code?</h1>
        <p class="user-code">{showUserCode(code.userCode)}</p>
        <p>
          Go on only if your own terminal shows the same. Whoever has sent you a link to this page would be
          let in as you.
        </p>
        <PostForm visit={visit} action="/oauth/device">
          <input type="hidden" name="user_code" value={code.userCode} />
          <button type="submit">Yes, it shows this code</button>
        </PostForm>
        <p class="aside">
          <a href="/">No, take me away</a>
        </p>
      </div>
    </Frame>
  );
  return respondPage(visit, page);
}

function showRequest(visit: Visit, code: DeviceCodeRow, problems: Problems): Promise<Response> {
  const page = (
    <Frame visit={visit} title="Let it in?">
      <div class="narrow">
        <h1>Let it in?</h1>
        <ProblemSummary problems={problems} />
        <dl class="facts">
          <div>
            <dt>Program</dt>
            <dd>{code.clientName}</dd>
          </div>
          {code.name === null ? null : (
            <div>
              <dt>It calls itself</dt>
              <dd>{code.name}</dd>
            </div>
          )}
          <div>
            <dt>Code</dt>
            <dd>{showUserCode(code.userCode)}</dd>
          </div>
          <div>
            <dt>Account</dt>
            <dd>{visit.user?.username ?? ""}</dd>
          </div>
        </dl>
        <PostForm visit={visit} action="/oauth/device/authorize">
          <Decision accept="authorize" scopes={code.scopes} hasTotp={visit.user?.hasTotp ?? false} />
        </PostForm>
      </div>
    </Frame>
  );
  return respondPage(visit, page);
}
