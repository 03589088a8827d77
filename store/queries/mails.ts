/**
 * The outbox: mails are rows of the transaction that they tell about, and are taken from here by whoever sends
 * them. A row is put off while it is being sent and deleted once it is delivered, so a sender that dies loses
 * nothing; its mails come twice at worst.
 */
import type { Queryable, Transaction } from "../postgres/pool.ts";

/** Told when there is a new mail. */
export const MAIL_CHANNEL = "skep_mail";

export interface NewMail {
  readonly kind: string;
  /** One address, without a name. */
  readonly recipient: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export interface QueuedMail extends NewMail {
  readonly id: number;
  /** The same at each attempt. */
  readonly messageId: string;
  /** This one included. */
  readonly attempts: number;
}

export async function enqueueMails(tx: Transaction, mails: readonly NewMail[]): Promise<void> {
  if (mails.length === 0) return;
  const column = (key: keyof NewMail): string[] => mails.map((mail) => mail[key]);
  await tx`
    with added as (
      insert into mails (kind, recipient, subject, body_text, body_html)
      select * from unnest(${column("kind")}::text[], ${column("recipient")}::text[], ${column("subject")}::text[],
        ${column("text")}::text[], ${column("html")}::text[])
      returning 1
    )
    select pg_notify(${MAIL_CHANNEL}, '') from (select from added limit 1) as any_mail`;
}

/** Takes mails that are due, and puts them off for as long as sending them may take. */
export function takeMails(
  sql: Queryable,
  limit: number,
  leaseSeconds: number,
): Promise<readonly QueuedMail[]> {
  return sql<QueuedMail[]>`
    update mails set next_at = now() + ${leaseSeconds} * interval '1 second', attempts = attempts + 1
    where id in (
      select id from mails where failed_at is null and next_at <= now()
      order by next_at limit ${limit} for update skip locked
    )
    returning id, kind, recipient, subject, body_text as text, body_html as html, message_id as "messageId", attempts`;
}

/** The mail was delivered. Also right when another has taken it since: it was delivered all the same. */
export async function deleteMail(sql: Queryable, id: number): Promise<void> {
  await sql`delete from mails where id = ${id}`;
}

export async function retryMail(
  sql: Queryable,
  mail: Pick<QueuedMail, "id" | "attempts">,
  seconds: number,
  error: string,
): Promise<void> {
  // Not when somebody else has taken it since.
  await sql`
    update mails set next_at = now() + ${seconds} * interval '1 second', last_error = ${error}
    where id = ${mail.id} and attempts = ${mail.attempts}`;
}

/** Gives a mail up. The row stays for a while, for whoever wants to know what became of it. */
export async function failMail(
  sql: Queryable,
  mail: Pick<QueuedMail, "id" | "attempts">,
  error: string,
): Promise<void> {
  await sql`
    update mails set failed_at = now(), last_error = ${error}
    where id = ${mail.id} and attempts = ${mail.attempts}`;
}

/** @returns milliseconds until the next mail is due, undefined when there is none. */
export async function nextMailIn(sql: Queryable): Promise<number | undefined> {
  const [row] = await sql<{ ms: number | null }[]>`
    select ceil(extract(epoch from min(next_at) - now()) * 1000)::float8 as ms from mails where failed_at is null`;
  return row?.ms === null || row === undefined ? undefined : Math.max(0, row.ms);
}

/** Removes what was given up long ago. */
export async function forgetFailedMails(sql: Queryable): Promise<void> {
  await sql`delete from mails where failed_at < now() - interval '7 days'`;
}

/** @returns whether the user can be mailed to. */
export async function hasMailAddress(sql: Queryable, userId: number): Promise<boolean> {
  return (await mailAddresses(sql, [userId], false)).length > 0;
}

/**
 * @param optional leaves out who does not want such mails
 * @returns the verified primary addresses of the users, without those of closed accounts.
 */
export async function mailAddresses(
  sql: Queryable,
  userIds: readonly number[],
  optional: boolean,
): Promise<readonly string[]> {
  const rows = await sql<{ email: string }[]>`
    select distinct e.email from emails e join users u on u.id = e.user_id
    where e.user_id = any(${userIds as number[]}::bigint[]) and ${isReached(sql)}
      ${optional ? sql`and u.optional_mail` : sql``}
    order by e.email`;
  return rows.map((row) => row.email);
}

/**
 * @returns the addresses of the package's owners, in an organization's place those of its admins, without those who do
 *   not want mails that nobody has to get.
 */
export async function ownerMailAddresses(sql: Queryable, packageId: number): Promise<readonly string[]> {
  const rows = await sql<{ email: string }[]>`
    with owners as (
      select u.id, u.organization_id from package_owners o join users u on u.id = o.user_id
      where o.package_id = ${packageId}
    ), persons as (
      select id from owners where organization_id is null
      union
      select m.user_id from owners o join memberships m on m.organization_id = o.organization_id and m.role = 'admin'
    )
    select distinct e.email from persons p join users u on u.id = p.id join emails e on e.user_id = u.id
    where ${isReached(sql)} and u.optional_mail
    order by e.email`;
  return rows.map((row) => row.email);
}

const isReached = (sql: Queryable) => sql`e.is_primary and e.verified and u.deactivated_at is null`;
