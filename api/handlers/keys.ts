/** API keys of the user or the organization. */
import { micros, microsOf } from "../../schemas/time.ts";
import type { Transaction } from "../../store/postgres/pool.ts";
import {
  insertKey,
  type KeyOwner,
  type KeyPermission,
  type KeyRow,
  liveKeysOf,
  revokeKeys,
} from "../../store/queries/keys.ts";
import { membershipRoles } from "../../store/queries/memberships.ts";
import { type OrganizationRow, ownedRepository } from "../../store/queries/organizations.ts";
import { packageByName } from "../../store/queries/packages.ts";
import type { UserRow } from "../../store/queries/users.ts";
import { urlsOf } from "../../views/urls.ts";
import { authorize, isOwner, requireUser, roleIn } from "../auth/authorization.ts";
import { hashKeySecret, newKeySecret } from "../auth/key-secret.ts";
import type { Principal } from "../auth/principal.ts";
import { type Call, type Handler, pathParameter } from "../call.ts";
import { invalid, notFound } from "../http/errors.ts";
import { tellKeyMade, tellKeysRemoved } from "../mail/notices.ts";
import { readKeyRequest } from "../rules/key.ts";
import { auditedUser } from "../views/audit.ts";
import { keyView } from "../views/key.ts";
import { auditedOrganization } from "../views/organization.ts";
import { auditCall } from "./change.ts";
import { findOrganization } from "./lookup.ts";

type Owner =
  | { readonly kind: "user"; readonly user: UserRow; readonly ids: KeyOwner }
  | { readonly kind: "organization"; readonly organization: OrganizationRow; readonly ids: KeyOwner }
  /** The public repository, which clients take for an organization: it has no keys. */
  | { readonly kind: "nobody" };

/** Authorises. @returns whose keys the path is about. */
async function findOwner(call: Call): Promise<Owner> {
  if (!call.route.path.startsWith("/orgs/")) {
    await authorize(call);
    const { user } = requireUser(call);
    return { kind: "user", user, ids: { userId: user.id } };
  }
  const organization = await findOrganization(call);
  await authorize(call, { organization });
  if (organization === "everybody") return { kind: "nobody" };
  return { kind: "organization", organization, ids: { organizationId: organization.id } };
}

async function liveKeysFor(call: Call, owner: Owner): Promise<readonly KeyRow[]> {
  return owner.kind === "nobody" ? [] : liveKeysOf(call.deps.sql, owner.ids, microsOf(call.deps.clock()));
}

export const listKeys: Handler = async (call) => {
  const keys = await liveKeysFor(call, await findOwner(call));
  return { status: 200, body: keys.map((key) => keyView(key, call.principal, urlsOf(call.deps.settings))) };
};

export const showKey: Handler = async (call) => {
  const owner = await findOwner(call);
  const name = pathParameter(call, "name");
  const key = (await liveKeysFor(call, owner)).find((row) => row.name === name);
  if (key === undefined) throw notFound();
  const body = keyView(key, call.principal, urlsOf(call.deps.settings));
  return { status: 200, body, lastModified: key.updatedAt };
};

export const createKey: Handler = async (call) => {
  const owner = await findOwner(call);
  if (owner.kind === "nobody") throw notFound();
  const { deps } = call;
  const request = readKeyRequest(call.params, deps.settings.repositoryName, microsOf(call.deps.clock()));
  for (const permission of request.permissions) await requireAccess(call, owner, permission);
  const secret = newKeySecret(deps.random);
  const { first, second } = hashKeySecret(deps.keySecret, secret);
  const key = await deps.sql.begin(async (tx) => {
    const made = await insertKey(
      tx,
      { ...request, ...owner.ids, secretFirst: first, secretSecond: second },
      microsOf(call.deps.clock()),
    );
    await tellKeyMade(tx, deps.settings, await recipientsOf(tx, owner), made.name);
    await auditCall(call, tx, "key.generate", keyParams(made, owner), owner.ids.organizationId);
    return made;
  });
  return {
    status: 201,
    body: keyView(key, call.principal, urlsOf(deps.settings), secret),
    headers: { location: `/api/keys/${encodeURIComponent(key.name)}` },
  };
};

