/** Owners of a package. */
import { normalizeUsername } from "../../hex/names.ts";
import { membershipRole } from "../../store/queries/memberships.ts";
import { organizationByName } from "../../store/queries/organizations.ts";
import {
  isLastFullOwner,
  lockOwners,
  type OwnerLevel,
  ownerLevel,
  ownersOf,
  removeOwners,
  setOwner,
} from "../../store/queries/owners.ts";
import type { ApiPackageRow } from "../../store/queries/packages.ts";
import { type UserRow, userByLogin, userByPublicName } from "../../store/queries/users.ts";
import { urlsOf } from "../../views/urls.ts";
import { userView } from "../../views/user.ts";
import { authorize, authorizeAgain } from "../auth/authorization.ts";
import { type Call, type Handler, pathParameter, type RepositoryRow } from "../call.ts";
import { invalid, notFound } from "../http/errors.ts";
import { tellOwners } from "../mail/notices.ts";
import { auditedPackage, auditedUser } from "../views/audit.ts";
import { auditCall } from "./change.ts";
import { findTarget, requirePackage } from "./lookup.ts";

export const listOwners: Handler = async (call) => {
  const found = await findTarget(call);
  await authorize(call, found);
  const { package: row } = requirePackage(found);
  const urls = urlsOf(call.deps.settings);
  const owners = await ownersOf(call.deps.sql, row.id);
  return { status: 200, body: owners.map(({ user, level }) => ({ ...userView(user, urls), level })) };
};

export const showOwner: Handler = async (call) => {
  const found = await findTarget(call);
  await authorize(call, found);
  const { package: row } = requirePackage(found);
  const user = await userByPublicName(call.deps.sql, userSegment(call));
  const level = user && (await ownerLevel(call.deps.sql, row.id, user.id));
  if (user === undefined || level === undefined) throw notFound();
  return { status: 200, body: { ...userView(user, urlsOf(call.deps.settings)), level } };
};

export const putOwner: Handler = async (call) => {
  const found = await findTarget(call);
  await authorize(call, found);
  const { repository, package: row } = requirePackage(found);
  const user = await userByPublicName(call.deps.sql, userSegment(call));
  if (user === undefined) throw notFound();
  const transfer = call.params.transfer === true;
  await refuseOwner(call, repository, user, transfer);
  await call.deps.sql.begin(async (tx) => {
    const owners = await lockOwners(tx, row.id);
    await authorizeAgain(call, { repository, package: row }, tx);
    const before = transfer ? undefined : owners.get(user.id);
    const wanted = call.params.level ?? before ?? "full";
    if (wanted !== "full" && (transfer || isLastFullOwner(owners, user.id))) {
      throw invalid({ username: "cannot demote the last full owner of a package" });
    }
    const level = readLevel(wanted);
    if (transfer) {
      await removeOwners(
        tx,
        row.id,
        [...owners.keys()].filter((id) => id !== user.id),
      );
    }
    await setOwner(tx, row.id, user.id, level);
    await auditCall(call, tx, transfer ? "owner.transfer" : "owner.add", ownerParams(row, user, level));
    const change = transfer ? "transferred" : "added";
    await tellOwners(tx, call.deps.settings, change, row.name, user, owners.keys());
  });
  return { status: 204 };
};

export const deleteOwner: Handler = async (call) => {
  const found = await findTarget(call);
  await authorize(call, found);
  const { repository, package: row } = requirePackage(found);
  const user = await userByLogin(call.deps.sql, userSegment(call));
  if (user === undefined) throw notFound();
  await call.deps.sql.begin(async (tx) => {
    const owners = await lockOwners(tx, row.id);
    await authorizeAgain(call, { repository, package: row }, tx);
    const level = owners.get(user.id);
    if (level === undefined) throw invalid({ username: "user is not an owner of package" });
    // A private package is the organization's, and may have no owner of its own.
    if (repository.public && owners.size === 1)
      throw invalid({ username: "cannot remove last owner of package" });
    if (repository.public && isLastFullOwner(owners, user.id))
      throw invalid({ username: "cannot remove the last full owner of package" });
    await removeOwners(tx, row.id, [user.id]);
    await auditCall(call, tx, "owner.remove", ownerParams(row, user, level));
    await tellOwners(tx, call.deps.settings, "removed", row.name, user, owners.keys());
  });
  return { status: 204 };
};

function userSegment(call: Call): string {
  return normalizeUsername(pathParameter(call, "user"));
}

/** Who may not be an owner there. The order is that of Hex's API. @throws ApiError 422 */
async function refuseOwner(
  call: Call,
  repository: RepositoryRow,
  user: UserRow,
  transfer: boolean,
): Promise<void> {
  const { sql } = call.deps;
  if (!repository.public) {
    const id = repository.organization?.id;
    if (id === undefined || (await membershipRole(sql, id, user.id)) === undefined) {
      throw invalid({
        username: "cannot add owner to private package when the user is not a member of the organization",
      });
    }
  }
  if (user.organizationId !== null) {
    if (!transfer) {
      throw invalid({
        username: "organization ownership can only be transferred, removing all existing owners",
      });
    }
    if ((call.params.level ?? "full") !== "full") {
      throw invalid({ level: 'ownership level is required to be "full" for organization ownership' });
    }
  } else if ((await organizationByName(sql, user.username)) !== undefined) {
    const { publicUrl } = call.deps.settings;
    throw invalid({
      username: `cannot add organization as owner until user account and organization is merged, please contact the operator of ${publicUrl} to manually merge accounts`,
    });
  }
}

/** @throws ApiError 422 */
function readLevel(value: unknown): OwnerLevel {
  if (value === "full" || value === "maintainer") return value;
  throw invalid({ level: "is invalid" });
}

function ownerParams(row: ApiPackageRow, user: UserRow, level: OwnerLevel): object {
  return { package: auditedPackage(row), level, user: auditedUser(user) };
}
