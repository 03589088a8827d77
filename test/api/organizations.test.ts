/** Organizations, members, their keys and `GET /auth`, as sections 7.3 to 7.5, 7.9, 7.12 and 15 of the contract say. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KeyPermission } from "../../store/queries/keys.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

let registry: TestRegistry;
let leading: string;
let reading: string;
let writing: string;
let stranger: string;
let organization: string;
beforeAll(async () => {
  registry = await startRegistry({ generator: false, settings: { publishWaitMilliseconds: 0 } });
  await registry.organization("acme", { leading: "admin", writing: "write", reading: "read" });
  await registry.organization("other", { elsewhere: "admin" });
  leading = await registry.key("leading");
  reading = await registry.key("reading");
  writing = await registry.key("writing");
  stranger = await registry.key("stranger");
  organization = await registry.organizationKey("acme");
});
afterAll(() => registry.stop());

interface Told {
  readonly status: number;
  readonly body: never;
  readonly headers: Headers;
}

async function ask(key: string | undefined, method: string, path: string, body?: object): Promise<Told> {
  const response = await registry.request(path, {
    method,
    headers: {
      ...(key === undefined ? {} : { authorization: key }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: (text === "" ? undefined : JSON.parse(text)) as never,
    headers: response.headers,
  };
}

const errors = (value: unknown) => ({
  status: 422,
  body: { status: 422, message: "Validation error(s)", errors: value },
});

describe("7.3: organizations", () => {
  const acme = {
    name: "acme",
    billing_active: true,
    inserted_at: expect.stringMatching(/\.\d{6}Z$/),
    updated_at: expect.stringMatching(/\.\d{6}Z$/),
  };

  it("are listed for their members and themselves, by name", async () => {
    await registry.organization("aaa", { leading: "read" });
    expect((await ask(leading, "GET", "/orgs")).body).toEqual([{ ...acme, name: "aaa" }, acme]);
    expect((await ask(organization, "GET", "/orgs")).body).toEqual([acme]);
    expect((await ask(stranger, "GET", "/orgs")).body).toEqual([]);
    expect(await ask(undefined, "GET", "/orgs")).toMatchObject({ status: 200, body: [] });
  });

  it("are shown with their seats, and to no others; case counts", async () => {
    for (const key of [leading, reading, organization]) {
      expect(await ask(key, "GET", "/orgs/acme")).toMatchObject({
        status: 200,
        body: { ...acme, seats: null },
      });
    }
    for (const path of ["/orgs/acme", "/orgs/nobody", "/orgs/ACME"]) {
      const key = path === "/orgs/ACME" ? leading : stranger;
      expect(await ask(key, "GET", path)).toMatchObject({ status: 404, body: { message: "Page not found" } });
    }
  });

  it("the public repository's is there for all to read, and for nobody to change", async () => {
    const body = { name: "local", billing_active: true, seats: null };
    expect(await ask(undefined, "GET", "/orgs/local")).toMatchObject({ status: 200, body });
    expect(await ask(stranger, "GET", "/orgs/local/members")).toMatchObject({ status: 200, body: [] });
    for (const path of ["/orgs/local", "/orgs/local/members", "/orgs/local/members/leading"]) {
      expect(await ask(leading, "POST", path, { seats: 3, name: "reading", role: "read" })).toMatchObject({
        status: 403,
        body: { message: "account not authorized for this action" },
      });
    }
  });

  it.each([["5"], [5], [3]])("15.1: seats %o are set by who may write", async (seats) => {
    await registry.database.sql`update organizations set seats = null`;
    expect(await ask(reading, "POST", "/orgs/acme", { seats })).toMatchObject({ status: 404 });
    expect(await ask(writing, "POST", "/orgs/acme", { seats })).toMatchObject({
      status: 200,
      body: { ...acme, seats: Number(seats) },
    });
    await registry.database.sql`update organizations set seats = null`;
  });

  it.each([[2], [-1], ["many"], [2.5], [undefined]])("seats %o: 422", async (seats) => {
    expect(await ask(leading, "POST", "/orgs/acme", { seats })).toMatchObject(
      errors("number of seats cannot be less than number of members"),
    );
  });
});

describe("7.4: members", () => {
  it("are listed by username, and shown", async () => {
    expect((await ask(reading, "GET", "/orgs/acme/members")).body).toEqual(
      [
        ["leading", "admin"],
        ["reading", "read"],
        ["writing", "write"],
      ].map(([username, role]) => ({
        username,
        role,
        email: `${username}@example.com`,
        url: `${registry.url}/api/users/${username}`,
      })),
    );
    for (const name of ["leading", "LEADING", "leading@example.com"]) {
      expect(await ask(reading, "GET", `/orgs/acme/members/${name}`)).toMatchObject({
        status: 200,
        body: { username: "leading", role: "admin", handles: {}, full_name: null },
      });
    }
    for (const name of ["stranger", "nobody"]) {
      expect(await ask(reading, "GET", `/orgs/acme/members/${name}`)).toMatchObject({ status: 404 });
    }
  });

  it.each([
    [{ name: "nobody", role: "read" }, { name: "unknown user" }],
    [{ name: "other", role: "read" }, "cannot add an organization as member to an organization"],
    [{ name: "reading", role: "read" }, { user_id: "is already member" }],
    [{ name: "stranger" }, { role: "can't be blank" }],
    [{ name: "stranger", role: " " }, { role: "can't be blank" }],
    [{ name: "stranger", role: "owner" }, { role: "is invalid" }],
  ])("adding %j: 422", async (body, expected) => {
    expect(await ask(leading, "POST", "/orgs/acme/members", body)).toMatchObject(errors(expected));
  });

  it("without a name: 400", async () => {
    expect(await ask(leading, "POST", "/orgs/acme/members", { role: "read" })).toMatchObject({ status: 400 });
  });

  it("come, change and go with what they own, and each of it is in the organization's log", async () => {
    await registry.organization("fresh", { leading: "admin" });
    await registry.user("newcomer");
    const newcomer = await registry.key("newcomer");
    expect(await ask(newcomer, "GET", "/orgs/fresh")).toMatchObject({ status: 404 });
    const added = await ask(leading, "POST", "/orgs/fresh/members", {
      name: "newcomer@example.com",
      role: "read",
    });
    expect(added).toMatchObject({ status: 200, body: { username: "newcomer", role: "read" } });
    expect(added.headers.get("location")).toBe("/api/orgs/fresh/members/newcomer");
    expect(await ask(newcomer, "GET", "/orgs/fresh")).toMatchObject({ status: 200 });
    expect((await ask(newcomer, "GET", "/users/me")).body).toMatchObject({
      organizations: [{ name: "fresh", role: "read" }],
    });

    const changed = await ask(leading, "POST", "/orgs/fresh/members/newcomer", { role: "admin" });
    expect(changed).toMatchObject({ status: 200, body: { username: "newcomer", role: "admin" } });
    // Two admins: one of them may be less from now on.
    expect(await ask(newcomer, "POST", "/orgs/fresh/members/newcomer", { role: "write" })).toMatchObject({
      status: 200,
      body: { role: "write" },
    });

    await registry.database.sql`
      insert into packages (repository_id, name, meta)
      select id, 'thing', '{}' from repositories where name = 'fresh'`;
    await registry.own("newcomer", "thing", "full");
    expect(await ask(leading, "DELETE", "/orgs/fresh/members/newcomer")).toMatchObject({ status: 204 });
    expect(await registry.database.sql`select from package_owners`).toHaveLength(0);
    expect(await ask(newcomer, "GET", "/orgs/fresh")).toMatchObject({ status: 404 });
    for (const name of ["newcomer", "nobody"]) {
      expect(await ask(leading, "DELETE", `/orgs/fresh/members/${name}`)).toMatchObject({ status: 204 });
    }

    const user = { id: expect.any(Number), username: "newcomer", handles: {} };
    const about = { organization: { id: expect.any(Number), name: "fresh", billing_active: true }, user };
    const log = [
      { action: "organization.member.remove", user_agent: "test", params: about },
      { action: "organization.member.role", user_agent: "test", params: { ...about, role: "write" } },
      { action: "organization.member.role", user_agent: "test", params: { ...about, role: "admin" } },
      { action: "organization.member.add", user_agent: "test", params: { ...about, role: "read" } },
    ];
    expect((await ask(leading, "GET", "/orgs/fresh/audit-logs")).body).toEqual(log);
    expect((await ask(leading, "GET", "/orgs/fresh/audit-logs?page=2")).body).toEqual([]);
  });

  it("the only admin stays one, the only member stays", async () => {
    for (const role of ["read", "admin", "none"]) {
      expect(await ask(leading, "POST", "/orgs/acme/members/leading", { role })).toMatchObject(
        errors("cannot demote last admin member"),
      );
    }
    expect(await ask(leading, "POST", "/orgs/acme/members/reading", { role: "none" })).toMatchObject(
      errors({ role: "is invalid" }),
    );
    expect(await ask(leading, "POST", "/orgs/acme/members/stranger", { role: "read" })).toMatchObject(
      errors("unknown_user"),
    );
    expect(await ask(leading, "POST", "/orgs/acme/members/nobody", { role: "read" })).toMatchObject({
      status: 404,
    });
    const elsewhere = await registry.key("elsewhere");
    expect(await ask(elsewhere, "DELETE", "/orgs/other/members/elsewhere")).toMatchObject(
      errors("cannot remove last member"),
    );
  });

  it("15.15: of two at once one gets the last seat", async () => {
    await registry.organization("small", { leading: "admin" });
    await registry.database.sql`update organizations set seats = 2 where name = 'small'`;
    await Promise.all(["first", "second"].map((name) => registry.user(name)));
    const answers = await Promise.all(
      ["first", "second"].map((name) => ask(leading, "POST", "/orgs/small/members", { name, role: "read" })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 422]);
    expect(answers.find(({ status }) => status === 422)).toMatchObject(
      errors("not enough seats to add member"),
    );
  });

  it("15.13: an organization is not taken for the user with its id", async () => {
    const { sql } = registry.database;
    await sql`select setval(pg_get_serial_sequence('users', 'id'), 100000)`;
    await registry.user("twin-member");
    await ask(leading, "POST", "/orgs/acme/members", { name: "twin-member", role: "admin" });
    await sql`
      insert into organizations (id, name) overriding system value
      select id, 'twin' from users where username = 'twin-member'`;
    expect(await ask(await registry.key("twin-member"), "GET", "/orgs/acme")).toMatchObject({ status: 200 });
    expect(await ask(await registry.organizationKey("twin"), "GET", "/orgs/acme")).toMatchObject({
      status: 404,
    });
    await ask(leading, "DELETE", "/orgs/acme/members/twin-member");
  });
});

describe("7.5: repositories", () => {
  it("the public one first, then the caller's by name", async () => {
    const open = { name: "local", inserted_at: null, updated_at: null };
    const anonymous = await ask(undefined, "GET", "/repos");
    expect(anonymous.body).toEqual([open]);
    expect(anonymous.headers.get("cache-control")).toBe("public, max-age=60");
    expect(anonymous.headers.get("etag")).toMatch(/^[0-9a-f]{32}$/);
    expect(anonymous.headers.get("last-modified")).toBeNull();
    const own = await ask(reading, "GET", "/repos");
    expect(own.body).toEqual([
      open,
      { name: "acme", inserted_at: expect.any(String), updated_at: expect.any(String) },
    ]);
    expect(own.headers.get("cache-control")).toBe("private, max-age=60");
    expect((await ask(organization, "GET", "/repos")).body).toEqual([
      open,
      expect.objectContaining({ name: "acme" }),
    ]);
  });

  it("one, to who may read it", async () => {
    const open = await ask(undefined, "GET", "/repos/local");
    expect(open).toMatchObject({ status: 200, body: { name: "local", inserted_at: expect.any(String) } });
    expect(open.headers.get("cache-control")).toBe("public, max-age=60");
    const own = await ask(reading, "GET", "/repos/acme");
    expect(own).toMatchObject({ status: 200, body: { name: "acme" } });
    expect(own.headers.get("cache-control")).toBe("private, max-age=60");
    expect(own.headers.get("last-modified")).not.toBeNull();
    for (const path of ["/repos/acme", "/repos/nobody"]) {
      expect(await ask(undefined, "GET", path)).toMatchObject({ status: 404 });
      expect(await ask(stranger, "GET", path)).toMatchObject({ status: 404 });
    }
  });
});

describe("7.9: keys of organizations", () => {
  const keys = "/orgs/acme/keys";

  it("are made by writing members and by the organization, and are nobody else's", async () => {
    const permissions = [{ domain: "repository", resource: "acme" }];
    const made = await ask(writing, "POST", keys, { name: "ci", permissions });
    expect(made).toMatchObject({
      status: 201,
      body: {
        name: "ci",
        authing_key: false,
        secret: expect.stringMatching(/^[0-9a-f]{32}$/),
        permissions,
        url: `${registry.url}/api/keys/ci`,
      },
    });
    expect(made.headers.get("location")).toBe("/api/keys/ci");
    expect((await ask(organization, "POST", keys, { name: "ci" })).body).toMatchObject({ name: "ci-2" });
    const names = async (key: string, path: string) =>
      ((await ask(key, "GET", path)).body as readonly { name: string }[]).map(({ name }) => name);
    expect(await names(reading, keys)).toEqual(expect.arrayContaining(["ci", "ci-2"]));
    expect(await names(writing, "/keys")).not.toContain("ci");
    expect(await ask(reading, "GET", `${keys}/ci`)).toMatchObject({ status: 200, body: { secret: null } });
    expect(await ask(writing, "GET", "/keys/ci")).toMatchObject({ status: 404 });
    expect(await ask(organization, "GET", "/keys")).toMatchObject({ status: 404 });
    expect(await ask(reading, "POST", keys, { name: "mine" })).toMatchObject({ status: 404 });
    expect(await ask(undefined, "GET", "/orgs/nobody/keys")).toMatchObject({ status: 404 });
    expect(await ask(undefined, "GET", keys)).toMatchObject({ status: 401 });

    expect(await ask(writing, "DELETE", `${keys}/ci`)).toMatchObject({
      status: 200,
      body: { name: "ci", revoke_at: expect.any(String) },
    });
    expect(await ask(writing, "DELETE", `${keys}/ci`)).toMatchObject({ status: 404 });
    const { secret } = made.body as { secret: string };
    expect(await ask(secret, "GET", "/auth?domain=repositories")).toMatchObject({
      status: 401,
      body: { message: "API key revoked" },
    });
    const [entry] = await registry.database.sql`
      select action, params->'organization'->>'name' as name, params->'user' as "user" from audit_logs
      where action = 'key.remove' order by id desc limit 1`;
    expect(entry).toEqual({ action: "key.remove", name: "acme", user: null });
  });

  it("are all revoked at once, and what the caller used is told", async () => {
    await registry.organization("gone", { leading: "admin" });
    const [first, second] = await Promise.all([
      registry.organizationKey("gone"),
      registry.organizationKey("gone"),
    ]);
    expect(await ask(first, "DELETE", "/orgs/gone/keys")).toMatchObject({
      status: 200,
      body: { authing_key: true, revoke_at: expect.any(String) },
    });
    for (const key of [first, second])
      expect(await ask(key, "GET", "/orgs/gone")).toMatchObject({ status: 401 });
    // With a key of their own, which goes on.
    expect(await ask(leading, "DELETE", "/orgs/gone/keys")).toMatchObject({
      status: 200,
      body: { authing_key: true, revoke_at: null },
    });
    const basic = `Basic ${Buffer.from("leading:password").toString("base64")}`;
    expect(await ask(basic, "DELETE", "/orgs/gone/keys")).toMatchObject({ status: 200, body: null });
  });

  it("3.2: a key of the organization's account is none", async () => {
    expect(await ask(await registry.key("acme"), "GET", "/orgs/acme")).toMatchObject({
      status: 401,
      body: { message: "invalid API key" },
    });
  });

  it.each<[who: string, path: string, permission: KeyPermission, refused: string | undefined]>([
    ["reading", "/keys", { domain: "repository", resource: "acme" }, undefined],
    ["reading", "/keys", { domain: "docs", resource: "acme" }, undefined],
    ["reading", "/keys", { domain: "repository", resource: "other" }, "repository"],
    ["reading", "/keys", { domain: "repository", resource: "nobody" }, "repository"],
    ["stranger", "/keys", { domain: "docs", resource: "acme" }, "repository"],
    ["writing", "/orgs/acme/keys", { domain: "repository", resource: "acme" }, undefined],
    ["writing", "/orgs/acme/keys", { domain: "repository", resource: "other" }, "repository"],
    ["writing", "/keys", { domain: "package", resource: "acme/thing" }, undefined],
    ["reading", "/keys", { domain: "package", resource: "acme/thing" }, "package"],
    ["reading", "/keys", { domain: "package", resource: "acme/none" }, "package"],
    ["writing", "/orgs/acme/keys", { domain: "package", resource: "acme/thing" }, undefined],
    ["writing", "/orgs/acme/keys", { domain: "package", resource: "thing" }, "package"],
    ["writing", "/orgs/acme/keys", { domain: "package", resource: "local/thing" }, "package"],
  ])("%s at %s for %j", async (who, path, permission, refused) => {
    const { sql } = registry.database;
    await sql`
      insert into packages (repository_id, name, meta)
      select id, 'thing', '{}' from repositories where name in ('acme', 'local') on conflict do nothing`;
    const made = await ask(await registry.key(who), "POST", path, { name: "k", permissions: [permission] });
    if (refused === undefined)
      expect(made).toMatchObject({ status: 201, body: { permissions: [permission] } });
    else {
      const resource = `you do not have access to this ${refused}`;
      expect(made).toMatchObject(errors({ permissions: { resource } }));
    }
  });
});

describe("7.12: GET /auth", () => {
  const repository = (name: string): KeyPermission => ({ domain: "repository", resource: name });
  const everywhere: KeyPermission = { domain: "repositories", resource: null };
  const docs: KeyPermission = { domain: "docs", resource: "acme" };
  const unpermitted = { status: 401, body: { message: "key not authorized for this action" } };
  const foreign = { status: 403, body: { message: "account not authorized for this action" } };

  it.each<
    [who: string, permission: KeyPermission, query: string, expected: object | "user" | "organization"]
  >([
    ["reading", repository("acme"), "domain=repository&resource=acme", "user"],
    ["reading", everywhere, "domain=repository&resource=acme", "user"],
    ["reading", docs, "domain=docs&resource=acme", "user"],
    ["reading", docs, "domain=repository&resource=acme", unpermitted],
    ["reading", repository("acme"), "domain=repository&resource=other", unpermitted],
    ["reading", repository("acme"), "domain=repository", unpermitted],
    ["reading", repository("acme"), "domain=repositories", unpermitted],
    ["reading", { domain: "api", resource: null }, "domain=repository&resource=acme", unpermitted],
    ["reading", everywhere, "domain=repositories", "user"],
    ["reading", everywhere, "domain=repositories&resource=", unpermitted],
    ["reading", everywhere, "domain=repository&resource=other", foreign],
    ["reading", everywhere, "domain=repository&resource=nobody", foreign],
    ["stranger", repository("acme"), "domain=repository&resource=acme", foreign],
    ["stranger", everywhere, "domain=repository&resource=local", "user"],
    ["acme", repository("acme"), "domain=repository&resource=acme", "organization"],
    ["acme", everywhere, "domain=repository&resource=other", foreign],
    ["acme", { domain: "api", resource: null }, "domain=api&resource=write", "organization"],
    ["reading", { domain: "package", resource: null }, "domain=package&resource=acme/thing", foreign],
  ])("%s with %j asks %s", async (who, permission, query, expected) => {
    const key =
      who === "acme"
        ? await registry.organizationKey(who, [permission])
        : await registry.key(who, [permission]);
    const answer = await ask(key, "GET", `/auth?${query}`);
    if (typeof expected === "string") {
      const owner = { type: expected, name: who };
      expect(answer).toMatchObject({ status: 200, body: { key: { name: expect.any(String), owner } } });
    } else expect(answer).toMatchObject(expected);
  });

  it("an organization that does not pay: 403", async () => {
    const key = await registry.organizationKey("other", [repository("other")]);
    const auth = "/auth?domain=repository&resource=other";
    expect(await ask(key, "GET", auth)).toMatchObject({ status: 200 });
    await registry.database.sql`update organizations set billing_active = false where name = 'other'`;
    expect(await ask(key, "GET", auth)).toMatchObject({
      status: 403,
      body: { message: "organization has no active billing subscription" },
    });
    await registry.database.sql`update organizations set billing_active = true where name = 'other'`;
  });
});
