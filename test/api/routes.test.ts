/** Walks the route table: every route times every kind of principal and target, against what its row says. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Route } from "../../api/route.ts";
import { ROUTES } from "../../api/routes.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { MIX } from "./oauth/oauth.ts";

let registry: TestRegistry;
const credentials = new Map<string, string>();

const basic = (user: string) => `Basic ${Buffer.from(`${user}:password`).toString("base64")}`;

beforeAll(async () => {
  registry = await startRegistry();
  credentials.set("bad key", "0".repeat(32));
  credentials.set("bad password", `Basic ${Buffer.from("owner:wrong").toString("base64")}`);
  credentials.set("bearer", "Bearer abc");
  credentials.set("full owner", await registry.key("owner"));
  credentials.set("full owner, read key", await registry.key("owner", [{ domain: "api", resource: "read" }]));
  credentials.set(
    "full owner, package key",
    await registry.key("owner", [{ domain: "package", resource: "local/example" }]),
  );
  credentials.set(
    "full owner, other package's key",
    await registry.key("owner", [{ domain: "package", resource: "local/other" }]),
  );
  credentials.set(
    "full owner, repositories key",
    await registry.key("owner", [{ domain: "repositories", resource: null }]),
  );
  credentials.set(
    "full owner, docs key",
    await registry.key("owner", [{ domain: "docs", resource: "acme" }]),
  );
  credentials.set(
    "full owner, all packages' key",
    await registry.key("owner", [{ domain: "package", resource: null }]),
  );
  credentials.set(
    "full owner, write key",
    await registry.key("owner", [{ domain: "api", resource: "write" }]),
  );
  credentials.set("full owner, Basic", basic("owner"));
  credentials.set("maintainer", await registry.key("maintainer"));
  credentials.set("stranger", await registry.key("stranger"));
  credentials.set("unverified", await registry.key("unverified", undefined, { verified: false }));
  credentials.set("deactivated", await registry.key("deactivated"));
  credentials.set("service", await registry.key("service"));
  await registry.organization("acme", {
    reading: "read",
    owning: "read",
    writing: "write",
    leading: "admin",
  });
  await registry.organization("other", { elsewhere: "admin" });
  credentials.set("organization", await registry.organizationKey("acme"));
  credentials.set(
    "organization, repository key",
    await registry.organizationKey("acme", [{ domain: "repository", resource: "acme" }]),
  );
  credentials.set("other organization", await registry.organizationKey("other"));
  credentials.set("read member", await registry.key("reading"));
  credentials.set("read member who maintains", await registry.key("owning"));
  credentials.set("write member", await registry.key("writing"));
  credentials.set("admin member", await registry.key("leading"));
  credentials.set("other organization's admin", await registry.key("elsewhere"));
  await registry.database.sql`update users set deactivated_at = now() where username = 'deactivated'`;
  await registry.database.sql`update users set service = true where username = 'service'`;
  // One name in both repositories, so that none can be taken for the other.
  for (const [path, principal] of [
    ["/publish", "full owner"],
    ["/repos/acme/publish", "write member"],
  ] as const) {
    const published = await registry.request(path, {
      method: "POST",
      headers: { authorization: credentials.get(principal) ?? "" },
      body: new Uint8Array(packageTarball()),
    });
    expect(published.status).toBe(201);
  }
  await registry.own("maintainer", "example", "maintainer");
  await registry.database.sql`
    insert into package_owners (package_id, user_id, level)
    select p.id, u.id, 'maintainer' from packages p join repositories r on r.id = p.repository_id, users u
    where r.name = 'acme' and u.username = 'owning'`;
});
afterAll(() => registry.stop());

const PRINCIPALS = [
  "anonymous",
  "bad key",
  "bad password",
  "bearer",
  "full owner",
  "full owner, read key",
  "full owner, package key",
  "full owner, other package's key",
  "full owner, repositories key",
  "full owner, docs key",
  "full owner, all packages' key",
  "full owner, write key",
  "full owner, Basic",
  "maintainer",
  "stranger",
  "unverified",
  "deactivated",
  "service",
  "organization",
  "organization, repository key",
  "other organization",
  "read member",
  "read member who maintains",
  "write member",
  "admin member",
  "other organization's admin",
] as const;
type PrincipalName = (typeof PRINCIPALS)[number];

/** What a request is about: the public repository or the private one, and the organization of that name. */
type TargetName = "local" | "acme";

