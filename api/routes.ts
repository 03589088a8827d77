/**
 * Every route with what it demands. The pipeline serves this table, and the tests walk it with every kind of
 * principal.
 */

import { listOrganizationAuditLogs, listOwnAuditLogs, listPackageAuditLogs } from "./handlers/audit-logs.ts";
import { checkAuth } from "./handlers/auth.ts";
import { deleteDocs, publishDocs, showDocs } from "./handlers/docs.ts";
import { showIndex } from "./handlers/index.ts";
import { createKey, deleteAllKeys, deleteKey, listKeys, showKey } from "./handlers/keys.ts";
import { addMember, changeMember, deleteMember, listMembers, showMember } from "./handlers/members.ts";
import { beginDeviceFlow, issueToken } from "./handlers/oauth.ts";
import {
  changeSeats,
  listOrganizations,
  listRepositories,
  showOrganization,
  showRepository,
} from "./handlers/organizations.ts";
import { deleteOwner, listOwners, putOwner, showOwner } from "./handlers/owners.ts";
import { listPackages, showPackage } from "./handlers/packages.ts";
import { publish, publishRelease } from "./handlers/publish.ts";
import {
  retirePackage,
  retireRelease,
  revertRelease,
  showRelease,
  unretireRelease,
} from "./handlers/releases.ts";
import { createShortUrl } from "./handlers/short-urls.ts";
import { createUser, showSelf, showUser, showUserAgain } from "./handlers/users.ts";
import { revoke, revokeByHash } from "./oauth/revocation.ts";
import type { Route } from "./route.ts";

const PACKAGE = "/packages/:name";
const RELEASE = "/packages/:name/releases/:version";

const readers = { permission: "read", rule: "readers", scoped: true } as const;
const maintainers = { permission: "publish", rule: "maintainer", scoped: true } as const;
const fullOwners = { permission: "publish", rule: "full-owner", scoped: true, billing: true } as const;
const ownKeys = { authenticated: true, rule: "user", cache: "private" } as const;
const itsKeys = { authenticated: true, rule: "member", cache: "private" } as const;
const changingItsKeys = { ...itsKeys, permission: "write", rule: "writing-member" } as const;
const ORGANIZATION = "/orgs/:organization";
const reading = { permission: "read", rule: "member" } as const;
const readingMembers = { ...reading, cache: "private" } as const;
const writingMembers = { permission: "write", rule: "writing-member", cache: "private" } as const;
const admins = { permission: "write", rule: "organization-admin", cache: "private" } as const;
const toAll = { cache: "public", conditional: true } as const;
const toOne = { cache: "private", conditional: true } as const;

