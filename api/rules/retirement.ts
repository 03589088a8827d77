/** The rules for a retirement. Pure. */
import type { RetirementReason } from "../../store/queries/registry.ts";
import type { Retirement } from "../../store/queries/releases.ts";
import type { Parameters } from "../http/body.ts";
import { invalid } from "../http/errors.ts";
import { BLANK, FieldErrors } from "./errors.ts";

const REASONS: readonly RetirementReason[] = ["other", "invalid", "security", "deprecated", "renamed"];
const SHORTEST_MESSAGE = 3;
const LONGEST_MESSAGE = 140;

/** @throws ApiError 422 with the errors below `retirement`. */
export function readRetirement(params: Parameters): Retirement {
  const errors = new FieldErrors();
  const reason = REASONS.find((known) => known === params.reason);
  if (reason === undefined) errors.add("reason", params.reason == null ? BLANK : "is invalid");
  const message = params.message ?? null;
  errors.add("message", messageProblem(message));
  const found = errors.value;
  if (found !== undefined || reason === undefined) throw invalid({ retirement: found ?? {} });
  return { reason, message: typeof message === "string" ? message : null };
}

function messageProblem(message: unknown): string | undefined {
  if (message === null) return undefined;
  if (typeof message !== "string") return "expected type string";
  const length = [...message].length;
  if (length < SHORTEST_MESSAGE) return `should be at least ${SHORTEST_MESSAGE} character(s)`;
  return length > LONGEST_MESSAGE ? `should be at most ${LONGEST_MESSAGE} character(s)` : undefined;
}
