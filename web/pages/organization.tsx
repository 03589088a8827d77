/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** An organization, for its members: who belongs to it, its keys, its packages. Outsiders are told that there is none. */
import { leaveOrganization, memberParams } from "../../api/handlers/members.ts";
import { ApiError, notFound } from "../../api/http/errors.ts";
import { type KeyRow, liveKeysOf } from "../../store/queries/keys.ts";
import { membershipRole, membersOf, type Role, roleCovers } from "../../store/queries/memberships.ts";
import { type OrganizationRow, organizationByName } from "../../store/queries/organizations.ts";
import { type ListedPackage, repositoryPackages } from "../../store/queries/repository-packages.ts";
import type { UserRow } from "../../store/queries/users.ts";
import { callApi } from "../api-call.ts";
import { installationOf } from "../installation.ts";
import { type Installation, privateMixCommands, rebarConfig, rebarKey } from "../instructions.ts";
import { isIncomplete, KEY_LABELS, type KeyPurpose, keyWishes } from "../key-wishes.ts";
import type { NoticeName } from "../notices.ts";
import { ProblemSummary } from "../parts/form.tsx";
import { Frame } from "../parts/frame.tsx";
import { KeyForm, KeyItem, NewSecret } from "../parts/keys.tsx";
import { LeaveForm, Members } from "../parts/members.tsx";
import { Code, Time } from "../parts/text.tsx";
import { NO_PROBLEMS, type Problems, problem, problemsOf } from "../problems.ts";
import { respondPage } from "../respond.ts";
import type { Visit } from "../visit.ts";

const MOST_PACKAGES = 1_000;

/** What the page is about, and what who looks at it is in it. */
interface Membership {
  readonly organization: OrganizationRow;
  readonly user: UserRow;
  readonly role: Role;
}

export const showOrganization = (visit: Visit): Promise<Response> => showPage(visit, NO_PROBLEMS);

export async function addMemberPage(visit: Visit): Promise<Response> {
  const { form } = visit;
  const name = form.text("member");
  if (name === "") return showPage(visit, problem("Say whom to add.", "member"));
  const wishes = { name, role: form.raw("role") };
  return change(visit, "POST", "/orgs/:organization/members", wishes, "member-added");
}

export async function changeMemberPage(visit: Visit): Promise<Response> {
  const { form } = visit;
  const wishes = { name: form.raw("member"), role: form.raw("role") };
  return change(visit, "POST", "/orgs/:organization/members/:name", wishes, "member-changed");
}

export async function removeMemberPage(visit: Visit): Promise<Response> {
  const wishes = { name: visit.form.raw("member") };
  return change(visit, "DELETE", "/orgs/:organization/members/:name", wishes, "member-removed");
}

export async function leavePage(visit: Visit): Promise<Response> {
  const { organization, user } = await requireMembership(visit);
  const params = memberParams(organization, user);
  try {
    await leaveOrganization(visit.deps.sql, organization, user, (tx) =>
      visit.audit(tx, "organization.member.remove", params, { organizationId: organization.id }),
    );
  } catch (error) {
    return showPage(visit, problemsOf(error, {}));
  }
  return visit.redirect("/account/organizations", "organization-left");
}

export async function revokeOrganizationKeyPage(visit: Visit): Promise<Response> {
  const wishes = { name: visit.form.raw("name") };
  return change(visit, "DELETE", "/orgs/:organization/keys/:name", wishes, "key-revoked");
}

export async function createOrganizationKeyPage(visit: Visit): Promise<Response> {
  const { organization } = await requireMembership(visit);
  const { name: organizationName } = organization;
  const wishes = keyWishes(visit, purposesIn(organizationName));
  if (isIncomplete(wishes)) return showPage(visit, wishes);
  try {
    const params = { ...wishes, organization: organizationName };
    const answer = await callApi(visit, "POST", "/orgs/:organization/keys", params);
    const { name, secret } = answer.body as { readonly name: string; readonly secret: string };
    return showSecret(visit, organizationName, name, secret);
  } catch (error) {
    return showPage(visit, refusal(error, KEY_LABELS));
  }
}

/** Fetching is part of each: whoever publishes has to resolve dependencies. */
function purposesIn(organization: string): readonly KeyPurpose[] {
  const fetching = { domain: "repository", resource: organization };
  return [
    {
      value: "fetch",
      label: "fetch the private packages",
      hint: "for machines that build",
      permissions: [fetching],
    },
    {
      value: "package",
      label: "fetch, and publish one package",
      hint: "one that is there already, named here below",
      permissions: (name) => [{ domain: "package", resource: `${organization}/${name}` }, fetching],
    },
    {
      value: "all",
      label: "do everything",
      hint: "publish any package, change members and keys",
      permissions: [{ domain: "api", resource: null }, fetching],
    },
  ];
}

const MEMBER_LABELS = {
  name: { label: "", field: "member" },
  user_id: { label: "This user", field: "member" },
  role: { label: "Role" },
};

/** Does what the API does, by the API's rules. */
async function change(
  visit: Visit,
  method: string,
  path: string,
  wishes: Readonly<Record<string, unknown>>,
  notice: NoticeName,
): Promise<Response> {
  const { organization } = await requireMembership(visit);
  try {
    await callApi(visit, method, path, { ...wishes, organization: organization.name });
  } catch (error) {
    return showPage(visit, refusal(error, MEMBER_LABELS));
  }
  return visit.redirect(`/organizations/${organization.name}`, notice);
}

/** @throws the error when it says that this is not for who asks: they get no page with forms */
function refusal(error: unknown, labels: Parameters<typeof problemsOf>[1]): Problems {
  if (error instanceof ApiError && (error.status === 403 || error.status === 404)) throw error;
  return problemsOf(error, labels);
}

