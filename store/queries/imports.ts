/** Times of what was published elsewhere: they are those of its publication there. */
import type { Micros } from "../../schemas/time.ts";
import type { Transaction } from "../postgres/pool.ts";

export async function setReleaseTime(tx: Transaction, id: number, publishedAt: Micros): Promise<void> {
  await tx`update releases set inserted_at = ${publishedAt}, updated_at = ${publishedAt} where id = ${id}`;
}

/** @param insertedAt undefined: it was here before, and keeps its own */
export async function setPackageTimes(
  tx: Transaction,
  id: number,
  updatedAt: Micros,
  insertedAt: Micros | undefined,
): Promise<void> {
  await tx`
    update packages set updated_at = ${updatedAt}
      ${insertedAt === undefined ? tx`` : tx`, inserted_at = ${insertedAt}`}
    where id = ${id}`;
}
