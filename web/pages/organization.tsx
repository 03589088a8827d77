/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** An organization, for its members: who belongs to it, its keys, its packages. Outsiders are told that there is none. */
import { notFound } from "../../api/http/errors.ts";
import { type KeyRow, liveKeysOf } from "../../store/queries/keys.ts";
import {
  type Member,
  membershipRole,
  membersOf,
  ROLES,
  type Role,
  roleCovers,
} from "../../store/queries/memberships.ts";
import { type OrganizationRow, organizationByName } from "../../store/queries/organizations.ts";
import { type ListedPackage, repositoryPackages } from "../../store/queries/repository-packages.ts";
import { callApi } from "../api-call.ts";
import { privateInstallationOf } from "../installation.ts";
import { type Installation, mixCommands, rebarConfig } from "../instructions.ts";
import { Choice, Field, PostButton, PostForm, ProblemSummary } from "../parts/form.tsx";
import { Frame } from "../parts/frame.tsx";
import { KeyItem, NewSecret } from "../parts/keys.tsx";
import { Code, Time } from "../parts/text.tsx";
import { NO_PROBLEMS, type Problems, problemsOf } from "../problems.ts";
import { respondPage } from "../respond.ts";
import type { Visit } from "../visit.ts";

const MOST_PACKAGES = 1_000;

const ROLE_TEXTS: Readonly<Record<Role, string>> = {
  read: "fetches",
  write: "publishes",
  admin: "changes members and keys",
};

/** What the page is about, and what who looks at it is in it. */
interface Membership {
  readonly organization: OrganizationRow;
  readonly role: Role;
}

export const showOrganization = (visit: Visit): Promise<Response> => showPage(visit, NO_PROBLEMS);

export async function addMemberPage(visit: Visit): Promise<Response> {
  const { form } = visit;
  const wishes = { name: form.text("member") || null, role: form.raw("role") };
  return changed(visit, "POST", "/orgs/:organization/members", wishes, "member-added");
}

export async function changeMemberPage(visit: Visit): Promise<Response> {
  const { form } = visit;
  const wishes = { name: form.raw("member"), role: form.raw("role") };
  return changed(visit, "POST", "/orgs/:organization/members/:name", wishes, "member-changed");
}

export async function removeMemberPage(visit: Visit): Promise<Response> {
  const { form, user } = visit;
  const wishes = { name: form.raw("member") };
  const answer = await changed(
    visit,
    "DELETE",
    "/orgs/:organization/members/:name",
    wishes,
    "member-removed",
  );
  // Whoever has left sees the page no more.
  const hasLeft = answer.status === 302 && form.raw("member") === user?.username;
  return hasLeft ? visit.redirect("/account/organizations", "member-removed") : answer;
}

export async function revokeOrganizationKeyPage(visit: Visit): Promise<Response> {
  const wishes = { name: visit.form.raw("name") };
  return changed(visit, "DELETE", "/orgs/:organization/keys/:name", wishes, "key-revoked");
}

export async function createOrganizationKeyPage(visit: Visit): Promise<Response> {
  const { form } = visit;
  const { organization } = await requireMembership(visit);
  const { name } = organization;
  const permissions =
    form.raw("access") === "all"
      ? [
          { domain: "api", resource: null },
          { domain: "repository", resource: name },
        ]
      : [{ domain: "repository", resource: name }];
  try {
    const wishes = { organization: name, name: form.text("name") || null, permissions };
    const answer = await callApi(visit, "POST", "/orgs/:organization/keys", wishes);
    return showSecret(visit, organization, answer.body as { readonly name: string; readonly secret: string });
  } catch (error) {
    return showPage(visit, problemsOf(error, LABELS));
  }
}

const LABELS = {
  name: { label: "Name" },
  role: { label: "Role" },
  user_id: { label: "This user", field: "member" },
};

/** Does what the API does, by the API's rules. */
async function changed(
  visit: Visit,
  method: string,
  path: string,
  wishes: Readonly<Record<string, unknown>>,
  notice: Parameters<Visit["redirect"]>[1],
): Promise<Response> {
  const { organization } = await requireMembership(visit);
  try {
    await callApi(visit, method, path, { ...wishes, organization: organization.name });
  } catch (error) {
    return showPage(visit, problemsOf(error, { ...LABELS, name: { label: "Member", field: "member" } }));
  }
  return visit.redirect(`/organizations/${organization.name}`, notice);
}

/** @throws ApiError 404 for outsiders */
async function requireMembership(visit: Visit): Promise<Membership> {
  const { user, deps, c } = visit;
  const organization = await organizationByName(deps.sql, c.req.param("name") ?? "");
  if (user === undefined || organization === undefined) throw notFound();
  const role = await membershipRole(deps.sql, organization.id, user.id);
  if (role === undefined) throw notFound();
  return { organization, role };
}

async function showPage(visit: Visit, problems: Problems): Promise<Response> {
  const { deps, now } = visit;
  const membership = await requireMembership(visit);
  const { organization, role } = membership;
  const [members, keys, packages, place] = await Promise.all([
    membersOf(deps.sql, organization.id),
    liveKeysOf(deps.sql, { organizationId: organization.id }, now),
    repositoryPackages(deps.sql, organization.id, MOST_PACKAGES),
    privateInstallationOf(visit, organization.name),
  ]);
  const page = (
    <Frame visit={visit} title={organization.name}>
      <p class="quiet">
        <a href="/account/organizations">Organizations</a>
      </p>
      <h1>{organization.name}</h1>
      <p>
        You {ROLE_TEXTS[role]} here: your role is <b>{role}</b>.
      </p>
      <ProblemSummary problems={problems} />
      <Packages packages={packages} />
      <Members visit={visit} membership={membership} members={members} problems={problems} />
      <Keys visit={visit} membership={membership} keys={keys} problems={problems} />
      <Instructions place={place} />
    </Frame>
  );
  return respondPage(visit, page, { status: problems.status });
}