const ROLES = ["read", "write", "admin"] as const;
type Role = (typeof ROLES)[number];

/** In acme. */
const MEMBERS: Partial<Record<PrincipalName, Role>> = {
  organization: "admin",
  "read member": "read",
  "read member who maintains": "read",
  "write member": "write",
  "admin member": "admin",
};

const FORBIDDEN = { status: 403, message: "account not authorized for this action" };
const HIDDEN = { status: 404, message: "Page not found" };

/** What the contract says, before anything is looked up or done: a status, or undefined for "may". */
function expected(
  route: Route,
  principal: PrincipalName,
  target: TargetName,
): { status: number; message?: string } | undefined {
  switch (principal) {
    case "anonymous":
      if (route.authenticated) return { status: 401, message: "missing authentication information" };
      break;
    case "bad key":
    case "bearer":
      return { status: 401, message: "invalid API key" };
    case "bad password":
      return { status: 401, message: "invalid username and password combination" };
    case "deactivated":
      return { status: 400, message: "Bad request" };
    case "service":
      return undefined;
    case "unverified":
      if (authorizes(route) && !route.unverified) return { status: 403, message: "email not verified" };
      break;
    case "full owner, read key":
      if (route.permission === "write" || route.permission === "publish") return NOT_PERMITTED;
      break;
    case "full owner, package key":
      if (route.permission === "write" || (route.permission === "publish" && target !== "local"))
        return NOT_PERMITTED;
      break;
    case "full owner, other package's key":
      if (route.permission === "write" || route.permission === "publish") return NOT_PERMITTED;
      break;
    case "full owner, all packages' key":
      if (route.permission === "write") return NOT_PERMITTED;
      break;
    case "full owner, docs key":
    case "full owner, repositories key":
    case "organization, repository key":
      if (route.permission !== "none") return NOT_PERMITTED;
      break;
  }
  return byRule(route, principal, target);
}

/** Section 5, and section 3.2 for keys. */
function byRule(route: Route, principal: PrincipalName, target: TargetName) {
  const role = MEMBERS[principal];
  const has = (wanted: Role) => role !== undefined && ROLES.indexOf(role) >= ROLES.indexOf(wanted);
  const inOrganization = (wanted: Role) => {
    if (target === "acme") return has(wanted) ? undefined : HIDDEN;
    return wanted === "read" ? undefined : FORBIDDEN;
  };
  const owning = (level: "maintainer" | "full") => {
    if (target === "acme") {
      if (level === "maintainer" && principal === "read member who maintains") return undefined;
      return has(level === "full" ? "admin" : "write") ? undefined : HIDDEN;
    }
    const owns = principal.startsWith("full owner") || (level === "maintainer" && principal === "maintainer");
    return owns ? undefined : FORBIDDEN;
  };
  switch (route.rule) {
    case undefined:
      return undefined;
    case "user":
      return principal.includes("organization") && !principal.includes("admin") ? HIDDEN : undefined;
    case "readers":
      return inOrganization("read");
    case "member":
      return inOrganization("read");
    case "writing-member":
      return inOrganization("write");
    case "organization-admin":
      return inOrganization("admin");
    case "maintainer":
      return owning("maintainer");
    case "full-owner":
      return owning("full");
  }
}

const NOT_PERMITTED = { status: 401, message: "key not authorized for this action" };
/** Routes that anybody may ask for look at no principal, but for one that is not valid. */
const authorizes = (route: Route) => route.permission !== "none" || route.authenticated === true;

/** Requests that do no harm: what they are about is there, and what they send is refused. */
function harmless(route: Route, prefix: string, target: TargetName): [string, RequestInit] {
  const path = route.path
    .replace(":organization", target)
    .replace(":repository", target)
    .replace(":name", nameIn(route))
    .replace(":version", "1.0.0")
    .replace(":user", "nobody");
  const query = route.path === "/auth" ? "?domain=nothing" : "";
  if (route.method === "GET") return [`${prefix}${path}${query}`, {}];
  if (route.upload) {
    // Names the package, and is refused for its version.
    const body = packageTarball({ metadata: { version: "one" } });
    return [`${prefix}${path}`, { method: route.method, body: new Uint8Array(body) }];
  }
  const headers = { "content-type": "application/json" };
  if (route.path.startsWith("/oauth/")) {
    // A key that nobody has, so that it is refused for that; a device that nobody will let in.
    const sent = { client_id: MIX, grant_type: "client_credentials", client_secret: "" };
    return [path, { method: route.method, headers, body: JSON.stringify(sent) }];
  }
  const body = { level: "none", reason: "none", role: "none" };
  return [
    `${prefix}${path}`,
    // Somebody whom nobody knows.
    {
      method: route.method,
      headers,
      body: JSON.stringify(route.path.endsWith("/members") ? { ...body, name: "nobody" } : body),
    },
  ];
}

