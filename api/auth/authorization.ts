/** Whether a principal may do what a route is for. The order of the checks is part of the contract. */

import type { Queryable } from "../../store/postgres/pool.ts";
import {
  membershipRole,
  ownershipsOf,
  type Role,
  roleCovers,
  roleOfLevel,
} from "../../store/queries/memberships.ts";
import type { OrganizationRow } from "../../store/queries/organizations.ts";
import { type OwnerLevel, ownerLevel } from "../../store/queries/owners.ts";
import type { ApiPackageRow } from "../../store/queries/packages.ts";
import type { Call, RepositoryRow } from "../call.ts";
import { forbidden, notFound, unauthorized } from "../http/errors.ts";
import type { Route } from "../route.ts";
import { permits } from "./permissions.ts";
import type { Principal, Requirement } from "./principal.ts";
import { requireCode } from "./second-factor.ts";

/** What it is to be done to. */
export interface Target {
  /** Undefined when there is no such repository. */
  readonly repository?: RepositoryRow | undefined;
  /** Undefined when there is no such package. */
  readonly package?: ApiPackageRow | undefined;
  /** `everybody`: the public repository's, which has no members and which all may read. */
  readonly organization?: OrganizationRow | "everybody";
}

/**
 * Authentication, verified address, permission, second factor, rule, in this order.
 * @throws ApiError 401, 403, 404 or 429
 */
export async function authorize(call: Call, target?: Target): Promise<void> {
  const { principal, route } = call;
  if (principal.kind === "none") {
    if (route.authenticated) throw unauthorized("missing authentication information");
  } else {
    if (principal.kind === "user" && principal.user.service) return;
    if (!route.unverified && !isVerified(principal)) throw forbidden("email not verified");
    if (route.permission !== "none" && !permits(principal.credential, requirementsOf(call, target))) {
      throw unauthorized("key not authorized for this action");
    }
    if (principal.kind === "user" && principal.credential.kind === "oauth" && isWriting(route)) {
      const code = call.request.headers.get("x-hex-otp") ?? undefined;
      await requireCode(call.deps, principal.user, call.ip, code);
    }
  }
  await applyRule(call, target);
}

function isWriting({ permission }: Route): boolean {
  return permission === "write" || permission === "publish";
}

function isVerified(principal: Exclude<Principal, { kind: "none" }>): boolean {
  if (principal.kind === "organization") return true;
  return principal.credential.kind === "basic" ? principal.credential.verified : principal.user.verified;
}

function requirementsOf(call: Call, target: Target | undefined): readonly Requirement[] {
  switch (call.route.permission) {
    case "none":
      return [];
    case "read":
      return [{ domain: "api", resource: "read" }];
    case "write":
      return [{ domain: "api", resource: "write" }];
    case "publish": {
      const { repository, package: row } = target ?? {};
      const existing = repository && row && `${repository.name}/${row.name}`;
      return [
        { domain: "api", resource: "write" },
        { domain: "package", resource: existing ?? null },
      ];
    }
  }
}

/**
 * The rule once more, in the transaction that acts: since the first check an upload may have taken minutes, and
 * somebody may have lost what allowed it.
 * @throws ApiError 403 or 404
 */
export async function authorizeAgain(call: Call, target: Target, tx: Queryable): Promise<void> {
  if (call.principal.kind === "user" && call.principal.user.service) return;
  await applyRule(call, target, tx);
}

async function applyRule(
  call: Call,
  target: Target | undefined,
  sql: Queryable = call.deps.sql,
): Promise<void> {
  const { principal, route } = call;
  switch (route.rule) {
    case undefined:
      break;
    case "readers":
      if (!(await mayRead(principal, target?.repository, sql))) throw notFound();
      break;
    case "user":
      if (principal.kind !== "user") throw notFound();
      break;
    case "member":
      await requireRole(principal, target, "read", sql);
      break;
    case "writing-member":
      await requireRole(principal, target, "write", sql);
      break;
    case "organization-admin":
      await requireRole(principal, target, "admin", sql);
      break;
    case "maintainer":
      await requireOwner(principal, target, "maintainer", sql);
      break;
    case "full-owner":
      await requireOwner(principal, target, "full", sql);
      break;
  }
  if (route.billing) requireBilling(target?.repository?.organization ?? undefined);
}

