/** Whether a credential satisfies a requirement: key permissions, and scopes of tokens. Pure. */
import type { Credential, KeyPermission, Requirement } from "./principal.ts";

/** @returns whether any of the alternatives is satisfied. Basic has no restriction. */
export function permits(credential: Credential, alternatives: readonly Requirement[]): boolean {
  switch (credential.kind) {
    case "basic":
      return true;
    case "key":
      return alternatives.some((requirement) => keyPermits(credential.key.permissions, requirement));
    case "oauth":
      return alternatives.some((requirement) => scopePermits(credential.scopes, requirement));
  }
}

export function keyPermits(permissions: readonly KeyPermission[], requirement: Requirement): boolean {
  return permissions.some((permission) => permissionCovers(permission, requirement));
}

function permissionCovers({ domain, resource }: KeyPermission, requirement: Requirement): boolean {
  switch (requirement.domain) {
    case "api":
      return apiPermission(requirement.resource, domain, resource);
    case "package":
      return domain === "package" && (resource === null || resource === requirement.resource);
    case "repository":
      return domain === "repositories" || (domain === "repository" && resource === requirement.resource);
    case "repositories":
      return domain === "repositories";
    case "docs":
      return domain === "docs" && resource === requirement.resource;
  }
}

function apiPermission(wanted: "read" | "write" | null, domain: string, resource: string | null): boolean {
  if (domain === "api")
    return resource === null || resource === "write" || (resource === "read" && wanted !== "write");
  // Whoever may publish a package may read.
  return domain === "package" && wanted !== "write";
}

export function scopePermits(scopes: readonly string[], requirement: Requirement): boolean {
  const has = (...wanted: readonly string[]) => wanted.some((scope) => scopes.includes(scope));
  switch (requirement.domain) {
    case "api":
      return requirement.resource === "write"
        ? has("api", "api:write")
        : has("api", "api:read", "api:write", "package");
    case "package":
      return (
        has("api", "api:write") || (requirement.resource !== null && has(`package:${requirement.resource}`))
      );
    case "repository":
      return has("repositories", `repository:${requirement.resource}`);
    case "repositories":
      return has("repositories");
    case "docs":
      return has(`docs:${requirement.resource}`);
  }
}
