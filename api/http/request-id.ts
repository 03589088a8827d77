/** The id by which a request is found in every log, from the API to the purge that makes it visible. */
import { randomUUID } from "node:crypto";

// Short ids are no ids, and a long one would be carried through every line. What proxies send fits: UUIDs, hexadecimal
// digits, `Root=1-...` of AWS.
const TAKEN = /^[\w.:=+/-]{16,128}$/;

/** @param given the client's X-Request-Id @returns that, or a new one where it is missing or cannot be taken. */
export function requestIdOf(given: string | null | undefined): string {
  return given && TAKEN.test(given) ? given : randomUUID();
}
