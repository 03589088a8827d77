/** From the path of a request to an object key. */
import type { RepositoryName } from "../hex/ids.ts";
import { parseObjectKey, type RepositoryObject } from "../hex/keys.ts";

export interface RequestedObject {
  readonly key: string;
  /** Undefined for an object of the public repository. */
  readonly privateRepository: RepositoryName | undefined;
  readonly object: RepositoryObject;
}

/**
 * A private repository lies in the same store, so whatever is not certainly the key of an object of one repository
 * is none. Escapes are undone once and segment by segment: an escaped slash, dot or percent sign thus never
 * becomes part of a path (attack: `%2e%2e`, `%2f`, `%252e`, `%c0%ae`).
 * @param target the request's target as it was sent: a path, perhaps with a query, or a whole URL
 * @param mount where the repository lies, "" or a path without a slash at its end
 * @returns undefined unless it names an object.
 */
export function requestedObject(target: string, mount: string): RequestedObject | undefined {
  const path = pathOf(target);
  if (!path.startsWith(mount) || path.charCodeAt(mount.length) !== SLASH) return undefined;
  const key = decoded(path.slice(mount.length + 1));
  const parsed = key === undefined ? undefined : parseObjectKey(key);
  return key === undefined || parsed === undefined ? undefined : { key, ...parsed };
}

const SLASH = 47;

function pathOf(target: string): string {
  const query = target.indexOf("?");
  const whole = query === -1 ? target : target.slice(0, query);
  return whole.charCodeAt(0) === SLASH ? whole : whole.replace(/^https?:\/\/[^/]*/i, "");
}

function decoded(path: string): string | undefined {
  if (!path.includes("%")) return path;
  try {
    const segments = path.split("/").map(decodeURIComponent);
    return segments.some((segment) => segment.includes("/")) ? undefined : segments.join("/");
  } catch {
    // Not UTF-8, or not an escape.
    return undefined;
  }
}
