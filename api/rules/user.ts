/** The rules for a new account. Pure but for what the caller looks up. */
import { normalizeUsername, usernameProblem } from "../../hex/names.ts";
import type { Parameters } from "../http/body.ts";
import type { ValidationErrors } from "../http/errors.ts";
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
  errors.add("full_name", params.full_name == null ? undefined : textProblem(params.full_name, LONGEST_NAME));
  errors.add("password", params.password == null ? undefined : passwordProblem(params.password));
  if (params.password_confirmation != null && params.password_confirmation !== params.password) {
    errors.add("password_confirmation", "does not match password");
  }
  const { email, problem } = readEmail(params);
  errors.add("emails", problem);
  errors.throwIfAny();
  return {
    username,
    fullName: typeof params.full_name === "string" ? params.full_name : null,
    password: typeof params.password === "string" ? params.password : null,
    email,
  };
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

interface ReadEmail {
  readonly email: string;
  readonly problem: string | ValidationErrors | undefined;
}

// `email` is short for a list of one, and counts only without the list.
function readEmail({ email, emails }: Parameters): ReadEmail {
  const list: unknown = emails ?? (email == null ? [] : [{ email }]);
  if (!Array.isArray(list) || !list.every(isObject)) return { email: "", problem: "expected type list(map)" };
  const [first] = list;
  if (first === undefined) return { email: "", problem: BLANK };
  if (typeof first.email !== "string") {
    return { email: "", problem: { email: first.email == null ? BLANK : "expected type string" } };
  }
  const address = first.email.trim().toLowerCase();
  return { email: address, problem: isMailable(address) ? undefined : { email: "has invalid format" } };
}