function Packages({ packages }: { readonly packages: readonly ListedPackage[] }) {
  return (
    <>
      <h2>Private packages</h2>
      {packages.length === 0 ? (
        <p class="empty">None yet.</p>
      ) : (
        <ul class="rows">
          {packages.map((row) => (
            <li>
              <h3>
                <code>{row.name}</code> {row.latestVersion ?? ""}
              </h3>
              <span class="quiet">
                changed <Time at={row.updatedAt} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

interface PartProps {
  readonly visit: Visit;
  readonly membership: Membership;
  readonly problems: Problems;
}

function Members({
  visit,
  membership,
  members,
  problems,
}: PartProps & { readonly members: readonly Member[] }) {
  const { organization, role } = membership;
  const base = `/organizations/${organization.name}/members`;
  const isAdmin = roleCovers(role, "admin");
  return (
    <>
      <h2>Members</h2>
      {organization.seats === null ? null : (
        <p class="quiet">
          {members.length} of {organization.seats} seats are taken.
        </p>
      )}
      <ul class="rows">
        {members.map(({ user, role: own }) => (
          <li>
            <h3>
              <a href={`/users/${user.username}`}>{user.username}</a>
            </h3>
            {isAdmin ? (
              <div class="buttons">
                <PostForm visit={visit} action={`${base}/change`} class="inline">
                  <input type="hidden" name="member" value={user.username} />
                  <RoleSelect id={`role-${user.username}`} label={`Role of ${user.username}`} chosen={own} />
                  <button type="submit" aria-label={`Change the role of ${user.username}`}>
                    Change
                  </button>
                </PostForm>
                <PostButton
                  visit={visit}
                  action={`${base}/remove`}
                  fields={{ member: user.username }}
                  class="danger"
                  label={`Remove ${user.username}`}
                >
                  Remove
                </PostButton>
              </div>
            ) : (
              <span class="tag">{own}</span>
            )}
          </li>
        ))}
      </ul>
      {isAdmin ? (
        <PostForm visit={visit} action={base}>
          <Field
            name="member"
            label="Add a member"
            hint="User name or e-mail address"
            value={visit.form.text("member")}
            autocomplete="off"
            problems={problems}
          />
          <RoleSelect id="role" label="Role" chosen="read" />
          <button type="submit">Add</button>
        </PostForm>
      ) : null}
    </>
  );
}

function RoleSelect({
  id,
  label,
  chosen,
}: {
  readonly id: string;
  readonly label: string;
  readonly chosen: Role;
}) {
  return (
    <select id={id} name="role" aria-label={label}>
      {ROLES.map((role) => (
        <option value={role} selected={role === chosen ? true : undefined}>
          {`${role}: ${ROLE_TEXTS[role]}`}
        </option>
      ))}
    </select>
  );
}

function Keys({ visit, membership, keys, problems }: PartProps & { readonly keys: readonly KeyRow[] }) {
  const { organization, role } = membership;
  const base = `/organizations/${organization.name}/keys`;
  const mayChange = roleCovers(role, "write");
  return (
    <>
      <h2>Keys of the organization</h2>
      <p>For machines: such a key stays when people leave.</p>
      {keys.length === 0 ? (
        <p class="empty">There are none yet.</p>
      ) : (
        <ul class="rows">
          {keys.map((row) => (
            <KeyItem visit={visit} row={row} revoke={mayChange ? `${base}/revoke` : undefined} />
          ))}
        </ul>
      )}
      {mayChange ? (
        <PostForm visit={visit} action={base}>
          <Field name="name" label="Name of a new key" autocomplete="off" problems={problems} />
          <fieldset>
            <legend>It may</legend>
            <Choice type="radio" name="access" value="fetch" label="fetch the private packages" checked />
            <Choice type="radio" name="access" value="all" label="publish and change members as well" />
          </fieldset>
          <button type="submit">Make the key</button>
        </PostForm>
      ) : null}
    </>
  );
}

function Instructions({ place }: { readonly place: Installation }) {
  const mix = mixCommands(place, "KEY");
  return (
    <>
      <h2>Fetching its packages</h2>
      <p>With mix, where KEY is a key of the organization or your own:</p>
      <Code label="Command for mix">{mix.add}</Code>
      <Code label="Line for mix.exs">{mix.depend}</Code>
      <p>In ~/.config/rebar3/rebar.config for rebar3:</p>
      <Code label="Configuration of rebar3">{rebarConfig(place, "KEY")}</Code>
    </>
  );
}

async function showSecret(
  visit: Visit,
  organization: OrganizationRow,
  { name, secret }: { readonly name: string; readonly secret: string },
): Promise<Response> {
  const place = await privateInstallationOf(visit, organization.name);
  const commands = [{ text: "On the machine, for mix:", command: mixCommands(place, secret).add }];
  const page = (
    <Frame visit={visit} title="The organization's new key">
      <h1>The organization's new key</h1>
      <NewSecret
        name={name}
        secret={secret}
        commands={commands}
        back={`/organizations/${organization.name}`}
      />
    </Frame>
  );
  return respondPage(visit, page);
}
