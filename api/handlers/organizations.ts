/** Organizations and repositories. */
import { isDuplicate, type Transaction } from "../../store/postgres/pool.ts";
import { membershipRoles, setMember } from "../../store/queries/memberships.ts";
import {
  insertOrganization,
  isNameTaken,
  lockOrganization,
  type OrganizationRow,
  organizationById,
  organizationsOf,
  ownedRepository,
  setSeats,
} from "../../store/queries/organizations.ts";
import { authorize } from "../auth/authorization.ts";
import type { Call, Handler, RepositoryRow } from "../call.ts";
import { invalid, notFound } from "../http/errors.ts";
import { readOrganizationName, readSeats } from "../rules/organization.ts";
import type { ApiDependencies } from "../settings.ts";
import {
  auditedOrganization,
  organizationAlone,
  organizationInList,
  publicOrganization,
  repositoryView,
} from "../views/organization.ts";
import { showAuditLogs } from "./audit-logs.ts";
import { auditCall } from "./change.ts";
import { findOrganization, requireRepository } from "./lookup.ts";
import { cacheOf, ownRepositories } from "./visibility.ts";

/** Names that are no organization's to have. */
export interface OrganizationSettings {
  readonly repositoryName: ApiDependencies["settings"]["repositoryName"];
  readonly externalRepositories: ApiDependencies["settings"]["externalRepositories"];
}

/**
 * Makes an organization with its account and its repository. There is no route for it: the command line and the
 * pages call this.
 * @param wishes.adminId its first member, unless it is to have none
 * @param alongside runs in the same transaction
 * @throws ApiError 422 when the name is taken or may not be had.
 */
export async function createOrganization(
  deps: Pick<ApiDependencies, "sql"> & { readonly settings: OrganizationSettings },
  wishes: { readonly name: string; readonly adminId?: number | undefined },
  alongside: (tx: Transaction, organization: OrganizationRow) => Promise<void>,
): Promise<OrganizationRow> {
  const { repositoryName, externalRepositories } = deps.settings;
  const name = readOrganizationName(wishes.name, [repositoryName, ...externalRepositories]);
  const taken = () => invalid({ name: "has already been taken" });
  if (await isNameTaken(deps.sql, name)) throw taken();
  return deps.sql
    .begin(async (tx) => {
      const made = await insertOrganization(tx, name);
      if (wishes.adminId !== undefined) await setMember(tx, made.id, wishes.adminId, "admin");
      await alongside(tx, made);
      return made;
    })
    .catch((error: unknown) => {
      const indexes = ["organizations_name_key", "users_username_key", "repositories_name_key"];
      throw indexes.some((index) => isDuplicate(error, index)) ? taken() : error;
    });
}

export const listOrganizations: Handler = async (call) => {
  await authorize(call);
  const { principal } = call;
  const rows =
    principal.kind === "user"
      ? await organizationsOf(call.deps.sql, principal.user.id)
      : principal.kind === "organization"
        ? [principal.organization]
        : [];
  return { status: 200, body: rows.map(organizationInList) };
};

export const showOrganization: Handler = async (call) => {
  const organization = await findOrganization(call);
  await authorize(call, { organization });
  const shown =
    organization === "everybody" ? publicOrganization(await publicRepository(call)) : organization;
  return { status: 200, body: organizationAlone(shown) };
};

async function publicRepository(call: Call): Promise<RepositoryRow> {
  const repository = await ownedRepository(call.deps.sql, call.deps.settings.repositoryName);
  if (repository === undefined) throw notFound();
  return repository;
}

/** What an installation with billing sells; here it limits how many members there may be. */
export const changeSeats: Handler = async (call) => {
  const organization = await findOrganization(call);
  await authorize(call, { organization });
  if (organization === "everybody") throw notFound();
  const seats = readSeats(call.params.seats);
  const changed = await call.deps.sql.begin(async (tx) => {
    if ((await lockOrganization(tx, organization.id)) === undefined) throw notFound();
    const members = await membershipRoles(tx, organization.id);
    if (seats === undefined || seats < members.size) {
      throw invalid("number of seats cannot be less than number of members");
    }
    await setSeats(tx, organization.id, seats);
    await auditCall(
      call,
      tx,
      "billing.update",
      { organization: auditedOrganization(organization), quantity: seats },
      organization.id,
    );
    return organizationById(tx, organization.id);
  });
  if (changed === undefined) throw notFound();
  return { status: 200, body: organizationAlone(changed) };
};

export const listOrganizationAuditLogs: Handler = async (call) => {
  const organization = await findOrganization(call);
  await authorize(call, { organization });
  if (organization === "everybody") return { status: 200, body: [] };
  return showAuditLogs(call, { organizationId: organization.id });
};

export const listRepositories: Handler = async (call) => {
  await authorize(call);
  const { name } = await publicRepository(call);
  const own = await ownRepositories(call);
  return {
    status: 200,
    // As Hex's API does: the public repository without its times.
    body: [{ name, inserted_at: null, updated_at: null }, ...own.map(repositoryView)],
    cache: call.principal.kind === "none" ? "public" : "private",
  };
};

export const showRepository: Handler = async (call) => {
  const repository = await requireRepository(call);
  await authorize(call, { repository });
  return {
    status: 200,
    body: repositoryView(repository),
    lastModified: repository.updatedAt,
    ...cacheOf([repository]),
  };
};
