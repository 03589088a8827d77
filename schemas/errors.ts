/**
 * The closed list of error codes, and the one class that carries them.
 *
 * Three tiers: `hex` and `proto` throw their own typed errors about bytes and text; everything with
 * side effects throws {@link SkepError}; only the API's error middleware makes HTTP of either, and only
 * the command line exits.
 */

export const ERROR_CODES = [
  "config_invalid", // a setting is missing, malformed or contradicts another
  "database_unavailable", // Postgres cannot be reached
  "database_outdated", // migrations are missing
  "database_newer", // the schema is of a later release than this program
  "store_unavailable", // the object store failed or timed out; the outcome may be unknown
  "store_precondition", // a conditional write found another object (412)
  "store_not_found", // If-Match on an object that is not there (404)
  "store_key_invalid", // a key that would leave the store's folder, or is malformed
  "store_unconditional", // the object store ignores conditional writes
  "blob_missing", // the private store lost bytes that a row refers to
  "blob_corrupt", // the private store's bytes have another SHA-256
  "signing_key_foreign", // the database was signed with another key
  "signing_key_invalid", // the signing key cannot be read or is of the wrong kind
  "lease_lost", // another generator has taken over
  "database_restored", // the store holds a newer generation than the database
  "releases_unknown", // the store holds releases that the restored database does not know
  "purge_refused", // the CDN refused or did not answer a purge
  "purge_stale", // the CDN goes on serving an old object
  "too_many_deletions", // a rebuild would delete more than its share
  "verification_failed", // a repository holds files that a client would refuse
  "not_found", // what a command names does not exist
  "already_exists", // what a command would create exists
  "usage", // a command's arguments are wrong
  "internal", // a defect
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** An error with a code from {@link ERROR_CODES}; its message says what is wrong and what to do. */
export class SkepError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "SkepError";
    this.code = code;
  }
}

/** @returns whether `error` is a {@link SkepError} with one of the codes. */
export function hasCode(error: unknown, ...codes: ErrorCode[]): error is SkepError {
  return error instanceof SkepError && codes.includes(error.code);
}