/** @throws ApiError 403 */
export function requireBilling(organization: { readonly billingActive: boolean } | undefined): void {
  if (organization?.billingActive === false) {
    throw forbidden("organization has no active billing subscription");
  }
}

/** Of the public repository, and of one that is not there, everybody is a reader. */
async function mayRead(
  principal: Principal,
  repository: RepositoryRow | undefined,
  sql: Queryable,
): Promise<boolean> {
  if (repository === undefined || repository.public) return true;
  return roleCovers(await roleIn(principal, repository.organization?.id, sql), "read");
}

/** @returns what the principal is in the organization; the organization itself may do what its admins may. */
export async function roleIn(
  principal: Principal,
  organizationId: number | undefined,
  sql: Queryable,
): Promise<Role | undefined> {
  if (organizationId === undefined) return undefined;
  switch (principal.kind) {
    case "none":
      return undefined;
    case "user":
      return membershipRole(sql, organizationId, principal.user.id);
    case "organization":
      return principal.organization.id === organizationId ? "admin" : undefined;
  }
}

/** Who may not is told that there is nothing, but for the public repository's, which is no secret. */
async function requireRole(
  principal: Principal,
  target: Target | undefined,
  wanted: Role,
  sql: Queryable,
): Promise<void> {
  const organization = target?.organization;
  if (organization === undefined) throw notFound();
  if (organization === "everybody") {
    if (wanted !== "read") throw forbidden();
    return;
  }
  if (!roleCovers(await roleIn(principal, organization.id, sql), wanted)) throw notFound();
}

async function requireOwner(
  principal: Principal,
  target: Target | undefined,
  wanted: OwnerLevel,
  sql: Queryable,
): Promise<void> {
  const { repository, package: row } = target ?? {};
  if (repository === undefined) throw notFound();
  if (row !== undefined) {
    if (await isOwner(principal, repository, row.id, wanted, sql)) return;
    throw repository.public ? forbidden() : notFound();
  }
  // A name that nobody has may be published by anybody; whatever else is asked of it answers 404 itself.
  if (repository.public) return;
  const role = await roleIn(principal, repository.organization?.id, sql);
  if (role === undefined) throw notFound();
  if (!roleCovers(role, roleOfLevel(wanted))) throw forbidden();
}

/** Whether a principal owns a package that is there: by name, or by an organization. */
export async function isOwner(
  principal: Principal,
  repository: RepositoryRow,
  packageId: number,
  wanted: OwnerLevel,
  sql: Queryable,
): Promise<boolean> {
  if (principal.kind === "none") return false;
  const role = repository.public ? undefined : await roleIn(principal, repository.organization?.id, sql);
  if (roleCovers(role, roleOfLevel(wanted))) return true;
  if (principal.kind === "organization") {
    const { accountId } = principal.organization;
    const level = accountId === null ? undefined : await ownerLevel(sql, packageId, accountId);
    return level !== undefined && covers(level, wanted);
  }
  const ownerships = await ownershipsOf(sql, packageId, principal.user.id);
  return ownerships.some((own) => {
    if (!covers(own.level, wanted)) return false;
    // By name, whoever has left the organization owns nothing of it any more.
    return own.role === null
      ? repository.public || role !== undefined
      : roleCovers(own.role, roleOfLevel(wanted));
  });
}

function covers(level: OwnerLevel, wanted: OwnerLevel): boolean {
  return level === "full" || wanted === "maintainer";
}

/** @returns the user who asks. @throws ApiError 404 for any other principal. */
export function requireUser(call: Call) {
  if (call.principal.kind !== "user") throw notFound();
  return call.principal;
}