function nameIn({ path }: Route): string {
  if (path.startsWith("/users")) return "owner";
  if (path.includes("/keys")) return "no-such-key";
  return path.includes("/members") ? "nobody" : "example";
}

/** What would change something is only tried by who may not. */
const CHANGES = new Set([
  "DELETE /packages/:name/releases/:version",
  "DELETE /keys",
  "DELETE /orgs/:organization/keys",
  "DELETE /packages/:name/releases/:version/retire",
  "DELETE /packages/:name/releases/:version/docs",
]);

/** About something that is not there, even for who may. */
const NOT_THERE = new Set([
  "GET /keys/:name",
  "DELETE /keys/:name",
  "GET /orgs/:organization/keys/:name",
  "DELETE /orgs/:organization/keys/:name",
  "GET /orgs/:organization/members/:name",
  "POST /orgs/:organization/members/:name",
  "GET /packages/:name/releases/:version/docs",
  "GET /packages/:name/owners/:user",
  "PUT /packages/:name/owners/:user",
  "DELETE /packages/:name/owners/:user",
]);

/** Where a route can be asked for, and about what. */
function placesOf(route: Route): readonly (readonly [prefix: string, target: TargetName])[] {
  if (route.scoped) {
    const named = [
      ["/repos/local", "local"],
      ["/repos/acme", "acme"],
    ] as const;
    return [["", "local"], ...named];
  }
  return /:organization|:repository/.test(route.path)
    ? [
        ["", "local"],
        ["", "acme"],
      ]
    : [["", "local"]];
}

describe.each(ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const))(
  "%s",
  (name, route) => {
    it.each(PRINCIPALS)("%s", async (principal) => {
      for (const [prefix, target] of placesOf(route)) {
        const wanted = expected(route, principal, target);
        if (wanted === undefined && CHANGES.has(name)) continue;
        const [path, init] = harmless(route, prefix, target);
        const authorization = credentials.get(principal);
        const headers = { ...init.headers, ...(authorization === undefined ? {} : { authorization }) };
        const response = await registry.request(path, { ...init, headers });
        const text = await response.text();
        const body = response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : undefined;
        const told = { path, status: response.status, message: body?.message };
        if (wanted !== undefined) {
          expect(told).toMatchObject({ path, ...wanted });
          if (wanted.status === 401) expect(response.headers.get("www-authenticate")).toBe("Basic realm=hex");
        } else if (path.endsWith("/auth?domain=nothing")) {
          // Who is authenticated is asked about a domain that nobody has.
          expect(response.status).toBe(401);
        } else if (route.path === "/oauth/token") {
          // No credential is needed, and none helps.
          expect([response.status, body.error]).toEqual([400, "invalid_request"]);
        } else {
          const gone = NOT_THERE.has(name) || principal === "service" ? [404] : [];
          expect([200, 201, 204, 302, 422, ...gone], `${path}: ${response.status} ${text}`).toContain(
            response.status,
          );
        }
        if (target === "acme" && response.ok) {
          expect(response.headers.get("cache-control") ?? "private").toMatch(/^private/);
        }
        expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
        expect(response.headers.get("vary") ?? "accept-encoding").toContain("accept-encoding");
      }
    });
  },
);

it("an unknown path, and an unknown method, is 404", async () => {
  for (const [path, method] of [
    ["/nothing", "GET"],
    ["/packages", "PATCH"],
    ["/packages/example", "OPTIONS"],
    ["/repos/unknown/packages/example", "GET"],
  ] as const) {
    const response = await registry.request(path, { method });
    expect([path, response.status]).toEqual([path, 404]);
    expect(await response.json()).toEqual({ status: 404, message: "Page not found" });
  }
});
