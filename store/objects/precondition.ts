/** Preconditions and metadata, as the drivers that decide on their own check them. */
import { SkepError } from "../../schemas/errors.ts";
import type { Precondition } from "./store.ts";

/**
 * @param etag of the object that stands under the key, undefined when there is none
 * @throws SkepError `store_precondition`, `store_not_found`
 */
export function checkPrecondition(key: string, precondition: Precondition, etag: string | undefined): void {
  if (precondition.kind === "absent" && etag !== undefined)
    throw new SkepError("store_precondition", `${key} is there already`);
  if (precondition.kind !== "match" || precondition.etag === etag) return;
  if (etag === undefined)
    throw new SkepError("store_not_found", `${key} is not there, so it matches no ETag`);
  throw new SkepError("store_precondition", `${key} has another ETag than ${precondition.etag}`);
}

/**
 * Every driver refuses what one of them would alter: S3 sends metadata as headers.
 * @throws SkepError `internal` for a name or value that no header can carry as it is.
 */
export function assertMetadata(metadata: Readonly<Record<string, string>> | undefined): void {
  for (const [name, value] of Object.entries(metadata ?? {})) {
    if (!/^[a-z0-9][a-z0-9-]*$/.test(name) || !/^(?:[!-~]+(?: [!-~]+)*)?$/.test(value))
      throw new SkepError("internal", `metadata ${JSON.stringify(name)} cannot be sent as a header`);
  }
}
