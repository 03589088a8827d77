/** How many may be signed in at a time, browsers and programs together. */
import type { Micros } from "../../schemas/time.ts";
import type { Transaction } from "../postgres/pool.ts";
import type { KeyOwner } from "./keys.ts";

/** Of a user. */
export const MOST_SESSIONS = 5;

/** Ends what the owner has not used for the longest time. @param kept how many go on */
export async function endOldestSessions(
  tx: Transaction,
  owner: KeyOwner,
  kept: number,
  now: Micros,
): Promise<void> {
  if (owner.userId === undefined) {
    // Two that begin at once must not both find room.
    await tx`select from organizations where id = ${owner.organizationId} for update`;
    await tx`
      update oauth_sessions set revoked_at = ${now} where id in (
        select id from oauth_sessions
        where organization_id = ${owner.organizationId} and revoked_at is null and expires_at > ${now}
        order by last_used_at desc, inserted_at desc, id desc offset ${kept})`;
    return;
  }
  await tx`select from users where id = ${owner.userId} for update`;
  await tx`
    with live as (
      select 'browser' as kind, id, last_used_at, inserted_at from web_sessions
      where user_id = ${owner.userId} and not pending and expires_at > ${now}
      union all
      select 'program', id, last_used_at, inserted_at from oauth_sessions
      where user_id = ${owner.userId} and revoked_at is null and expires_at > ${now}
    ), ended as (
      select kind, id from live order by last_used_at desc, inserted_at desc, id desc offset ${kept}
    ), browsers as (
      delete from web_sessions where id in (select id from ended where kind = 'browser')
    )
    update oauth_sessions set revoked_at = ${now} where id in (select id from ended where kind = 'program')`;
}