/** @throws ApiError 404 for outsiders */
async function requireMembership({ user, deps, c }: Visit): Promise<Membership> {
  const organization = await organizationByName(deps.sql, c.req.param("name") ?? "");
  if (user === undefined || organization === undefined) throw notFound();
  const role = await membershipRole(deps.sql, organization.id, user.id);
  if (role === undefined) throw notFound();
  return { organization, user, role };
}

async function showPage(visit: Visit, problems: Problems): Promise<Response> {
  const { deps, now } = visit;
  const { organization, role } = await requireMembership(visit);
  const { id, name } = organization;
  const [members, keys, packages, installation] = await Promise.all([
    membersOf(deps.sql, id),
    liveKeysOf(deps.sql, { organizationId: id }, now),
    repositoryPackages(deps.sql, id, MOST_PACKAGES),
    installationOf(visit),
  ]);
  const page = (
    <Frame visit={visit} title={name}>
      <p class="quiet">
        <a href="/account/organizations">Organizations</a>
      </p>
      <h1>{name}</h1>
      <p>
        Your role here is <span class="tag">{role}</span>
      </p>
      <ProblemSummary problems={problems} />
      <Packages organization={name} packages={packages} />
      <Members visit={visit} organization={organization} role={role} members={members} problems={problems} />
      <Keys visit={visit} organization={name} role={role} keys={keys} problems={problems} />
      <Instructions installation={installation} organization={name} role={role} />
      <LeaveForm visit={visit} organization={name} />
    </Frame>
  );
  return respondPage(visit, page, { status: problems.status });
}

interface PackagesProps {
  readonly organization: string;
  readonly packages: readonly ListedPackage[];
}

function Packages({ organization, packages }: PackagesProps) {
  return (
    <section aria-labelledby="packages">
      <h2 id="packages">Private packages</h2>
      {packages.length === 0 ? (
        <p class="empty">None yet.</p>
      ) : (
        <ul class="rows">
          {packages.map(({ name, latestVersion, publishedAt }) => (
            <li>
              <h3>
                <a href={`/packages/${organization}/${name}`}>
                  <code>{name}</code>
                </a>{" "}
                {latestVersion ?? ""}
              </h3>
              {publishedAt === null ? null : (
                <span class="quiet">
                  published <Time at={publishedAt} />
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

interface KeysProps {
  readonly visit: Visit;
  readonly organization: string;
  readonly role: Role;
  readonly keys: readonly KeyRow[];
  readonly problems: Problems;
}

function Keys({ visit, organization, role, keys, problems }: KeysProps) {
  const action = `/organizations/${organization}/keys`;
  const mayChange = roleCovers(role, "write");
  return (
    <section aria-labelledby="keys">
      <h2 id="keys">Keys of the organization</h2>
      <p>For machines: such a key stays when people leave.</p>
      {keys.length === 0 ? (
        <p class="empty">There are none yet.</p>
      ) : (
        <ul class="rows">
          {keys.map((row) => (
            <KeyItem visit={visit} row={row} revoke={mayChange ? `${action}/revoke` : undefined} />
          ))}
        </ul>
      )}
      {mayChange ? (
        <>
          <h3>New key</h3>
          <KeyForm visit={visit} action={action} purposes={purposesIn(organization)} problems={problems} />
        </>
      ) : null}
    </section>
  );
}

interface InstructionsProps {
  readonly installation: Installation;
  readonly organization: string;
  readonly role: Role;
}

function Instructions({ installation, organization, role }: InstructionsProps) {
  const mix = privateMixCommands(installation, organization, "KEY");
  return (
    <section aria-labelledby="use">
      <h2 id="use">Fetching its packages</h2>
      <p>
        KEY is one of the organization, for machines, or <a href="/account/keys">one of yours</a> that fetches
        from private repositories.
      </p>
      <h3>Elixir: mix</h3>
      <Code label="Command for mix">{mix.add}</Code>
      <p>
        Depend on a package in <code>mix.exs</code>:
      </p>
      <Code label="Line for mix.exs">{mix.depend}</Code>
      <h3>Erlang: rebar3</h3>
      <p>
        In <code>~/.config/rebar3/hex.config</code>:
      </p>
      <Code label="Key for rebar3">{rebarKey(installation, organization, "KEY")}</Code>
      <p>
        In <code>rebar.config</code>, or for all projects in <code>~/.config/rebar3/rebar.config</code>:
      </p>
      <Code label="Lines for rebar.config">{rebarConfig(installation, organization)}</Code>
      {roleCovers(role, "write") ? (
        <>
          <h2>Publishing to it</h2>
          <Code label="Commands to publish with mix">{mix.publish}</Code>
          <Code label="Command to publish with rebar3">
            {`rebar3 hex publish --repo ${installation.name}:${organization}`}
          </Code>
        </>
      ) : null}
    </section>
  );
}

async function showSecret(
  visit: Visit,
  organization: string,
  name: string,
  secret: string,
): Promise<Response> {
  const installation = await installationOf(visit);
  const commands = [
    {
      text: "On the machine, for mix:",
      command: privateMixCommands(installation, organization, secret).add,
    },
    {
      text: "For rebar3, in ~/.config/rebar3/hex.config:",
      command: rebarKey(installation, organization, secret),
    },
  ];
  const page = (
    <Frame visit={visit} title="The organization's new key">
      <h1>The organization's new key</h1>
      <NewSecret name={name} secret={secret} commands={commands} back={`/organizations/${organization}`} />
    </Frame>
  );
  return respondPage(visit, page);
}
