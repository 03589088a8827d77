/** Who asks for a private repository with an API key: all that there is to know, in one query. */
import type { Micros } from "../../schemas/time.ts";
import type { Queryable } from "../postgres/pool.ts";
import type { KeyPermission } from "./keys.ts";

export interface KeyReader {
  readonly keyId: number;
  readonly secretSecond: string;
  readonly permissions: readonly KeyPermission[];
  readonly revokeAt: Micros | null;
  readonly lastUsedAt: Micros | null;
  /** Null for a key of an organization. */
  readonly user: {
    readonly service: boolean;
    readonly deactivated: boolean;
    /** Whether the primary address is. */
    readonly verified: boolean;
    /** The account of an organization, whose own keys are worth nothing. */
    readonly account: boolean;
  } | null;
  /** Whether the owner is a member of the repository's organization, or that organization. */
  readonly belongs: boolean;
  /** Null when there is no private repository of that name. */
  readonly billingActive: boolean | null;
}

/** @param first the half of the key's hash that is looked up */
export async function keyReader(
  sql: Queryable,
  first: string,
  repository: string,
): Promise<KeyReader | undefined> {
  const [row] = await sql<KeyReader[]>`
    select k.id as "keyId", k.secret_second as "secretSecond", k.permissions, k.revoke_at as "revokeAt",
      k.last_used_at as "lastUsedAt",
      case when u.id is null then null else jsonb_build_object(
        'service', u.service, 'deactivated', u.deactivated_at is not null, 'account', u.organization_id is not null,
        'verified', exists (select from emails e where e.user_id = u.id and e.is_primary and e.verified)
      ) end as user,
      coalesce(k.organization_id = o.id, false) or exists (
        select from memberships m where m.organization_id = o.id and m.user_id = k.user_id) as belongs,
      o.billing_active as "billingActive"
    from keys k
      left join users u on u.id = k.user_id
      left join repositories r on r.name = ${repository} and not r.public
      left join organizations o on o.id = r.organization_id
    where k.secret_first = ${first}`;
  return row;
}