export const ROUTES: readonly Route[] = [
  { method: "GET", path: "/", permission: "none", handler: showIndex },

  { method: "POST", path: "/users", permission: "none", cache: "private", handler: createUser },
  {
    method: "GET",
    path: "/users/me",
    authenticated: true,
    permission: "read",
    rule: "user",
    ...toOne,
    handler: showSelf,
  },
  {
    method: "GET",
    path: "/users/me/audit-logs",
    authenticated: true,
    permission: "read",
    rule: "user",
    handler: listOwnAuditLogs,
  },
  { method: "GET", path: "/users/:name", permission: "none", ...toOne, handler: showUser },
  {
    method: "GET",
    path: "/users/:name/test",
    authenticated: true,
    permission: "read",
    ...toOne,
    handler: showUserAgain,
  },

  { method: "GET", path: "/orgs", permission: "read", cache: "private", handler: listOrganizations },
  { method: "GET", path: ORGANIZATION, ...readingMembers, handler: showOrganization },
  { method: "POST", path: ORGANIZATION, ...writingMembers, handler: changeSeats },
  { method: "GET", path: `${ORGANIZATION}/audit-logs`, ...reading, handler: listOrganizationAuditLogs },
  { method: "GET", path: `${ORGANIZATION}/members`, ...readingMembers, handler: listMembers },
  { method: "POST", path: `${ORGANIZATION}/members`, ...admins, handler: addMember },
  { method: "GET", path: `${ORGANIZATION}/members/:name`, ...readingMembers, handler: showMember },
  { method: "POST", path: `${ORGANIZATION}/members/:name`, ...admins, handler: changeMember },
  { method: "DELETE", path: `${ORGANIZATION}/members/:name`, ...admins, handler: deleteMember },

  { method: "GET", path: "/repos", permission: "read", conditional: true, handler: listRepositories },
  {
    method: "GET",
    path: "/repos/:repository",
    permission: "read",
    rule: "readers",
    ...toAll,
    handler: showRepository,
  },

  { method: "GET", path: "/packages", ...readers, ...toAll, handler: listPackages },
  { method: "GET", path: PACKAGE, ...readers, ...toAll, handler: showPackage },
  { method: "GET", path: `${PACKAGE}/audit-logs`, ...readers, handler: listPackageAuditLogs },
  {
    method: "POST",
    path: "/publish",
    ...maintainers,
    authenticated: true,
    billing: true,
    upload: true,
    cache: "public",
    handler: publish,
  },
  {
    method: "POST",
    path: `${PACKAGE}/releases`,
    ...maintainers,
    authenticated: true,
    billing: true,
    upload: true,
    cache: "public",
    handler: publishRelease,
  },
  { method: "GET", path: RELEASE, ...readers, ...toAll, handler: showRelease },
  {
    method: "DELETE",
    path: RELEASE,
    ...maintainers,
    authenticated: true,
    billing: true,
    cache: "private",
    handler: revertRelease,
  },

  { method: "POST", path: `${PACKAGE}/retire`, ...maintainers, cache: "private", handler: retirePackage },
  { method: "POST", path: `${RELEASE}/retire`, ...maintainers, cache: "private", handler: retireRelease },
  { method: "DELETE", path: `${RELEASE}/retire`, ...maintainers, cache: "private", handler: unretireRelease },

  { method: "GET", path: `${RELEASE}/docs`, ...readers, billing: true, handler: showDocs },
  {
    method: "POST",
    path: `${RELEASE}/docs`,
    ...maintainers,
    billing: true,
    upload: true,
    cache: "public",
    handler: publishDocs,
  },
  {
    method: "DELETE",
    path: `${RELEASE}/docs`,
    ...maintainers,
    billing: true,
    cache: "private",
    handler: deleteDocs,
  },

  { method: "GET", path: `${PACKAGE}/owners`, ...readers, cache: "private", handler: listOwners },
  { method: "GET", path: `${PACKAGE}/owners/:user`, ...readers, cache: "private", handler: showOwner },
  { method: "PUT", path: `${PACKAGE}/owners/:user`, ...fullOwners, cache: "private", handler: putOwner },
  {
    method: "DELETE",
    path: `${PACKAGE}/owners/:user`,
    ...fullOwners,
    cache: "private",
    handler: deleteOwner,
  },

  { method: "GET", path: "/keys", ...ownKeys, permission: "read", handler: listKeys },
  { method: "GET", path: "/keys/:name", ...ownKeys, permission: "read", conditional: true, handler: showKey },
  { method: "POST", path: "/keys", ...ownKeys, permission: "write", unverified: true, handler: createKey },
  { method: "DELETE", path: "/keys", ...ownKeys, permission: "write", handler: deleteAllKeys },
  { method: "DELETE", path: "/keys/:name", ...ownKeys, permission: "write", handler: deleteKey },

  { method: "POST", path: "/short_url", permission: "none", handler: createShortUrl },
  { method: "GET", path: `${ORGANIZATION}/keys`, ...itsKeys, permission: "read", handler: listKeys },
  {
    method: "GET",
    path: `${ORGANIZATION}/keys/:name`,
    ...itsKeys,
    permission: "read",
    conditional: true,
    handler: showKey,
  },
  {
    method: "POST",
    path: `${ORGANIZATION}/keys`,
    ...changingItsKeys,
    unverified: true,
    handler: createKey,
  },
  { method: "DELETE", path: `${ORGANIZATION}/keys`, ...changingItsKeys, handler: deleteAllKeys },
  { method: "DELETE", path: `${ORGANIZATION}/keys/:name`, ...changingItsKeys, handler: deleteKey },

  {
    method: "POST",
    path: "/oauth/token",
    permission: "none",
    inReadOnly: true,
    handler: issueToken,
  },
  { method: "POST", path: "/oauth/device_authorization", permission: "none", handler: beginDeviceFlow },
  { method: "POST", path: "/oauth/revoke", permission: "none", handler: revoke },
  { method: "POST", path: "/oauth/revoke_by_hash", permission: "none", handler: revokeByHash },
  { method: "GET", path: "/auth", authenticated: true, permission: "none", handler: checkAuth },
];
