/** Section 5: the table of who may maintain and who owns, row by row; and section 4 for who publishes what is new. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apiClient, type Client } from "../support/api-client.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

let registry: TestRegistry;
let call: Client;
const keys = new Map<string, string>();

/** In acme. */
const MEMBERS = { reader: "read", writer: "write", leader: "admin", "reading-owner": "read" } as const;
const USERS = ["owner", "maintainer", "stranger", "former-owner", ...Object.keys(MEMBERS)];

beforeAll(async () => {
  registry = await startRegistry({ generator: false, settings: { publishWaitMilliseconds: 0 } });
  call = apiClient(registry);
  await registry.organization("acme", MEMBERS);
  await registry.organization("other", { elsewhere: "admin" });
  for (const name of [...USERS, "elsewhere"]) keys.set(name, await registry.key(name));
  keys.set("acme", await registry.organizationKey("acme"));
  keys.set("other", await registry.organizationKey("other"));
  const body = (name: string) => packageTarball({ metadata: { name } });
  const publish = async (as: string, path: string, name: string) =>
    expect((await call("POST", path, { as: keys.get(as), body: body(name) })).status).toBe(201);
  await publish("owner", "/publish", "public_pear");
  await publish("owner", "/publish", "acmes_pear");
  await publish("leader", "/repos/acme/publish", "private_pear");
  await registry.own("maintainer", "public_pear", "maintainer");
  const transfer = { as: keys.get("owner"), body: { transfer: true } };
  expect((await call("PUT", "/packages/acmes_pear/owners/acme", transfer)).status).toBe(204);
  await registry.own("reading-owner", "private_pear", "maintainer");
  await registry.own("former-owner", "private_pear", "full");
});
afterAll(() => registry.stop());

const PUBLIC = "/packages/public_pear";
const ACMES = "/packages/acmes_pear";
const PRIVATE = "/repos/acme/packages/private_pear";

/** Status of what a maintainer may, and of what a full owner may. */
const EXISTING: readonly [path: string, who: string | undefined, maintains: number, owns: number][] = [
  [PUBLIC, "owner", 204, 422],
  [PUBLIC, "maintainer", 204, 403],
  [PUBLIC, "stranger", 403, 403],
  [PUBLIC, "leader", 403, 403],
  [PUBLIC, "acme", 403, 403],
  [PUBLIC, undefined, 403, 403],
  // Owned by an organization: its members by their role.
  [ACMES, "reader", 403, 403],
  [ACMES, "writer", 204, 403],
  [ACMES, "leader", 204, 422],
  [ACMES, "acme", 204, 422],
  [ACMES, "owner", 403, 403],
  [ACMES, "elsewhere", 403, 403],
  [ACMES, "other", 403, 403],
  [ACMES, undefined, 403, 403],
  [PRIVATE, "reader", 404, 404],
  [PRIVATE, "reading-owner", 204, 404],
  [PRIVATE, "writer", 204, 404],
  [PRIVATE, "leader", 204, 422],
  [PRIVATE, "acme", 204, 422],
  // By name, who is no member owns nothing.
  [PRIVATE, "former-owner", 404, 404],
  [PRIVATE, "stranger", 404, 404],
  [PRIVATE, "elsewhere", 404, 404],
  [PRIVATE, "other", 404, 404],
  [PRIVATE, undefined, 404, 404],
];

describe("5: a package that is there", () => {
  it.each(EXISTING)("%s, %s: %i and %i", async (path, who, maintains, owns) => {
    const as = who === undefined ? undefined : keys.get(who);
    const retired = await call("DELETE", `${path}/releases/1.0.0/retire`, { as });
    // Refused for whom it is about, and only to who may.
    const owner = path === PRIVATE ? "stranger" : "acme";
    const changed = await call("PUT", `${path}/owners/${owner}`, { as, body: {} });
    expect([retired.status, changed.status]).toEqual([maintains, owns]);
  });
});

