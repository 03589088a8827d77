/** The rules for a new API key. Pure but for what the caller looks up. */
import { packageName } from "../../hex/ids.ts";
import { type Micros, micros } from "../../schemas/time.ts";
import type { KeyPermission } from "../../store/queries/keys.ts";
import type { Parameters } from "../http/body.ts";
import type { ValidationErrors } from "../http/errors.ts";
import { BLANK, FieldErrors, isObject } from "./errors.ts";

export interface KeyRequest {
  readonly name: string;
  readonly permissions: readonly KeyPermission[];
  readonly revokeAt: Micros | null;
}

const FULL: readonly KeyPermission[] = [{ domain: "api", resource: null }];
const DOMAINS = ["api", "package", "repository", "repositories", "docs"];

/**
 * @param repository to which a package's name without one belongs
 * @throws ApiError 422
 */
export function readKeyRequest(params: Parameters, repository: string, now: Micros): KeyRequest {
  const errors = new FieldErrors();
  errors.add("name", nameProblem(params.name));
  const permissions = readPermissions(params.permissions, repository);
  if (!Array.isArray(permissions)) errors.add("permissions", permissions as string | ValidationErrors);
  const revokeAt = readInstant(params.revoke_at);
  if (revokeAt === undefined) errors.add("revoke_at", "expected type utc_datetime_usec");
  else if (revokeAt !== null && revokeAt <= now) errors.add("revoke_at", "must be in the future");
  errors.throwIfAny();
  return {
    name: String(params.name),
    permissions: Array.isArray(permissions) ? permissions : FULL,
    revokeAt: revokeAt ?? null,
  };
}

const LONGEST_NAME = 255;

function nameProblem(name: unknown): string | undefined {
  if (name == null) return BLANK;
  if (typeof name !== "string") return "expected type string";
  return name.length > LONGEST_NAME ? `should be at most ${LONGEST_NAME} character(s)` : undefined;
}

function readPermissions(
  value: unknown,
  repository: string,
): readonly KeyPermission[] | string | ValidationErrors {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return FULL;
  if (!Array.isArray(value) || !value.every(isObject)) return "expected type list(map)";
  // The errors of the items are merged; later items win.
  const errors = new FieldErrors();
  const permissions = value.map((item) => readPermission(item, repository, errors));
  return errors.value ?? permissions;
}

function readPermission(
  item: Readonly<Record<string, unknown>>,
  repository: string,
  errors: FieldErrors,
): KeyPermission {
  const { domain } = item;
  const resource = item.resource ?? null;
  if (domain == null) errors.add("domain", BLANK);
  else if (typeof domain !== "string" || !DOMAINS.includes(domain)) errors.add("domain", "is invalid");
  else if (resource !== null && typeof resource !== "string") errors.add("resource", "expected type string");
  else if (!fitsDomain(domain, resource)) errors.add("resource", "invalid resource for given domain");
  const text = typeof resource === "string" ? resource : null;
  const full = domain === "package" && text !== null && !text.includes("/") ? `${repository}/${text}` : text;
  return { domain: String(domain), resource: full };
}

function fitsDomain(domain: string, resource: string | null): boolean {
  if (domain === "api") return resource === null || resource === "read" || resource === "write";
  if (domain === "repositories") return resource === null;
  if (domain === "package" && resource !== null)
    return packageName(resource.split("/").at(-1) ?? "") !== undefined;
  return true;
}

/** @returns null for none, undefined for what is no instant that can be kept. */
function readInstant(value: unknown): Micros | null | undefined {
  if (value == null) return null;
  if (typeof value !== "string" || !/^\d{4}-\d\d-\d\dT/.test(value)) return undefined;
  const at = Date.parse(value) * 1000;
  return Number.isSafeInteger(at) ? micros(at) : undefined;
}
