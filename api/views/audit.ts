/** What the audit log keeps of the things that an action is about, and how it shows its entries. */
import type { AuditRow } from "../../store/queries/audit.ts";
import type { ApiPackageRow } from "../../store/queries/packages.ts";
import type { ApiReleaseRow } from "../../store/queries/releases.ts";
import type { UserRow } from "../../store/queries/users.ts";

export function auditedUser({ id, username, handles }: Pick<UserRow, "id" | "username" | "handles">): object {
  return { id, username, handles };
}

export function auditedPackage({ id, name, meta }: Pick<ApiPackageRow, "id" | "name" | "meta">): object {
  return { id, name, meta };
}

type AuditedRelease = Pick<ApiReleaseRow, "id" | "version" | "hasDocs" | "meta" | "retirement">;

/** @returns the parameters of every action on a release. */
export function auditedRelease(
  row: Pick<ApiPackageRow, "id" | "name" | "meta">,
  { id, version, hasDocs, meta, retirement }: AuditedRelease,
): object {
  const { app, build_tools, elixir = null } = meta;
  return {
    package: auditedPackage(row),
    release: {
      id,
      version,
      has_docs: hasDocs,
      package_id: row.id,
      meta: { app, build_tools, elixir },
      retirement,
    },
  };
}

export function auditView({ action, userAgent, params }: AuditRow): object {
  return { action, user_agent: userAgent, params };
}
