/** Members of an organization. */
import { normalizeUsername } from "../../hex/names.ts";
import type { Transaction } from "../../store/postgres/pool.ts";
import {
  membershipRole,
  membershipRoles,
  membersOf,
  type Role,
  removeMember,
  setMember,
} from "../../store/queries/memberships.ts";
import { lockOrganization, type OrganizationRow } from "../../store/queries/organizations.ts";
import { type UserRow, userByPublicName } from "../../store/queries/users.ts";
import { urlsOf } from "../../views/urls.ts";
import { authorize, authorizeAgain } from "../auth/authorization.ts";
import { type Call, type Handler, pathParameter, textParameter } from "../call.ts";
import { badRequest, invalid, notFound } from "../http/errors.ts";
import { tellMemberAdded } from "../mail/notices.ts";
import { readRole } from "../rules/organization.ts";
import type { ApiDependencies } from "../settings.ts";
import { auditedUser } from "../views/audit.ts";
import { auditedOrganization, memberAlone, memberInList } from "../views/organization.ts";
import { auditCall } from "./change.ts";
import { findOrganization } from "./lookup.ts";

export const listMembers: Handler = async (call) => {
  const organization = await findOrganization(call);
  await authorize(call, { organization });
  const members = organization === "everybody" ? [] : await membersOf(call.deps.sql, organization.id);
  const urls = urlsOf(call.deps.settings);
  return { status: 200, body: members.map((member) => memberInList(member, urls)) };
};

export const showMember: Handler = async (call) => {
  const organization = await findOrganization(call);
  await authorize(call, { organization });
  const user = await userByPublicName(call.deps.sql, normalizeUsername(pathParameter(call, "name")));
  if (user === undefined || organization === "everybody") throw notFound();
  const role = await membershipRole(call.deps.sql, organization.id, user.id);
  if (role === undefined) throw notFound();
  return answer(call, user, role);
};

export const addMember: Handler = async (call) => {
  const organization = await changeable(call);
  const name = textParameter(call, "name");
  if (name === undefined) throw badRequest();
  const user = await userByPublicName(call.deps.sql, normalizeUsername(name));
  if (user === undefined) throw invalid({ name: "unknown user" });
  const role = await change(call, organization, (tx, locked) =>
    insertMember(tx, locked, user, call.params.role, async (added) => {
      await auditMember(call, tx, "organization.member.add", organization, user, added);
      await tellMemberAdded(tx, call.deps.settings, organization.name, { id: user.id, role: added });
    }),
  );
  const location = `/api/orgs/${organization.name}/members/${user.username}`;
  return { ...answer(call, user, role), headers: { location } };
};

/**
 * Adds a member. The command line does it with the same function.
 * @param organization as it is under its lock, so that two at once cannot both get the last seat
 * @param role as it was sent
 * @throws ApiError 422
 */
export async function insertMember(
  tx: Transaction,
  organization: OrganizationRow,
  user: UserRow,
  role: unknown,
  alongside: (role: Role) => Promise<void>,
): Promise<Role> {
  if (user.organizationId !== null) {
    throw invalid("cannot add an organization as member to an organization");
  }
  const members = await membershipRoles(tx, organization.id);
  const { seats } = organization;
  if (seats !== null && seats > 0 && members.size + 1 > seats) {
    throw invalid("not enough seats to add member");
  }
  const added = readRole(role);
  if (members.has(user.id)) throw invalid({ user_id: "is already member" });
  await setMember(tx, organization.id, user.id, added);
  await alongside(added);
  return added;
}

