/** The rules for a new account. Pure but for what the caller looks up. */
import { normalizeUsername, usernameProblem } from "../../hex/names.ts";
import type { Parameters } from "../http/body.ts";
import { isMailable } from "../mail/address.ts";
import { BLANK, FieldErrors, isObject } from "./errors.ts";

export interface NewAccount {
  readonly username: string;
  readonly fullName: string | null;
  readonly password: string | null;
  readonly email: string;
}

const SHORTEST_PASSWORD = 8;
const LONGEST_NAME = 255;
const LONGEST_PASSWORD = 1_024;

/** @throws ApiError 422 */
export function readNewAccount(params: Parameters): NewAccount {
  const errors = new FieldErrors();
  const username = typeof params.username === "string" ? normalizeUsername(params.username) : "";
  errors.add("username", textProblem(params.username, LONGEST_NAME) ?? usernameProblem(username));
  errors.add("full_name", fullNameProblem(params.full_name));
  errors.add("password", params.password == null ? undefined : passwordProblem(params.password));
  if (params.password_confirmation != null && params.password_confirmation !== params.password) {
    errors.add("password_confirmation", "does not match password");
  }
  const email = emailOf(params);
  if (email === undefined) errors.add("emails", BLANK);
  else if (!isMailable(email)) errors.add("emails", { email: "has invalid format" });
  errors.throwIfAny();
  return {
    username,
    fullName: typeof params.full_name === "string" ? params.full_name : null,
    password: typeof params.password === "string" ? params.password : null,
    email: email ?? "",
  };
}

/** @returns why it cannot be a person's full name, or undefined when it can; there may be none. */
export function fullNameProblem(value: unknown): string | undefined {
  return value == null ? undefined : textProblem(value, LONGEST_NAME);
}

function textProblem(value: unknown, most: number): string | undefined {
  if (value == null) return BLANK;
  if (typeof value !== "string") return "expected type string";
  return value.length > most ? `should be at most ${most} character(s)` : undefined;
}

/** @returns why it cannot be a password, or undefined when it can. */
export function passwordProblem(value: unknown): string | undefined {
  const problem = textProblem(value, LONGEST_PASSWORD);
  if (problem !== undefined || typeof value !== "string") return problem;
  return [...value].length < SHORTEST_PASSWORD
    ? `should be at least ${SHORTEST_PASSWORD} character(s)`
    : undefined;
}

// `email` is short for a list of one, and counts only without the list.
function emailOf({ email, emails }: Parameters): string | undefined {
  const first: unknown = Array.isArray(emails) ? emails[0] : undefined;
  const value = emails == null ? email : isObject(first) ? first.email : undefined;
  return typeof value === "string" ? value.trim().toLowerCase() : undefined;
}