/** A key may not be made for what its owner has no access to. */
async function requireAccess(
  call: Call,
  owner: Exclude<Owner, { readonly kind: "nobody" }>,
  { domain, resource }: KeyPermission,
): Promise<void> {
  if (resource === null) return;
  const holder = holderOf(owner);
  const { sql } = call.deps;
  if (domain === "repository" || domain === "docs") {
    const repository = await ownedRepository(sql, resource);
    const readable =
      repository?.public || (await roleIn(holder, repository?.organization?.id, sql)) !== undefined;
    if (!readable) throw invalid({ permissions: { resource: "you do not have access to this repository" } });
  }
  if (domain !== "package") return;
  const [repositoryName = "", packageName = ""] = resource.split("/", 2);
  const repository = await ownedRepository(sql, repositoryName);
  const row = repository && (await packageByName(sql, repository.id, packageName));
  const owned =
    row !== undefined &&
    (owner.kind === "organization"
      ? repository?.organization?.id === owner.organization.id
      : repository !== undefined && (await isOwner(holder, repository, row.id, "maintainer", sql)));
  if (!owned) throw invalid({ permissions: { resource: "you do not have access to this package" } });
}

/** Whoever makes the key: what it may do is what its owner may. */
function holderOf(owner: Exclude<Owner, { readonly kind: "nobody" }>): Principal {
  const credential = { kind: "basic", verified: true } as const;
  return owner.kind === "user"
    ? { kind: "user", user: owner.user, credential }
    : { kind: "organization", organization: owner.organization, credential };
}

export const deleteKey: Handler = async (call) => {
  const owner = await findOwner(call);
  const [revoked] = await revoke(call, owner, [pathParameter(call, "name")]);
  if (revoked === undefined) throw notFound();
  return { status: 200, body: keyView(revoked, call.principal, urlsOf(call.deps.settings)) };
};

export const deleteAllKeys: Handler = async (call) => {
  const owner = await findOwner(call);
  const names = (await liveKeysFor(call, owner)).map((key) => key.name);
  const revoked = await revoke(call, owner, names);
  const { principal } = call;
  const used =
    principal.kind !== "none" && principal.credential.kind === "key" ? principal.credential.key : undefined;
  const own = revoked.find((key) => key.id === used?.id) ?? used;
  return {
    status: 200,
    body: own === undefined ? null : keyView(own, principal, urlsOf(call.deps.settings)),
  };
};

async function revoke(call: Call, owner: Owner, names: readonly string[]): Promise<readonly KeyRow[]> {
  if (owner.kind === "nobody") throw notFound();
  const at = microsOf(call.deps.clock());
  return call.deps.sql.begin(async (tx) => {
    // A second back, so that the next request with the key finds it revoked.
    const revoked = await revokeKeys(tx, owner.ids, names, at, micros(at - 1_000_000));
    for (const key of revoked) {
      await auditCall(call, tx, "key.remove", keyParams(key, owner), owner.ids.organizationId);
    }
    await tellKeysRemoved(
      tx,
      call.deps.settings,
      await recipientsOf(tx, owner),
      revoked.map((key) => key.name),
    );
    return revoked;
  });
}

/** The user, or the organization's members. */
async function recipientsOf(
  tx: Transaction,
  owner: Exclude<Owner, { readonly kind: "nobody" }>,
): Promise<{ readonly name: string; readonly userIds: readonly number[] }> {
  if (owner.kind === "user") return { name: owner.user.username, userIds: [owner.user.id] };
  const { id, name } = owner.organization;
  return { name, userIds: [...(await membershipRoles(tx, id)).keys()] };
}

function keyParams(
  { id, name, permissions }: KeyRow,
  owner: Exclude<Owner, { readonly kind: "nobody" }>,
): object {
  return {
    id,
    name,
    permissions: permissions.map(({ domain, resource }) => ({ domain, resource })),
    user: owner.kind === "user" ? auditedUser(owner.user) : null,
    organization: owner.kind === "organization" ? auditedOrganization(owner.organization) : null,
  };
}
