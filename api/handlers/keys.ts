/** API keys of the user who asks. */
import { micros } from "../../schemas/time.ts";
import { insertKey, type KeyPermission, liveKeys, revokeKeys } from "../../store/queries/keys.ts";
import { ownerLevel } from "../../store/queries/owners.ts";
import { packageByName } from "../../store/queries/packages.ts";
import type { UserRow } from "../../store/queries/users.ts";
import { authorize, requireUser } from "../auth/authorization.ts";
import { hashKeySecret, newKeySecret } from "../auth/key-secret.ts";
import { type Call, type Handler, pathParameter } from "../call.ts";
import { invalid, notFound } from "../http/errors.ts";
import { tellKeyMade, tellKeysRemoved } from "../mail/notices.ts";
import { readKeyRequest } from "../rules/key.ts";
import { auditedUser } from "../views/audit.ts";
import { keyView } from "../views/key.ts";
import { urlsOf } from "../views/urls.ts";
import { auditCall } from "./change.ts";
import { findRepository, now } from "./lookup.ts";

export const listKeys: Handler = async (call) => {
  await authorize(call);
  const { user } = requireUser(call);
  const keys = await liveKeys(call.deps.sql, user.id, now(call));
  return { status: 200, body: keys.map((key) => keyView(key, call.principal, urlsOf(call.deps.settings))) };
};

export const showKey: Handler = async (call) => {
  await authorize(call);
  const { user } = requireUser(call);
  const name = pathParameter(call, "name");
  const key = (await liveKeys(call.deps.sql, user.id, now(call))).find((row) => row.name === name);
  if (key === undefined) throw notFound();
  const body = keyView(key, call.principal, urlsOf(call.deps.settings));
  return { status: 200, body, lastModified: key.updatedAt };
};

export const createKey: Handler = async (call) => {
  await authorize(call);
  const { user } = requireUser(call);
  const { deps } = call;
  const request = readKeyRequest(call.params, deps.settings.repositoryName, now(call));
  for (const permission of request.permissions) await requireAccess(call, user.id, permission);
  const secret = newKeySecret(deps.random);
  const { first, second } = hashKeySecret(deps.keySecret, secret);
  const key = await deps.sql.begin(async (tx) => {
    const row = { ...request, userId: user.id, secretFirst: first, secretSecond: second };
    const made = await insertKey(tx, row, now(call));
    await tellKeyMade(tx, deps.settings, { name: user.username, userIds: [user.id] }, made.name);
    await auditCall(call, tx, "key.generate", keyParams(made.id, made.name, made.permissions, user));
    return made;
  });
  return {
    status: 201,
    body: keyView(key, call.principal, urlsOf(deps.settings), secret),
    headers: { location: `/api/keys/${encodeURIComponent(key.name)}` },
  };
};

/** A key may not be made for what its owner has no access to. */
async function requireAccess(call: Call, userId: number, { domain, resource }: KeyPermission): Promise<void> {
  if (resource === null) return;
  if (domain === "repository" || domain === "docs") {
    throw invalid({ permissions: { resource: "you do not have access to this repository" } });
  }
  if (domain !== "package") return;
  const [repositoryName, packageName] = resource.split("/", 2);
  const repository = await findRepository(call);
  const row =
    repository.name === repositoryName &&
    (await packageByName(call.deps.sql, repository.id, packageName ?? ""));
  const level = row ? await ownerLevel(call.deps.sql, row.id, userId) : undefined;
  if (level === undefined)
    throw invalid({ permissions: { resource: "you do not have access to this package" } });
}

export const deleteKey: Handler = async (call) => {
  await authorize(call);
  const [revoked] = await revoke(call, [pathParameter(call, "name")]);
  if (revoked === undefined) throw notFound();
  return { status: 200, body: keyView(revoked, call.principal, urlsOf(call.deps.settings)) };
};

export const deleteAllKeys: Handler = async (call) => {
  await authorize(call);
  const { user, credential } = requireUser(call);
  const names = (await liveKeys(call.deps.sql, user.id, now(call))).map((key) => key.name);
  const revoked = await revoke(call, names);
  const own = credential.kind === "key" ? revoked.find((key) => key.id === credential.key.id) : undefined;
  return {
    status: 200,
    body: own === undefined ? null : keyView(own, call.principal, urlsOf(call.deps.settings)),
  };
};

function revoke(call: Call, names: readonly string[]) {
  const { user } = requireUser(call);
  const at = now(call);
  return call.deps.sql.begin(async (tx) => {
    // A second back, so that the next request with the key finds it revoked.
    const revoked = await revokeKeys(tx, user.id, names, at, micros(at - 1_000_000));
    for (const key of revoked) {
      await auditCall(call, tx, "key.remove", keyParams(key.id, key.name, key.permissions, user));
    }
    await tellKeysRemoved(
      tx,
      call.deps.settings,
      { name: user.username, userIds: [user.id] },
      revoked.map((key) => key.name),
    );
    return revoked;
  });
}

function keyParams(id: number, name: string, permissions: readonly KeyPermission[], user: UserRow): object {
  return {
    id,
    name,
    permissions: permissions.map(({ domain, resource }) => ({ domain, resource })),
    user: auditedUser(user),
    organization: null,
  };
}
