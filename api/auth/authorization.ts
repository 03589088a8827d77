/** Whether a principal may do what a route is for. The order of the checks is part of the contract. */

import type { Queryable } from "../../store/postgres/pool.ts";
import { type OwnerLevel, ownerLevel } from "../../store/queries/owners.ts";
import type { ApiPackageRow } from "../../store/queries/packages.ts";
import type { Call, RepositoryRow } from "../call.ts";
import { forbidden, notFound, unauthorized } from "../http/errors.ts";
import { permits } from "./permissions.ts";
import type { Principal, Requirement } from "./principal.ts";

/** What it is to be done to. */
export interface Target {
  readonly repository: RepositoryRow;
  /** Undefined when there is no such package. */
  readonly package?: ApiPackageRow | undefined;
}

/**
 * Authentication, verified address, permission, rule, in this order.
 * @throws ApiError 401, 403 or 404
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
  }
  await applyRule(call, target);
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
      const existing = target?.package && `${target.repository.name}/${target.package.name}`;
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
    case "readers": // Of the public repository everybody is one.
      return;
    case "user":
      if (principal.kind !== "user") throw notFound();
      return;
    case "maintainer":
      return requireOwner(call, target, "maintainer", sql);
    case "full-owner":
      return requireOwner(call, target, "full", sql);
  }
}

/** A package that is not there may be published by anybody; whatever else is asked of it answers 404 itself. */
async function requireOwner(
  call: Call,
  target: Target | undefined,
  wanted: OwnerLevel,
  sql: Queryable,
): Promise<void> {
  const { principal } = call;
  if (target?.package === undefined) return;
  if (principal.kind !== "user") throw forbidden();
  const level = await ownerLevel(sql, target.package.id, principal.user.id);
  if (level === undefined || (wanted === "full" && level !== "full")) throw forbidden();
}

/** @returns the user who asks. @throws ApiError 404 for any other principal. */
export function requireUser(call: Call) {
  if (call.principal.kind !== "user") throw notFound();
  return call.principal;
}
