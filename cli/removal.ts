/** Takes what was published away: rows, revision and a change row in one transaction, as a revert does. */
import { releaseParams } from "../api/handlers/releases.ts";
import { auditedPackage } from "../api/views/audit.ts";
import { SkepError } from "../schemas/errors.ts";
import type { Transaction } from "../store/postgres/pool.ts";
import { recordChange } from "../store/queries/changes.ts";
import { deletePackage, dropRelease, hasDependents, lockPackage } from "../store/queries/packages.ts";
import { type ApiReleaseRow, countReleases, releaseByVersion } from "../store/queries/releases.ts";
import type { FoundPackage, Operator } from "./operator.ts";

export interface RemovalWishes {
  readonly reason: string;
  /** Also when releases of other packages depend on it. */
  readonly force: boolean;
}

/**
 * With its last release a package goes, too.
 * @throws SkepError `usage` when others depend on what would go, `not_found` when it is gone by now
 */
export async function removeRelease(
  { sql, audit }: Operator,
  found: FoundPackage,
  release: ApiReleaseRow,
  wishes: RemovalWishes,
): Promise<void> {
  const { package: row } = found;
  await sql.begin(async (tx) => {
    await lock(tx, found);
    if ((await releaseByVersion(tx, row.id, release.version))?.id !== release.id) {
      throw new SkepError("not_found", `${row.name} ${release.version} was removed meanwhile`);
    }
    await dropRelease(tx, row.id, release.id, () => refuseDependents(tx, found, wishes));
    await audit(tx, "release.remove", { ...releaseParams({ ...found, release }), reason: wishes.reason });
    await recordChange(tx, { repositoryId: found.repository.id, package: row.name });
  });
}

/** @throws SkepError `usage` when others depend on it, `not_found` when it is gone by now */
export async function removePackage(
  { sql, audit }: Operator,
  found: FoundPackage,
  wishes: RemovalWishes,
): Promise<number> {
  const { package: row } = found;
  return sql.begin(async (tx) => {
    await lock(tx, found);
    await refuseDependents(tx, found, wishes);
    const count = await countReleases(tx, row.id);
    await deletePackage(tx, row.id);
    const params = { package: auditedPackage(row), releases: count };
    await audit(tx, "package.remove", { ...params, reason: wishes.reason });
    await recordChange(tx, { repositoryId: found.repository.id, package: row.name });
    return count;
  });
}

async function lock(tx: Transaction, { package: row }: FoundPackage): Promise<void> {
  if ((await lockPackage(tx, row.id)) === undefined) {
    throw new SkepError("not_found", `${row.name} was removed meanwhile`);
  }
}

async function refuseDependents(
  tx: Transaction,
  { repository, package: row }: FoundPackage,
  { force }: RemovalWishes,
): Promise<void> {
  if (!force && (await hasDependents(tx, repository.name, row.id, row.name))) {
    throw new SkepError("usage", `other packages depend on ${row.name}; --force removes it all the same`);
  }
}
