/** Organizations, as an operator makes and changes them. */

import { dropMember, insertMember, memberParams } from "../api/handlers/members.ts";
import { createOrganization, type OrganizationSettings } from "../api/handlers/organizations.ts";
import { readOrganizationName } from "../api/rules/organization.ts";
import { auditedOrganization } from "../api/views/organization.ts";
import type { RepositoryName } from "../hex/ids.ts";
import { SkepError } from "../schemas/errors.ts";
import { isDuplicate, type Queryable, type Sql, type Transaction } from "../store/postgres/pool.ts";
import { audit } from "../store/queries/audit.ts";
import type { Role } from "../store/queries/memberships.ts";
import {
  isNameTaken,
  lockOrganization,
  type OrganizationRow,
  organizationByName,
  ownedRepository,
} from "../store/queries/organizations.ts";
import { renameOrganization as writeRenaming } from "../store/queries/rename.ts";
import type { UserRow } from "../store/queries/users.ts";
import { requireUser } from "./operator.ts";
import { asSkepError } from "./report-error.ts";

/**
 * Makes an organization by the rules of the API.
 * @param admin its first member
 * @throws SkepError `usage` for a name that it may not have, `already_exists` for one that is taken, `not_found`
 *   without the user.
 */
export async function makeOrganization(
  sql: Sql,
  settings: OrganizationSettings,
  wishes: { readonly name: string; readonly admin: string | undefined },
): Promise<OrganizationRow> {
  const admin = wishes.admin === undefined ? undefined : await requireUser(sql, wishes.admin);
  if (admin !== undefined && admin.organizationId !== null) {
    throw new SkepError("usage", `${admin.username} is the account of an organization`);
  }
  return inWords(() =>
    createOrganization({ sql, settings }, { name: wishes.name, adminId: admin?.id }, async (tx, made) => {
      await note(tx, "skep organization create", "organization.create", made, {
        organization: auditedOrganization(made),
      });
      if (admin === undefined) return;
      const params = memberParams(made, admin, "admin");
      await note(tx, "skep organization create", "organization.member.add", made, params);
    }),
  );
}

/**
 * Gives an organization another name. The old one is nobody's ever after.
 * @param sql as the database's owner
 * @throws SkepError `not_found`, `already_exists`; `usage` for a name that it may not have.
 */
export async function renameOrganization(
  sql: Sql,
  { repositoryName, externalRepositories }: OrganizationSettings,
  wishes: { readonly from: string; readonly to: string },
): Promise<RepositoryName> {
  return inWords(async () => {
    const to = readOrganizationName(wishes.to, [repositoryName, ...externalRepositories]);
    const taken = () =>
      new SkepError("already_exists", `${to} is taken, or was an organization's name before`);
    if (await isNameTaken(sql, to)) throw taken();
    const done = await sql
      .begin(async (tx) => {
        const repository = await ownedRepository(tx, wishes.from);
        const found = await organizationByName(tx, wishes.from);
        const organization = found && (await lockOrganization(tx, found.id));
        if (repository === undefined || organization?.name !== wishes.from) return false;
        const [organizationId, repositoryId] = [organization.id, repository.id];
        await writeRenaming(tx, { organizationId, repositoryId, from: repository.name, to });
        const params = {
          organization: { ...auditedOrganization(organization), name: to },
          from: wishes.from,
        };
        await note(tx, "skep organization rename", "organization.rename", organization, params);
        return true;
      })
      .catch((error: unknown) => {
        const indexes = ["organizations_name_key", "users_username_key", "repositories_name_key"];
        throw indexes.some((index) => isDuplicate(error, index)) ? taken() : error;
      });
    if (!done) throw new SkepError("not_found", `there is no organization ${wishes.from}`);
    return to;
  });
}

/** @throws SkepError `not_found`, `already_exists`; `usage` for what the rules refuse. */
export function addMember(
  sql: Sql,
  wishes: { readonly organization: string; readonly username: string; readonly role: string },
): Promise<Role> {
  return change(sql, wishes, (tx, organization, user) =>
    insertMember(tx, organization, user, wishes.role, (role) =>
      note(
        tx,
        "skep organization member add",
        "organization.member.add",
        organization,
        memberParams(organization, user, role),
      ),
    ),
  );
}

/** @throws SkepError `not_found`; `usage` for the only member. */
export async function removeMember(
  sql: Sql,
  wishes: { readonly organization: string; readonly username: string },
): Promise<void> {
  const { organization: name, username } = wishes;
  const removed = await change(sql, wishes, (tx, organization, user) =>
    dropMember(tx, organization, user, () =>
      note(
        tx,
        "skep organization member remove",
        "organization.member.remove",
        organization,
        memberParams(organization, user),
      ),
    ),
  );
  if (!removed) throw new SkepError("not_found", `${username} is no member of ${name}`);
}

/** @throws SkepError `not_found` */
export async function requireOrganization(sql: Queryable, name: string): Promise<OrganizationRow> {
  const organization = await organizationByName(sql, name);
  if (organization === undefined) throw new SkepError("not_found", `there is no organization ${name}`);
  return organization;
}

/** Under the organization's lock. */
async function change<T>(
  sql: Sql,
  wishes: { readonly organization: string; readonly username: string },
  work: (tx: Transaction, organization: OrganizationRow, user: UserRow) => Promise<T>,
): Promise<T> {
  const { id } = await requireOrganization(sql, wishes.organization);
  const user = await requireUser(sql, wishes.username);
  return inWords(
    () =>
      sql.begin(async (tx) => {
        const organization = await lockOrganization(tx, id);
        if (organization === undefined) {
          throw new SkepError("not_found", `there is no organization ${wishes.organization}`);
        }
        return work(tx, organization, user);
      }) as Promise<T>,
  );
}

async function inWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asSkepError(error);
  }
}

function note(
  tx: Transaction,
  command: string,
  action: string,
  { id }: OrganizationRow,
  params: object,
): Promise<void> {
  const nobody = { userId: null, keyId: null, remoteIp: "" };
  return audit(tx, { action, params, organizationId: id, userAgent: command, ...nobody });
}
