/** A transaction that changes what some file contains: audited, announced, waited for. */
import { packageName, trusted } from "../../hex/ids.ts";
import type { Transaction } from "../../store/postgres/pool.ts";
import { audit } from "../../store/queries/audit.ts";
import { recordChange } from "../../store/queries/changes.ts";
import { type ApiPackageRow, lockPackage } from "../../store/queries/packages.ts";
import { type ApiReleaseRow, releaseByVersion } from "../../store/queries/releases.ts";
import { heldRepositoryName } from "../../store/queries/repositories.ts";
import { authorizeAgain } from "../auth/authorization.ts";
import type { Call, RepositoryRow } from "../call.ts";
import { notFound } from "../http/errors.ts";

/**
 * Writes an audit entry for who asks.
 * @param about the organization whose members, seats or keys are changed
 */
export async function auditCall(
  call: Call,
  tx: Transaction,
  action: string,
  params: object,
  about?: number,
): Promise<void> {
  const { principal } = call;
  await audit(tx, {
    action,
    params,
    userId: principal.kind === "user" ? principal.user.id : null,
    keyId:
      principal.kind !== "none" && principal.credential.kind === "key" ? principal.credential.key.id : null,
    organizationId: about ?? (principal.kind === "organization" ? principal.organization.id : null),
    userAgent: call.userAgent,
    remoteIp: call.ip,
  });
}

/**
 * Locks the package and makes sure, under that lock, that it and the release are still the ones that were looked
 * up and that the caller may still change them: of two that revert at once, only the first finds something.
 * @throws ApiError 403 or 404
 */
export async function lockTarget(
  call: Call,
  tx: Transaction,
  target: {
    readonly repository: RepositoryRow;
    readonly package: ApiPackageRow;
    readonly release?: ApiReleaseRow;
  },
): Promise<void> {
  const { package: row, release } = target;
  if ((await lockPackage(tx, row.id)) === undefined) throw notFound();
  if (release !== undefined && (await releaseByVersion(tx, row.id, release.version))?.id !== release.id)
    throw notFound();
  await authorizeAgain(call, target, tx);
}

/**
 * Keeps the repository's name until the transaction ends: rows that it writes carry it.
 * @throws ApiError 404 when it was renamed since it was looked up
 */
async function holdName(tx: Transaction, { id, name }: RepositoryRow): Promise<void> {
  if ((await heldRepositoryName(tx, id)) !== name) throw notFound();
}

/**
 * Runs the work and asks for a build in one transaction, then waits until installs see it, for as long as the
 * settings say. The answer is the same when the wait runs out: the change is committed.
 */
export async function changePackage<T>(
  call: Call,
  repository: RepositoryRow,
  name: string,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const { deps } = call;
  await deps.onStep?.("commit", "before");
  const { result, change } = await deps.sql.begin(async (tx) => {
    await holdName(tx, repository);
    const result = await work(tx);
    // Last, as it holds a lock that every change of the repository takes.
    const change = await recordChange(tx, {
      repositoryId: repository.id,
      package: trusted(packageName, name),
      requestId: call.requestId,
    });
    return { result, change };
  });
  await deps.onStep?.("commit", "after");
  await deps.onStep?.("wait", "before");
  const visible = await deps.waiter.wait(change, deps.settings.publishWaitMilliseconds);
  await deps.onStep?.("wait", "after");
  if (!visible) {
    deps.log.warn(
      { requestId: call.requestId, change, package: name },
      "answered before the change was visible",
    );
  }
  return result as T;
}
