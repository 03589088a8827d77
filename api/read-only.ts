/**
 * Read-only mode: what is there can be fetched and looked at, and nothing changes. A setting, a switch that all
 * processes see within about a second, or a Postgres that takes no writes.
 */
import type { Sql } from "../store/postgres/pool.ts";
import { isReadOnlyServer, readOnlyMode } from "../store/queries/operations.ts";
import { ApiError } from "./http/errors.ts";
import type { ApiLog } from "./settings.ts";
import { watch } from "./watched.ts";

export interface ReadOnly {
  /** What clients are told. */
  readonly message: string;
}

export interface ReadOnlySwitch {
  /** @returns undefined when changes are welcome. */
  current(): ReadOnly | undefined;
  refresh(): Promise<void>;
  close(): void;
}

const MESSAGE = "this registry is read-only for a while; try again later";
const RETRY_SECONDS = 60;

/** @param always whether the settings demand it */
export async function openReadOnlySwitch(
  sql: Sql,
  settings: { readonly readOnly: boolean },
  log: ApiLog,
): Promise<ReadOnlySwitch> {
  const look = async (): Promise<ReadOnly | undefined> => {
    const row = await readOnlyMode(sql);
    if (row !== undefined) return { message: row.message ?? MESSAGE };
    return settings.readOnly || (await isReadOnlyServer(sql)) ? { message: MESSAGE } : undefined;
  };
  return watch("read-only mode", look, log);
}

/** @returns the answer to a change that is not welcome now. */
export function readOnlyError({ message }: ReadOnly = { message: MESSAGE }, cause?: unknown): ApiError {
  return new ApiError(503, message, { headers: { "retry-after": String(RETRY_SECONDS) }, cause });
}
