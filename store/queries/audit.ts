/** The audit log: one entry an action, in the transaction of the action. */
import type { Queryable, Transaction } from "../postgres/pool.ts";

export interface AuditEntry {
  readonly action: string;
  readonly params: object;
  readonly userId: number | null;
  readonly keyId: number | null;
  /** The organization that acts, or whose members or seats it is about. */
  readonly organizationId?: number | null;
  readonly userAgent: string;
  readonly remoteIp: string;
}

const LONGEST_AGENT = 255;

export async function audit(tx: Transaction, entry: AuditEntry): Promise<void> {
  await tx`
    insert into audit_logs (action, params, user_id, key_id, organization_id, user_agent, remote_ip)
    values (${entry.action}, ${tx.json(entry.params as never)}, ${entry.userId}, ${entry.keyId},
      ${entry.organizationId ?? null}, ${entry.userAgent.slice(0, LONGEST_AGENT)}, ${entry.remoteIp})`;
}

/**
 * Whose entries: what a user has done, what was done to a package, or what an organization has done and what was done
 * to its members and seats.
 */
export type AuditScope =
  | { readonly userId: number }
  | { readonly packageId: number }
  | { readonly organizationId: number };

export interface AuditRow {
  readonly action: string;
  readonly userAgent: string | null;
  readonly params: object;
}

/** @returns the entries, newest first. */
export function auditLogs(
  sql: Queryable,
  scope: AuditScope,
  page: { readonly offset: number; readonly limit: number },
): Promise<readonly AuditRow[]> {
  return sql<AuditRow[]>`
    select action, user_agent as "userAgent", params from audit_logs
    where ${within(sql, scope)} order by id desc limit ${page.limit} offset ${page.offset}`;
}

function within(sql: Queryable, scope: AuditScope) {
  if ("userId" in scope) return sql`user_id = ${scope.userId}`;
  if ("organizationId" in scope) return sql`organization_id = ${scope.organizationId}`;
  return sql`params->'package'->>'id' = ${String(scope.packageId)}`;
}
