/** Organizations, their members and repositories in answers, and what the audit log keeps of them. */
import type { Member } from "../../store/queries/memberships.ts";
import type { OrganizationRow, OwnedRepositoryRow } from "../../store/queries/organizations.ts";
import { instant } from "../../views/instant.ts";
import type { Urls } from "../../views/urls.ts";
import { userReference, userView } from "../../views/user.ts";

type Shown = Pick<OrganizationRow, "name" | "billingActive" | "seats" | "insertedAt" | "updatedAt">;

export function organizationInList({ name, billingActive, insertedAt, updatedAt }: Shown): object {
  return {
    name,
    billing_active: billingActive,
    inserted_at: instant(insertedAt),
    updated_at: instant(updatedAt),
  };
}

export function organizationAlone(row: Shown): object {
  return { ...organizationInList(row), seats: row.seats };
}

/** @returns the public repository in the form of an organization, which clients know it in. */
export function publicOrganization({ name, insertedAt, updatedAt }: OwnedRepositoryRow): Shown {
  return { name, billingActive: true, seats: null, insertedAt, updatedAt };
}

export function memberInList({ user, role }: Member, urls: Urls): object {
  return { ...userReference(user, urls), role };
}

export function memberAlone({ user, role }: Member, urls: Urls): object {
  return { ...userView(user, urls), role };
}

export function repositoryView({ name, insertedAt, updatedAt }: OwnedRepositoryRow): object {
  return { name, inserted_at: instant(insertedAt), updated_at: instant(updatedAt) };
}

export function auditedOrganization({
  id,
  name,
  billingActive,
}: Pick<OrganizationRow, "id" | "name" | "billingActive">): object {
  return { id, name, billing_active: billingActive };
}
