import { inspect } from "node:util";
import { expect } from "vitest";
import { SkepError } from "../../schemas/errors.ts";

/** @returns the error that the call throws; fails when it throws none, or one that holds a secret. */
export async function failureOf(call: () => unknown, ...secrets: string[]): Promise<SkepError> {
  const error = await Promise.resolve()
    .then(call)
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  if (!(error instanceof SkepError)) throw new Error(`expected a SkepError, got ${inspect(error)}`);
  const everything = [
    inspect(error, { depth: 20, showHidden: true, getters: true }),
    JSON.stringify(error, [...Object.getOwnPropertyNames(error), "cause", "message"]),
    String(error),
    error.stack,
  ].join("\n");
  for (const secret of secrets) expect(everything).not.toContain(secret);
  return error;
}
