/** Walks the route table: every route times every kind of principal, against what its row says. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Route } from "../../api/route.ts";
import { ROUTES } from "../../api/routes.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

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
  credentials.set("full owner, Basic", basic("owner"));
  credentials.set("maintainer", await registry.key("maintainer"));
  credentials.set("stranger", await registry.key("stranger"));
  credentials.set("unverified", await registry.key("unverified", undefined, { verified: false }));
  credentials.set("deactivated", await registry.key("deactivated"));
  credentials.set("service", await registry.key("service"));
  await registry.database.sql`update users set deactivated_at = now() where username = 'deactivated'`;
  await registry.database.sql`update users set service = true where username = 'service'`;
  const published = await registry.request("/publish", {
    method: "POST",
    headers: { authorization: credentials.get("full owner") ?? "" },
    body: new Uint8Array(packageTarball()),
  });
  expect(published.status).toBe(201);
  await registry.own("maintainer", "example", "maintainer");
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
  "full owner, Basic",
  "maintainer",
  "stranger",
  "unverified",
  "deactivated",
  "service",
] as const;
type PrincipalName = (typeof PRINCIPALS)[number];

/** What the contract says, before anything is looked up or done: a status, or undefined for "may". */
function expected(route: Route, principal: PrincipalName): { status: number; message?: string } | undefined {
  switch (principal) {
    case "anonymous":
      if (route.authenticated) return { status: 401, message: "missing authentication information" };
      return needsOwner(route)
        ? { status: 403, message: "account not authorized for this action" }
        : undefined;
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
      return authorizes(route) && !route.unverified
        ? { status: 403, message: "email not verified" }
        : undefined;
    case "full owner":
    case "full owner, Basic":
      return undefined;
    case "full owner, read key":
      return route.permission === "write" || route.permission === "publish" ? NOT_PERMITTED : undefined;
    case "full owner, package key":
      return route.permission === "write" ? NOT_PERMITTED : undefined;
    case "full owner, other package's key":
      return route.permission === "write" || route.permission === "publish" ? NOT_PERMITTED : undefined;
    case "full owner, repositories key":
      return route.permission === "none" ? undefined : NOT_PERMITTED;
    case "maintainer":
      return route.rule === "full-owner"
        ? { status: 403, message: "account not authorized for this action" }
        : undefined;
    case "stranger":
      return needsOwner(route)
        ? { status: 403, message: "account not authorized for this action" }
        : undefined;
  }
}

const NOT_PERMITTED = { status: 401, message: "key not authorized for this action" };
const needsOwner = (route: Route) => route.rule === "maintainer" || route.rule === "full-owner";
/** Routes that anybody may ask for look at no principal, but for one that is not valid. */
const authorizes = (route: Route) => route.permission !== "none" || route.authenticated === true;

/** Requests that do no harm: what they are about is there, and what they send is refused. */
function harmless(route: Route, prefix: string): [string, RequestInit] {
  const path = route.path
    .replace(
      ":name",
      route.path.startsWith("/users") ? "owner" : route.path.startsWith("/keys") ? "no-such-key" : "example",
    )
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
  return [
    `${prefix}${path}`,
    { method: route.method, headers, body: JSON.stringify({ level: "none", reason: "none" }) },
  ];
}

/** What would change something is only tried by who may not. */
const CHANGES = new Set([
  "DELETE /packages/:name/releases/:version",
  "DELETE /keys",
  "DELETE /packages/:name/releases/:version/retire",
  "DELETE /packages/:name/releases/:version/docs",
]);

describe.each(ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const))(
  "%s",
  (name, route) => {
    it.each(PRINCIPALS)("%s", async (principal) => {
      const wanted = expected(route, principal);
      if (wanted === undefined && CHANGES.has(name)) return;
      for (const prefix of route.scoped ? ["", "/repos/local"] : [""]) {
        const [path, init] = harmless(route, prefix);
        const authorization = credentials.get(principal);
        const headers = { ...init.headers, ...(authorization === undefined ? {} : { authorization }) };
        const response = await registry.request(path, { ...init, headers });
        const text = await response.text();
        const body = response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : undefined;
        if (wanted !== undefined) {
          expect({ status: response.status, message: body?.message }).toMatchObject(wanted);
          if (wanted.status === 401) expect(response.headers.get("www-authenticate")).toBe("Basic realm=hex");
        } else if (path.endsWith("/auth?domain=nothing")) {
          // Who is authenticated is asked about a domain that nobody has.
          expect(response.status).toBe(401);
        } else {
          expect([200, 201, 204, 302, 404, 422], `${response.status} ${text}`).toContain(response.status);
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
