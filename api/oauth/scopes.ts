/** Scopes: what clients may ask for, and what a token gets of what was granted. Pure. */
import type { KeyPermission } from "../../store/queries/keys.ts";

const WITH_RESOURCE = ["package", "repository", "docs"];
const ALONE = ["api", "api:read", "api:write", "repositories"];

/** @returns the words of a `scope` parameter, each once (RFC 6749, 3.3); undefined when it is no text. */
export function requestedScopes(parameter: unknown): readonly string[] | undefined {
  if (parameter === undefined || parameter === null) return [];
  if (typeof parameter !== "string") return undefined;
  return [...new Set(parameter.split(" ").filter((word) => word !== ""))];
}

/** @returns whether a client whose list of scopes is given may ask for one. */
export function isAllowed(scope: string, listed: readonly string[]): boolean {
  const [prefix = "", resource] = splitScope(scope);
  const isKnown = resource === undefined ? ALONE.includes(scope) : isKnownResource(prefix, resource);
  if (!isKnown) return false;
  if (listed.includes(scope)) return true;
  return resource !== undefined && listed.includes(prefix);
}

function isKnownResource(prefix: string, resource: string): boolean {
  if (prefix === "api") return resource === "read" || resource === "write";
  return WITH_RESOURCE.includes(prefix) && resource !== "";
}

function splitScope(scope: string): readonly [string, string | undefined] {
  const colon = scope.indexOf(":");
  return colon < 0 ? [scope, undefined] : [scope.slice(0, colon), scope.slice(colon + 1)];
}

/** @returns what a person is asked about: reading and writing apart. */
export function expandApi(scopes: readonly string[]): readonly string[] {
  return [...new Set(scopes.flatMap((scope) => (scope === "api" ? ["api:read", "api:write"] : [scope])))];
}

/**
 * @param granted by a person or a key, perhaps long ago
 * @param repositories that the bearer may read now, the public one included
 * @returns the scopes of a token that is issued now: `repositories` by name, and none of a private repository that
 *   the bearer has left, since whoever serves files asks nobody.
 */
export function scopesOfToken(
  granted: readonly string[],
  repositories: readonly string[],
): readonly string[] {
  const scopes = granted.flatMap((scope) => {
    if (scope === "repositories") return repositories.map((name) => `repository:${name}`);
    const [prefix, resource = ""] = splitScope(scope);
    if (prefix === "repository" || prefix === "docs") return repositories.includes(resource) ? [scope] : [];
    return [scope];
  });
  return [...new Set(scopes)];
}

/**
 * What an exchanged key gives.
 * @param requested scopes of the exchange
 * @param repositories that the key's owner may read now
 * @returns the scopes, undefined when the key does not have one of them.
 */
export function scopesOfKey(
  permissions: readonly KeyPermission[],
  requested: readonly string[],
  repositories: readonly string[],
): readonly string[] | undefined {
  const has = (domain: string, resource: string | null) =>
    permissions.some((own) => own.domain === domain && own.resource === resource);
  const isImplied = (scope: string): boolean => {
    const [prefix, resource] = splitScope(scope);
    switch (prefix) {
      case "api":
        if (has("api", null)) return resource === undefined || resource === "read" || resource === "write";
        if (resource === "write") return has("api", "write");
        return resource === "read" && (has("api", "read") || has("api", "write"));
      case "repository":
        return resource !== undefined && (has("repositories", null) || has("repository", resource));
      default:
        return false;
    }
  };
  const readable = repositories.filter((name) => has("repositories", null) || has("repository", name));
  if (!requested.every((scope) => scope === "repositories" || isImplied(scope))) return undefined;
  return scopesOfToken(
    requested.flatMap((scope) =>
      scope === "repositories" ? readable.map((name) => `repository:${name}`) : [scope],
    ),
    repositories,
  );
}

/** @returns whether nothing but files of repositories is opened. */
export function isForFilesAlone(scopes: readonly string[]): boolean {
  return scopes.every((scope) => scope.startsWith("repository:"));
}

/** @returns whether something can be changed with it. */
export function isWriting(scope: string): boolean {
  return scope === "api" || scope === "api:write" || scope.startsWith("package:");
}