/** Status of a publish of a name that nobody has: refused for its version to who may. */
const MISSING: readonly [path: string, who: string | undefined, status: number][] = [
  ["", "stranger", 422],
  ["", "acme", 422],
  ["", undefined, 401],
  ["/repos/acme", "reader", 403],
  ["/repos/acme", "writer", 422],
  ["/repos/acme", "leader", 422],
  ["/repos/acme", "acme", 422],
  ["/repos/acme", "stranger", 404],
  ["/repos/acme", "other", 404],
  ["/repos/acme", undefined, 401],
  ["/repos/nowhere", "leader", 404],
  ["/repos/nowhere", "acme", 404],
  ["/repos/nowhere", undefined, 401],
];

describe("5: a package that is not there", () => {
  it.each(MISSING)("%s, %s: %i", async (prefix, who, status) => {
    const as = who === undefined ? undefined : keys.get(who);
    const body = packageTarball({ metadata: { name: "new_pear", version: "one" } });
    const answers = [
      await call("POST", `${prefix}/publish`, { as, body }),
      await call("POST", `${prefix}/packages/new_pear/releases`, { as, body }),
    ];
    expect(answers.map((answer) => answer.status)).toEqual([status, status]);
  });
});

describe("4: a key of packages", () => {
  const body = packageTarball({ metadata: { name: "new_pear", version: "one" } });
  const publish = async (resource: string | null) => {
    const as = await registry.key("owner", [{ domain: "package", resource }]);
    return (await call("POST", "/publish", { as, body })).body;
  };

  it("of all of them publishes new ones; of one it publishes none but that", async () => {
    expect(await publish(null)).toMatchObject({ status: 422, errors: { version: "is invalid SemVer" } });
    for (const resource of ["local/public_pear", "local/new_pear"]) {
      expect(await publish(resource)).toEqual({ status: 401, message: "key not authorized for this action" });
    }
  });

  it("is stored with its repository, and not made for a package of others", async () => {
    const make = async (who: string, resource: string, path = "/keys") => {
      const sent = { name: "k", permissions: [{ domain: "package", resource }] };
      const { body: made } = await call("POST", path, { as: keys.get(who), body: sent });
      return made.permissions?.[0].resource ?? made.errors;
    };
    const refused = { permissions: { resource: "you do not have access to this package" } };
    expect(await make("owner", "public_pear")).toBe("local/public_pear");
    expect(await make("maintainer", "local/public_pear")).toBe("local/public_pear");
    expect(await make("writer", "acmes_pear")).toBe("local/acmes_pear");
    expect(await make("reading-owner", "acme/private_pear")).toBe("acme/private_pear");
    expect(await make("acme", "acme/private_pear", "/orgs/acme/keys")).toBe("acme/private_pear");
    expect(await make("reader", "acme/private_pear")).toEqual(refused);
    expect(await make("stranger", "public_pear")).toEqual(refused);
    expect(await make("stranger", "nothing")).toEqual(refused);
    expect(await make("owner", "nowhere/public_pear")).toEqual(refused);
    // What it owns elsewhere is not in its own repository.
    expect(await make("acme", "local/acmes_pear", "/orgs/acme/keys")).toEqual(refused);
  });

  it.each([
    ["repository", "acme", "reader", true],
    ["docs", "acme", "reader", true],
    ["repository", "acme", "stranger", false],
    ["docs", "acme", "stranger", false],
    ["repository", "nowhere", "stranger", false],
    ["repository", "local", "stranger", true],
  ])("7.9: %s/%s for %s: %s", async (domain, resource, who, may) => {
    const body = { name: "k", permissions: [{ domain, resource }] };
    const made = await call("POST", "/keys", { as: keys.get(who), body });
    if (may) expect(made.body.permissions).toEqual([{ domain, resource }]);
    else {
      expect(made.body.errors).toEqual({
        permissions: { resource: "you do not have access to this repository" },
      });
    }
  });
});
