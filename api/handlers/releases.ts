/** Releases: to read, to revert, to retire. */
import { microsOf } from "../../schemas/time.ts";
import { packageAdvisories } from "../../store/queries/advisories.ts";
import { releaseDownloads } from "../../store/queries/downloads.ts";
import { dropRelease, hasDependents, touchPackage } from "../../store/queries/packages.ts";
import { requirementsOf, retireAll, setRetirement } from "../../store/queries/releases.ts";
import { userById } from "../../store/queries/users.ts";
import { advisoriesView } from "../../views/advisory.ts";
import { releaseDownloadsView } from "../../views/downloads.ts";
import { releaseView } from "../../views/release.ts";
import { urlsOf } from "../../views/urls.ts";
import { authorize } from "../auth/authorization.ts";
import { type Call, type Handler, textParameter } from "../call.ts";
import { invalid } from "../http/errors.ts";
import { readDownloadsWanted } from "../rules/downloads.ts";
import { readRetirement } from "../rules/retirement.ts";
import { auditedRelease } from "../views/audit.ts";
import { auditCall, changePackage, lockTarget } from "./change.ts";
import { findTarget, type ReleaseTarget, requirePackage, requireRelease, requireVersion } from "./lookup.ts";
import { cacheOf } from "./visibility.ts";

/** How long after its publish a release, and how long after its first one a package, may still be changed. */
const RELEASE_MICROS = 3_600_000_000;
const PACKAGE_MICROS = 86_400_000_000;

/** @returns whether a release is still young enough to be changed; those of a private repository always are. */
export function isYoung(
  call: Call,
  {
    repository,
    package: row,
    release,
  }: Pick<ReleaseTarget, "repository" | "release"> & {
    readonly package: { readonly insertedAt: number };
  },
): boolean {
  if (!repository.public) return true;
  const at = microsOf(call.deps.clock());
  return at - release.insertedAt <= RELEASE_MICROS || at - row.insertedAt <= PACKAGE_MICROS;
}

export const showRelease: Handler = async (call) => {
  const version = requireVersion(call);
  const found = await findTarget(call);
  await authorize(call, found);
  const target = await requireRelease(call, found, version);
  const wanted = readDownloadsWanted((name) => textParameter(call, name));
  const [view, downloads, advisories] = await Promise.all([
    viewOf(call, target),
    releaseDownloads(call.deps.sql, target.release.id, wanted),
    packageAdvisories(call.deps.sql, target.repository.id, [target.package.name]),
  ]);
  const body = {
    ...view,
    downloads: releaseDownloadsView(wanted.by, downloads),
    security_advisories: advisoriesView(advisories, version),
  };
  return { status: 200, body, lastModified: target.release.updatedAt, ...cacheOf([target.repository]) };
};

/** @returns a release as an answer shows it. */
export async function viewOf(
  call: Call,
  { repository, package: row, release }: ReleaseTarget,
): Promise<object> {
  const { sql, settings } = call.deps;
  const [requirements, publisher] = await Promise.all([
    requirementsOf(sql, release.id),
    release.publisherId === null ? null : userById(sql, release.publisherId),
  ]);
  const parts = { packageName: row.name, release, requirements, publisher: publisher ?? null };
  return releaseView(parts, urlsOf(settings, repository.name));
}

export const revertRelease: Handler = async (call) => {
  const version = requireVersion(call);
  const target = await requireRelease(call, await findTarget(call), version);
  await authorize(call, target);
  const { repository, package: row, release } = target;
  if (!isYoung(call, target)) {
    throw invalid({ inserted_at: "can only delete a release up to one hour after publication" });
  }
  await changePackage(call, repository, row.name, async (tx) => {
    await lockTarget(call, tx, target);
    await dropRelease(tx, row.id, release.id, async () => {
      if (await hasDependents(tx, repository.name, row.id, row.name)) {
        throw invalid({ name: "you cannot delete this package because other packages depend on it" });
      }
    });
    await auditCall(call, tx, "release.revert", releaseParams(target));
  });
  return { status: 204 };
};

export const retireRelease: Handler = async (call) => {
  const version = requireVersion(call);
  const found = await findTarget(call);
  await authorize(call, found);
  const target = await requireRelease(call, found, version);
  const retirement = readRetirement(call.params);
  await changePackage(call, target.repository, target.package.name, async (tx) => {
    await lockTarget(call, tx, target);
    await setRetirement(tx, target.release.id, retirement);
    await touchPackage(tx, target.package.id);
    await auditCall(call, tx, "release.retire", releaseParams(target, { retirement }));
  });
  return { status: 204 };
};

export const unretireRelease: Handler = async (call) => {
  const version = requireVersion(call);
  const found = await findTarget(call);
  await authorize(call, found);
  const target = await requireRelease(call, found, version);
  await changePackage(call, target.repository, target.package.name, async (tx) => {
    await lockTarget(call, tx, target);
    await setRetirement(tx, target.release.id, null);
    await touchPackage(tx, target.package.id);
    await auditCall(call, tx, "release.unretire", releaseParams(target, { retirement: null }));
  });
  return { status: 204 };
};

export const retirePackage: Handler = async (call) => {
  const found = await findTarget(call);
  await authorize(call, found);
  const { repository, package: row } = requirePackage(found);
  const retirement = readRetirement(call.params);
  const replace = call.params.replace === true || call.params.replace === "true";
  await changePackage(call, repository, row.name, async (tx) => {
    await lockTarget(call, tx, { repository, package: row });
    const retired = await retireAll(tx, row.id, retirement, replace);
    await touchPackage(tx, row.id);
    for (const release of retired) await auditCall(call, tx, "release.retire", auditedRelease(row, release));
  });
  return { status: 204 };
};

/** @param now what the action has made of the release @returns what the audit log keeps of it. */
export function releaseParams(
  { package: row, release }: Pick<ReleaseTarget, "package" | "release">,
  now: Partial<ReleaseTarget["release"]> = {},
): object {
  return auditedRelease(row, { ...release, ...now });
}
