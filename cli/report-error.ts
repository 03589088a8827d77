/** Says what went wrong, in one message for people; the stack only when it is asked for. */
import { ApiError, type ValidationErrors } from "../api/http/errors.ts";
import { ProtoError } from "../proto/errors.ts";
import { type ErrorCode, SkepError } from "../schemas/errors.ts";
import type { Terminal } from "./terminal.ts";
import { visible } from "./visible.ts";

const HINTS: Partial<Record<ErrorCode, string>> = {
  config_invalid: "`skep config --list` shows every setting",
  database_unavailable: "`skep config` shows the settings in force",
  store_unavailable: "`skep config` shows the settings in force",
};

/** @returns the error in the form that has a code: what the layers below throw is put in our words. */
export function asSkepError(error: unknown): SkepError {
  if (error instanceof SkepError) return error;
  if (error instanceof ApiError) return ofApi(error);
  if (error instanceof ProtoError && error.code === "key_invalid") {
    return new SkepError("signing_key_invalid", error.message, { cause: error });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new SkepError("internal", message || "something failed without saying why", { cause: error });
}

function ofApi(error: ApiError): SkepError {
  const { errors = {} } = error;
  const problems = typeof errors === "string" ? [errors] : flatten(errors);
  const taken = problems.some((problem) => /already/.test(problem));
  const message = problems.length === 0 ? error.message : problems.join(", ");
  return new SkepError(taken ? "already_exists" : "usage", message, { cause: error });
}

/** @returns `field problem` for each. */
function flatten(errors: ValidationErrors): readonly string[] {
  return Object.entries(errors).flatMap(([field, value]) =>
    typeof value === "string" ? [`${field} ${value}`] : flatten(value),
  );
}

export function reportError(terminal: Terminal, error: unknown): void {
  const known = asSkepError(error);
  terminal.say(visible(`skep: ${known.message}`));
  const hint = HINTS[known.code];
  if (hint !== undefined) terminal.say(`hint: ${hint}`);
  if (terminal.debug) terminal.say(describeCauses(error));
  else if (known.code === "internal") terminal.say("hint: run it again with --debug to see where");
}

function describeCauses(error: unknown): string {
  const lines: string[] = [];
  for (let at = error; at instanceof Error && lines.length < 10; at = at.cause)
    lines.push(at.stack ?? at.message);
  return lines.join("\ncaused by: ");
}
