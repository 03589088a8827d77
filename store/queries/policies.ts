/** Policies of organizations. */
import type { PolicyName } from "../../hex/ids.ts";
import type { PolicyDocument } from "../../schemas/policy.ts";
import type { Micros } from "../../schemas/time.ts";
import type { Queryable, Transaction } from "../postgres/pool.ts";

export interface PolicyRow {
  readonly name: PolicyName;
  readonly document: PolicyDocument;
  /** Raised by every change, also by being deleted. */
  readonly revision: number;
  readonly updatedAt: Micros;
}

/** @returns the repository's policies by name. */
export function policyRows(sql: Queryable, repositoryId: number): Promise<readonly PolicyRow[]> {
  return sql<PolicyRow[]>`
    select name, document, revision, updated_at as "updatedAt" from policies
    where repository_id = ${repositoryId} and document is not null order by name collate "C"`;
}

/** Makes the policy what is given. @returns whether that changed anything. */
export async function writePolicy(
  tx: Transaction,
  repositoryId: number,
  name: PolicyName,
  document: PolicyDocument,
): Promise<boolean> {
  const json = tx.json(document as never);
  const rows = await tx`
    insert into policies as old (repository_id, name, visibility, document)
    values (${repositoryId}, ${name}, ${document.visibility}, ${json})
    on conflict (repository_id, name) do update
      set visibility = excluded.visibility, document = excluded.document, revision = old.revision + 1, updated_at = now()
      where old.document is distinct from excluded.document
    returning 1`;
  return rows.length > 0;
}

/** @returns whether there was one. */
export async function deletePolicy(
  tx: Transaction,
  repositoryId: number,
  name: PolicyName,
): Promise<boolean> {
  const rows = await tx`
    update policies set document = null, revision = revision + 1, updated_at = now()
    where repository_id = ${repositoryId} and name = ${name} and document is not null returning 1`;
  return rows.length > 0;
}
