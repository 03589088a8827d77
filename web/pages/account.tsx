/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** An account at a glance. */
import { fullNameProblem } from "../../api/rules/user.ts";
import { auditedUser } from "../../api/views/audit.ts";
import { liveKeysOf } from "../../store/queries/keys.ts";
import { organizationsOf } from "../../store/queries/organizations.ts";
import { type OwnedPackage, packagesOwnedBy, setFullName } from "../../store/queries/users.ts";
import { webSessionsOf } from "../../store/queries/web-sessions.ts";
import { Field, PostForm, ProblemSummary } from "../parts/form.tsx";
import { AccountFrame } from "../parts/frame.tsx";
import { NO_PROBLEMS, type Problems, problem, sentence } from "../problems.ts";
import { respondPage } from "../respond.ts";
import type { Visit } from "../visit.ts";

export const showAccount = (visit: Visit): Promise<Response> => showOverview(visit, NO_PROBLEMS);

export async function changeFullName(visit: Visit): Promise<Response> {
  const { user, deps, form } = visit;
  if (user === undefined) return visit.redirect("/login");
  const fullName = form.text("full_name") || null;
  const refused = fullNameProblem(fullName);
  if (refused !== undefined)
    return showOverview(visit, problem(sentence(`Full name ${refused}`), "full_name"));
  await deps.sql.begin(async (tx) => {
    await setFullName(tx, user.id, fullName);
    await visit.audit(tx, "user.update", { user: auditedUser(user), full_name: fullName });
  });
  return visit.redirect("/account", "name-changed");
}

async function showOverview(visit: Visit, problems: Problems): Promise<Response> {
  const { user, deps, form, now } = visit;
  if (user === undefined) return visit.redirect("/login");
  const [keys, sessions, organizations] = await Promise.all([
    liveKeysOf(deps.sql, { userId: user.id }, now),
    webSessionsOf(deps.sql, user.id, now),
    organizationsOf(deps.sql, user.id),
  ]);
  const packages = await packagesOwnedBy(
    deps.sql,
    user.id,
    organizations.map(({ id }) => id),
  );
  const page = (
    <AccountFrame visit={visit} title="Your account">
      <ProblemSummary problems={problems} />
      <dl class="facts">
        <div>
          <dt>User name</dt>
          <dd>
            <a href={`/users/${user.username}`}>{user.username}</a>
          </dd>
        </div>
        <div>
          <dt>Organizations</dt>
          <dd>
            {organizations.length === 0 ? <a href="/account/organizations">none</a> : null}
            {organizations.map(({ name, role }) => (
              <div>
                <a href={`/organizations/${name}`}>{name}</a> <span class="quiet">{role}</span>
              </div>
            ))}
          </dd>
        </div>
        <div>
          <dt>API keys</dt>
          <dd>
            <a href="/account/keys">{String(keys.length)}</a>
          </dd>
        </div>
        <div>
          <dt>Browsers signed in</dt>
          <dd>
            <a href="/account/sessions">{String(sessions.length)}</a>
          </dd>
        </div>
        <div>
          <dt>Two-factor authentication</dt>
          <dd>
            <a href="/account/two-factor">{user.hasTotp ? "on" : "off"}</a>
          </dd>
        </div>
      </dl>
      <h2>Packages that you own</h2>
      {packages.length === 0 ? (
        <p class="empty">None yet.</p>
      ) : (
        <ul class="rows">
          {packages.map((row) => (
            <OwnedPackageItem row={row} isPrivate={row.repository !== deps.settings.repositoryName} />
          ))}
        </ul>
      )}
      <h2>How others see you</h2>
      <PostForm visit={visit} action="/account">
        <Field
          name="full_name"
          label="Full name"
          hint="Shown on your page, to everybody; may be left empty"
          value={problems.list.length > 0 ? form.text("full_name") : (user.fullName ?? "")}
          autocomplete="name"
          problems={problems}
        />
        <button type="submit">Change the name</button>
      </PostForm>
    </AccountFrame>
  );
  return respondPage(visit, page, { status: problems.status });
}

function OwnedPackageItem({ row, isPrivate }: { readonly row: OwnedPackage; readonly isPrivate: boolean }) {
  const { name, repository, level } = row;
  return (
    <li>
      <h3>
        {isPrivate ? (
          <>
            <a href={`/organizations/${repository}`}>{repository}</a>/
          </>
        ) : null}
        <a href={isPrivate ? `/packages/${repository}/${name}` : `/packages/${name}`}>
          <code>{name}</code>
        </a>
      </h3>
      <span class="tag">{level === "full" ? "full owner" : level}</span>
    </li>
  );
}
