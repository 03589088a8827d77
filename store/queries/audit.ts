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

/** Whose entries: what a user has done, or what was done to a package. */
export type AuditScope = { readonly userId: number } | { readonly packageId: number };

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
  const condition =
    "userId" in scope
      ? sql`user_id = ${scope.userId}`
      : sql`params->'package'->>'id' = ${String(scope.packageId)}`;
  return sql<AuditRow[]>`
    select action, user_agent as "userAgent", params from audit_logs
    where ${condition} order by id desc limit ${page.limit} offset ${page.offset}`;
}
