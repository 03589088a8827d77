/** The rules for organizations. Pure. */
import { type RepositoryName, repositoryName } from "../../hex/ids.ts";
import { normalizeUsername, usernameProblem } from "../../hex/names.ts";
import { ROLES, type Role } from "../../store/queries/memberships.ts";
import { invalid } from "../http/errors.ts";
import { BLANK, isBlank } from "./errors.ts";

/**
 * An organization's name is also that of an account and of a repository.
 * @param reserved the public repository and those that dependencies may be in
 * @throws ApiError 422
 */
export function readOrganizationName(text: string, reserved: readonly string[]): RepositoryName {
  const name = normalizeUsername(text);
  const known = repositoryName(name);
  const problem = reserved.includes(name) ? "is reserved" : usernameProblem(name);
  if (problem !== undefined || known === undefined) throw invalid({ name: problem ?? "has invalid format" });
  return known;
}

/** @throws ApiError 422 */
export function readRole(value: unknown): Role {
  const role = ROLES.find((known) => known === value);
  if (role === undefined) throw invalid({ role: isBlank(value) ? BLANK : "is invalid" });
  return role;
}

const MOST_SEATS = 2_147_483_647;

/** @returns undefined for what is no number of seats. */
export function readSeats(value: unknown): number | undefined {
  const seats = typeof value === "string" && /^[+-]?\d{1,10}$/.test(value) ? Number(value) : value;
  return typeof seats === "number" && Number.isInteger(seats) && seats >= 0 && seats <= MOST_SEATS
    ? seats
    : undefined;
}
