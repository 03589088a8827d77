/** Who is not served at all. Kept in Postgres, and here for a second at a time. */
import type { Sql } from "../../store/postgres/pool.ts";
import { blockedNetworks } from "../../store/queries/operations.ts";
import type { ApiLog } from "../settings.ts";
import { watch } from "../watched.ts";
import { networkList } from "./address.ts";

export interface BlockList {
  /** @param address in its plain form */
  blocks(address: string): boolean;
  refresh(): Promise<void>;
  close(): void;
}

export async function openBlockList(sql: Sql, log: ApiLog): Promise<BlockList> {
  const look = async () => networkList((await blockedNetworks(sql)).map(({ network }) => network));
  const watched = await watch("the block list", look, log);
  return {
    blocks: (address) => watched.current().has(address),
    refresh: watched.refresh,
    close: watched.close,
  };
}