export const changeMember: Handler = async (call) => {
  const organization = await changeable(call);
  const user = await userByPublicName(call.deps.sql, normalizeUsername(pathParameter(call, "name")));
  if (user === undefined) throw notFound();
  const role = await change(call, organization, async (tx) => {
    const members = await membershipRoles(tx, organization.id);
    const before = members.get(user.id);
    if (before === undefined) throw invalid("unknown_user");
    const admins = [...members.values()].filter((each) => each === "admin").length;
    if (before === "admin" && admins === 1) throw invalid("cannot demote last admin member");
    const after = readRole(call.params.role);
    await setMember(tx, organization.id, user.id, after);
    await auditMember(call, tx, "organization.member.role", organization, user, after);
    return after;
  });
  return answer(call, user, role);
};

export const deleteMember: Handler = async (call) => {
  const organization = await changeable(call);
  const user = await userByPublicName(call.deps.sql, normalizeUsername(pathParameter(call, "name")));
  if (user === undefined) return { status: 204 };
  await change(call, organization, (tx) =>
    dropMember(tx, organization, user, () =>
      auditMember(call, tx, "organization.member.remove", organization, user),
    ),
  );
  return { status: 204 };
};

/**
 * Removes a member with what they own in the organization's repository; somebody who is none already is removed.
 * The caller holds the organization's lock.
 * @throws ApiError 422 for the only one
 */
export async function dropMember(
  tx: Transaction,
  organization: OrganizationRow,
  user: UserRow,
  alongside: () => Promise<void>,
): Promise<boolean> {
  const members = await membershipRoles(tx, organization.id);
  if (!members.has(user.id)) return false;
  if (members.size === 1) throw invalid("cannot remove last member");
  await removeMember(tx, organization.id, user.id);
  await alongside();
  return true;
}

/**
 * Whoever is a member may go. There is no route for it, where removing members is for admins: the pages call this.
 * @param alongside runs in the same transaction, unless the user was no member
 * @throws ApiError 422 for the only member, and for the only admin, after whom nobody could add another
 */
export async function leaveOrganization(
  sql: ApiDependencies["sql"],
  organization: OrganizationRow,
  user: UserRow,
  alongside: (tx: Transaction) => Promise<void>,
): Promise<void> {
  await sql.begin(async (tx) => {
    if ((await lockOrganization(tx, organization.id)) === undefined) throw notFound();
    const roles = await membershipRoles(tx, organization.id);
    const hasOthers = [...roles].some(([id, role]) => id !== user.id && role === "admin");
    if (roles.size > 1 && roles.get(user.id) === "admin" && !hasOthers) {
      throw invalid("the only admin cannot leave: make somebody else an admin first");
    }
    await dropMember(tx, organization, user, () => alongside(tx));
  });
}

/** Authorises. @throws ApiError 404 for the public repository's, which has no members to change. */
async function changeable(call: Call): Promise<OrganizationRow> {
  const organization = await findOrganization(call);
  await authorize(call, { organization });
  if (organization === "everybody") throw notFound();
  return organization;
}

/** Under the organization's lock, and asks again there whether the caller may: of two admins one may remove the other. */
function change<T>(
  call: Call,
  organization: OrganizationRow,
  work: (tx: Transaction, locked: OrganizationRow) => Promise<T>,
): Promise<T> {
  return call.deps.sql.begin(async (tx) => {
    const locked = await lockOrganization(tx, organization.id);
    if (locked === undefined) throw notFound();
    await authorizeAgain(call, { organization: locked }, tx);
    return work(tx, locked);
  }) as Promise<T>;
}

function auditMember(
  call: Call,
  tx: Transaction,
  action: string,
  organization: OrganizationRow,
  user: UserRow,
  role?: Role,
): Promise<void> {
  return auditCall(call, tx, action, memberParams(organization, user, role), organization.id);
}

/** @returns what the audit log keeps of a change of members. */
export function memberParams(organization: OrganizationRow, user: UserRow, role?: Role): object {
  return {
    organization: auditedOrganization(organization),
    user: auditedUser(user),
    ...(role === undefined ? {} : { role }),
  };
}

function answer(call: Call, user: UserRow, role: Role) {
  return { status: 200, body: memberAlone({ user, role }, urlsOf(call.deps.settings)) };
}
