/** Who a token is of. */
import type { Queryable } from "../../store/postgres/pool.ts";
import type { KeyOwner } from "../../store/queries/keys.ts";
import {
  type OrganizationRow,
  organizationById,
  organizationsOf,
} from "../../store/queries/organizations.ts";
import { type UserRow, userById } from "../../store/queries/users.ts";
import type { ApiDependencies } from "../settings.ts";

/** A user or an organization that tokens are issued to. */
export type Bearer =
  | { readonly kind: "user"; readonly user: UserRow }
  | { readonly kind: "organization"; readonly organization: OrganizationRow };

/** What a key, a session or a token says of whose it is. */
export interface OwnedRow {
  readonly userId: number | null;
  readonly organizationId: number | null;
}

/** @returns who a row belongs to, undefined when it is nobody who acts by keys and tokens. */
export async function bearerOf(sql: Queryable, row: OwnedRow): Promise<Bearer | undefined> {
  if (row.organizationId !== null) {
    const organization = await organizationById(sql, row.organizationId);
    return organization && { kind: "organization", organization };
  }
  const user = row.userId === null ? undefined : await userById(sql, row.userId);
  // The account of an organization acts through what belongs to the organization.
  return user?.organizationId === null ? { kind: "user", user } : undefined;
}

/** As {@link bearerOf}, but for who may have a new token: no account that is closed. */
export async function findBearer(sql: Queryable, row: OwnedRow): Promise<Bearer | undefined> {
  const bearer = await bearerOf(sql, row);
  return bearer?.kind === "user" && bearer.user.deactivatedAt !== null ? undefined : bearer;
}

/** @returns the `sub` claim. */
export function subjectOf(bearer: Bearer): string {
  return bearer.kind === "user" ? `user:${bearer.user.username}` : `org:${bearer.organization.name}`;
}

export function ownerOf(bearer: Bearer): KeyOwner {
  return bearer.kind === "user" ? { userId: bearer.user.id } : { organizationId: bearer.organization.id };
}

/**
 * What the bearer may read now, as a lookup of an API key decides it: a token that is issued now is believed until
 * it runs out.
 * @returns names of repositories, for a user the public one first.
 */
export async function readableRepositories(
  deps: Pick<ApiDependencies, "settings">,
  sql: Queryable,
  bearer: Bearer,
): Promise<readonly string[]> {
  if (bearer.kind === "organization") {
    return bearer.organization.billingActive ? [bearer.organization.name] : [];
  }
  if (!bearer.user.verified) return [deps.settings.repositoryName];
  const organizations = await organizationsOf(sql, bearer.user.id);
  const paid = organizations.filter((organization) => organization.billingActive);
  return [deps.settings.repositoryName, ...paid.map((organization) => organization.name)];
}
