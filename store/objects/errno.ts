/** Errors of the operating system, as the folder driver meets them. */
import { SkepError } from "../../schemas/errors.ts";

/** @returns the name of the system error, for example `ENOENT`; undefined for any other error. */
export function errno(error: unknown): string | undefined {
  if (!(error instanceof Error && "syscall" in error && "code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** @returns what the promise gives, or undefined where it fails with one of these system errors. */
export async function unless<T>(promise: Promise<T>, ...codes: readonly string[]): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (codes.includes(errno(error) ?? "")) return undefined;
    throw error;
  }
}

/**
 * Runs an operation of the folder driver.
 * @throws SkepError `store_unavailable` for a system error: disk full, no permission, device failure. The
 *   cause is kept; it names paths and nothing secret.
 */
export async function reported<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (errno(error) === undefined) throw error;
    throw new SkepError("store_unavailable", `cannot ${what}: ${errno(error)}`, { cause: error });
  }
}
