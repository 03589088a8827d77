/**
 * Every route with what it demands. The pipeline serves this table, and the tests walk it with every kind of
 * principal; organizations, OAuth and the rest of the contract add rows.
 */

import { listOwnAuditLogs, listPackageAuditLogs } from "./handlers/audit-logs.ts";
import { checkAuth } from "./handlers/auth.ts";
import { deleteDocs, publishDocs, showDocs } from "./handlers/docs.ts";
import { showIndex } from "./handlers/index.ts";
import { createKey, deleteAllKeys, deleteKey, listKeys, showKey } from "./handlers/keys.ts";
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
import type { Route } from "./route.ts";

const PACKAGE = "/packages/:name";
const RELEASE = "/packages/:name/releases/:version";

const readers = { permission: "read", rule: "readers", scoped: true } as const;
const maintainers = { permission: "publish", rule: "maintainer", scoped: true } as const;
const fullOwners = { permission: "publish", rule: "full-owner", scoped: true } as const;
const ownKeys = { authenticated: true, rule: "user", cache: "private" } as const;
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

  { method: "GET", path: "/packages", ...readers, ...toAll, handler: listPackages },
  { method: "GET", path: PACKAGE, ...readers, ...toAll, handler: showPackage },
  { method: "GET", path: `${PACKAGE}/audit-logs`, ...readers, handler: listPackageAuditLogs },
  {
    method: "POST",
    path: "/publish",
    ...maintainers,
    authenticated: true,
    upload: true,
    cache: "public",
    handler: publish,
  },
  {
    method: "POST",
    path: `${PACKAGE}/releases`,
    ...maintainers,
    authenticated: true,
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
    cache: "private",
    handler: revertRelease,
  },

  { method: "POST", path: `${PACKAGE}/retire`, ...maintainers, cache: "private", handler: retirePackage },
  { method: "POST", path: `${RELEASE}/retire`, ...maintainers, cache: "private", handler: retireRelease },
  { method: "DELETE", path: `${RELEASE}/retire`, ...maintainers, cache: "private", handler: unretireRelease },

  { method: "GET", path: `${RELEASE}/docs`, ...readers, handler: showDocs },
  {
    method: "POST",
    path: `${RELEASE}/docs`,
    ...maintainers,
    upload: true,
    cache: "public",
    handler: publishDocs,
  },
  { method: "DELETE", path: `${RELEASE}/docs`, ...maintainers, cache: "private", handler: deleteDocs },

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

  { method: "GET", path: "/auth", authenticated: true, permission: "none", handler: checkAuth },
];
