/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** The organizations of who is signed in, and making one. */
import { createOrganization } from "../../api/handlers/organizations.ts";
import { auditedOrganization } from "../../api/views/organization.ts";
import { organizationsOf } from "../../store/queries/organizations.ts";
import { Field, PostForm, ProblemSummary } from "../parts/form.tsx";
import { AccountFrame } from "../parts/frame.tsx";
import { NO_PROBLEMS, type Problems, problemsOf } from "../problems.ts";
import { respondPage } from "../respond.ts";
import type { Visit } from "../visit.ts";

export const showOrganizations = (visit: Visit): Promise<Response> => showList(visit, NO_PROBLEMS);

export async function createOrganizationPage(visit: Visit): Promise<Response> {
  const { user, deps, form } = visit;
  if (user === undefined) return visit.redirect("/login");
  try {
    const wishes = { name: form.text("name"), adminId: user.id };
    const made = await createOrganization(deps, wishes, async (tx, organization) => {
      const params = { organization: auditedOrganization(organization) };
      await visit.audit(tx, "organization.create", params, { organizationId: organization.id });
    });
    return visit.redirect(`/organizations/${made.name}`, "organization-made");
  } catch (error) {
    return showList(visit, problemsOf(error, { name: { label: "Name" } }));
  }
}

async function showList(visit: Visit, problems: Problems): Promise<Response> {
  const { user, deps, form } = visit;
  if (user === undefined) return visit.redirect("/login");
  const organizations = await organizationsOf(deps.sql, user.id);
  const page = (
    <AccountFrame visit={visit} title="Organizations">
      <p>An organization has members, keys for machines, and private packages that they alone can fetch.</p>
      <ProblemSummary problems={problems} />
      {organizations.length === 0 ? (
        <p class="empty">You belong to none yet.</p>
      ) : (
        <ul class="rows">
          {organizations.map(({ name, role }) => (
            <li>
              <h3>
                <a href={`/organizations/${name}`}>{name}</a>
              </h3>
              <span class="tag">{role}</span>
            </li>
          ))}
        </ul>
      )}
      <h2>New organization</h2>
      <PostForm visit={visit} action="/account/organizations">
        <Field
          name="name"
          label="Name"
          hint="At least three small letters, digits, hyphens, dots or underscores"
          value={form.text("name")}
          autocomplete="off"
          problems={problems}
        />
        <button type="submit">Make it</button>
      </PostForm>
    </AccountFrame>
  );
  return respondPage(visit, page, { status: problems.status });
}
