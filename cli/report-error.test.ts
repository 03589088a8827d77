import { expect, it } from "vitest";
import { ApiError } from "../api/http/errors.ts";
import { ProtoError } from "../proto/errors.ts";
import { ERROR_CODES, SkepError } from "../schemas/errors.ts";
import { EXIT, exitCodeOf } from "./exit-codes.ts";
import { asSkepError, reportError } from "./report-error.ts";
import type { Terminal } from "./terminal.ts";

function said(error: unknown, debug = false): string {
  const lines: string[] = [];
  const terminal: Terminal = {
    out: () => undefined,
    say: (text) => void lines.push(text),
    redraw: undefined,
    bold: (text) => text,
    dim: (text) => text,
    debug,
  };
  reportError(terminal, error);
  return lines.join("\n");
}

it.each<[error: unknown, text: string, exit: number]>([
  [new SkepError("usage", "no such file"), "skep: no such file", EXIT.usage],
  [
    new SkepError("database_unavailable", "gone"),
    "skep: gone\nhint: `skep config` shows the settings in force",
    EXIT.unreachable,
  ],
  [new SkepError("verification_failed", "2 checks failed"), "skep: 2 checks failed", EXIT.failed],
  [
    new ApiError(422, undefined, {
      errors: { username: "is reserved", emails: { email: "has invalid format" } },
    }),
    "skep: username is reserved, email has invalid format",
    EXIT.usage,
  ],
  [
    new ApiError(422, undefined, { errors: { username: "has already been taken" } }),
    "skep: username has already been taken",
    EXIT.failed,
  ],
  [new ProtoError("key_invalid", "no key"), "skep: no key", EXIT.usage],
  [
    new TypeError("x is not a function"),
    "skep: x is not a function\nhint: run it again with --debug to see where",
    EXIT.failed,
  ],
  ["thrown text", "skep: thrown text\nhint: run it again with --debug to see where", EXIT.failed],
  [
    new Error(""),
    "skep: something failed without saying why\nhint: run it again with --debug to see where",
    EXIT.failed,
  ],
])("%s", (error, text, exit) => {
  expect(said(error)).toBe(text);
  expect(exitCodeOf(asSkepError(error))).toBe(exit);
});

it("shows the stack, and those of its causes, when asked", () => {
  const text = said(new SkepError("usage", "outer", { cause: new Error("inner") }), true);
  expect(text).toMatch(/outer[\s\S]*\n\s+at [\s\S]*caused by: Error: inner\n\s+at /);
});

it("every code has an exit code", () => {
  for (const code of ERROR_CODES) expect([1, 2, 3]).toContain(exitCodeOf(new SkepError(code, "")));
});
