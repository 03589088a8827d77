/** Section 15: what the reference does by accident, and what is done here instead; appendix E: where its description errs. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apiClient, basic, type Client } from "../support/api-client.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { MIX } from "./oauth/oauth.ts";

let registry: TestRegistry;
let call: Client;
let ann: string;
beforeAll(async () => {
  registry = await startRegistry({ generator: false, settings: { publishWaitMilliseconds: 0 } });
  call = apiClient(registry);
  ann = await registry.key("ann");
  await registry.organization("acme", { ann: "admin", wanda: "write", rita: "read" });
  expect((await call("POST", "/publish", { as: ann, body: packageTarball() })).status).toBe(201);
});
afterAll(() => registry.stop());

describe("section 15", () => {
  it("15.1: seats are set by who may write, and by nobody else", async () => {
    const statuses = [];
    for (const name of ["rita", "wanda"]) {
      const sent = { as: await registry.key(name), body: { seats: 9 } };
      statuses.push((await call("POST", "/orgs/acme", sent)).status);
    }
    expect(statuses).toEqual([404, 200]);
  });

  it("15.3: authing_key is about keys alone", async () => {
    const shown = async (as: string) =>
      (await call("GET", "/keys", { as })).body.map((key: { authing_key: boolean }) => key.authing_key);
    expect((await shown(ann)).filter(Boolean)).toHaveLength(1);
    expect((await shown(basic("ann"))).filter(Boolean)).toEqual([]);
  });

  it("15.4: an organization's token publishes as its key does", async () => {
    const exchange = {
      grant_type: "client_credentials",
      client_id: MIX,
      client_secret: await registry.organizationKey("acme"),
      scope: "api:write",
    };
    const { access_token } = (await call("POST", "/oauth/token", { body: exchange })).body;
    for (const path of ["/publish", "/repos/acme/publish"]) {
      const body = packageTarball({ metadata: { name: "by_token" } });
      const published = await call("POST", path, { as: `Bearer ${access_token}`, body });
      expect(published).toMatchObject({ status: 201, body: { publisher: { username: "acme" } } });
    }
    const owners = await call("GET", "/packages/by_token/owners");
    expect(owners.body).toMatchObject([{ username: "acme", level: "full" }]);
  });

  it("15.5: /auth about a package is 401 or 403, and never an error of ours", async () => {
    const scoped = await registry.key("ann", [{ domain: "package", resource: "local/example" }]);
    const answers = [];
    for (const as of [scoped, ann]) {
      for (const query of ["domain=package", "domain=package&resource=local/example", "domain=nothing"]) {
        answers.push((await call("GET", `/auth?${query}`, { as })).status);
      }
    }
    expect(answers.filter((status) => status !== 401 && status !== 403)).toEqual([]);
  });

  it("15.8: a client_id that is no UUID is an unknown client", async () => {
    const body = { client_id: "no UUID", grant_type: "refresh_token", refresh_token: "x" };
    expect(await call("POST", "/oauth/token", { body })).toMatchObject({
      status: 401,
      body: { error: "invalid_client" },
    });
  });

  it("15.9: IPv6 peers are like others", async () => {
    const proxied = await startRegistry({ generator: false, settings: { trustedProxies: 1 } });
    const headers = { "x-forwarded-for": "2001:db8::1" };
    expect((await apiClient(proxied)("GET", "/packages", { headers })).status).toBe(200);
    await proxied.stop();
  });

  it("15.11: a permission without a domain", async () => {
    for (const permission of [{ resource: "read" }, { domain: "", resource: "x" }, {}]) {
      const body = { name: "k", permissions: [permission] };
      expect((await call("POST", "/keys", { as: ann, body })).body.errors).toEqual({
        permissions: { domain: "can't be blank" },
      });
    }
  });

  it("15.12: a newline ends no name", async () => {
    for (const name of ["example\n", "exam\nple"]) {
      const body = packageTarball({ metadata: { name } });
      expect((await call("POST", "/publish", { as: ann, body })).body.errors).toEqual({
        name: "has invalid format",
      });
    }
    expect((await call("GET", "/packages/example%0A")).status).toBe(404);
  });

  it("15.14: a plus in an address stays one", async () => {
    const account = { username: "plus", password: "long enough", email: "plus+hex@example.com" };
    expect((await call("POST", "/users", { body: account })).status).toBe(201);
    for (const name of ["plus+hex@example.com", "plus%2Bhex%40example.com", "Plus+Hex@Example.com"]) {
      expect((await call("GET", `/users/${name}`)).body.username).toBe("plus");
      const owner = `/packages/example/owners/${name}`;
      expect((await call("PUT", owner, { as: ann, body: { level: "maintainer" } })).status).toBe(204);
      expect((await call("GET", owner)).body).toMatchObject({ username: "plus", level: "maintainer" });
      expect((await call("DELETE", owner, { as: ann })).status).toBe(204);
    }
    expect(
      (
        await call("POST", "/orgs/acme/members", {
          as: ann,
          body: { name: "plus+hex@example.com", role: "read" },
        })
      ).status,
    ).toBe(200);
    expect((await call("DELETE", "/orgs/acme/members/plus+hex@example.com", { as: ann })).status).toBe(204);
  });

  it("15.15: names of keys made at once are different, and so are seats taken at once", async () => {
    const body = { name: "same" };
    const made = await Promise.all([1, 2, 3].map(() => call("POST", "/orgs/acme/keys", { as: ann, body })));
    expect(made.map((answer) => answer.body.name).sort()).toEqual(["same", "same-2", "same-3"]);
  });
});

describe("7.9: names of keys", () => {
  it("count on from the largest suffix, and a revoked one's name is free again", async () => {
    const make = async (name: string) =>
      (await call("POST", "/keys", { as: basic("wanda"), body: { name } })).body.name;
    const remove = (name: string) => call("DELETE", `/keys/${name}`, { as: basic("wanda") });
    expect([await make("ci"), await make("ci"), await make("ci")]).toEqual(["ci", "ci-2", "ci-3"]);
    await remove("ci-2");
    expect(await make("ci")).toBe("ci-4");
    for (const name of ["ci", "ci-3", "ci-4"]) await remove(name);
    expect(await make("ci")).toBe("ci");
  });
});

describe("7.11: owners, each refusal", () => {
  const put = (name: string, body: object, path = "/packages/example") =>
    call("PUT", `${path}/owners/${name}`, { as: ann, body });
  const refused = (errors: object) => ({ status: 422, message: "Validation error(s)", errors });

  it("of the public repository", async () => {
    expect((await put("acme", {})).body).toEqual(
      refused({ username: "organization ownership can only be transferred, removing all existing owners" }),
    );
    for (const level of ["maintainer", "none"]) {
      expect((await put("acme", { transfer: true, level })).body).toEqual(
        refused({ level: 'ownership level is required to be "full" for organization ownership' }),
      );
    }
    const demoted = refused({ username: "cannot demote the last full owner of a package" });
    for (const level of ["maintainer", "none"]) expect((await put("ann", { level })).body).toEqual(demoted);
    expect((await put("rita", { level: "none" })).body).toEqual(refused({ level: "is invalid" }));
    expect((await put("nobody", { level: "none" })).status).toBe(404);
    const remove = async (name: string) =>
      (await call("DELETE", `/packages/example/owners/${name}`, { as: ann })).body;
    expect(await remove("rita")).toEqual(refused({ username: "user is not an owner of package" }));
    expect(await remove("ann")).toEqual(refused({ username: "cannot remove last owner of package" }));
    expect((await put("rita", { level: "maintainer" })).status).toBe(204);
    expect(await remove("ann")).toEqual(
      refused({ username: "cannot remove the last full owner of package" }),
    );
    // Without a level it stays as it was.
    expect((await put("rita", {})).status).toBe(204);
    expect((await call("GET", "/packages/example/owners/rita")).body.level).toBe("maintainer");
    expect((await call("DELETE", "/packages/example/owners/rita", { as: ann })).status).toBe(204);
  });

  it("of somebody who is called like an organization", async () => {
    await registry.user("namesake");
    // As it is where accounts were there first.
    await registry.database.sql`insert into organizations (name) values ('namesake')`;
    expect((await put("namesake", {})).body).toEqual(
      refused({
        username: `cannot add organization as owner until user account and organization is merged, please contact the operator of ${registry.url} to manually merge accounts`,
      }),
    );
  });

  it("of a private repository", async () => {
    expect((await call("POST", "/repos/acme/publish", { as: ann, body: packageTarball() })).status).toBe(201);
    await registry.user("outsider");
    const path = "/repos/acme/packages/example";
    for (const body of [{}, { level: "none" }, { transfer: true }]) {
      expect((await put("outsider", body, path)).body).toEqual(
        refused({
          username: "cannot add owner to private package when the user is not a member of the organization",
        }),
      );
    }
    // It may end up with no owner of its own.
    expect((await put("rita", {}, path)).status).toBe(204);
    expect((await call("DELETE", `${path}/owners/rita`, { as: ann })).status).toBe(204);
    expect((await call("GET", `${path}/owners`, { as: ann })).body).toEqual([]);
  });
});

describe("7.8: retirement, each refusal", () => {
  it.each([
    [{}, { reason: "can't be blank" }],
    [{ reason: "" }, { reason: "can't be blank" }],
    [{ reason: "old" }, { reason: "is invalid" }],
    [{ reason: 5 }, { reason: "is invalid" }],
    [{ reason: "other", message: "ab" }, { message: "should be at least 3 character(s)" }],
    [{ reason: "other", message: "a".repeat(141) }, { message: "should be at most 140 character(s)" }],
    [{ reason: "other", message: ["x"] }, { message: "expected type string" }],
    [
      { reason: "old", message: "ab" },
      { reason: "is invalid", message: "should be at least 3 character(s)" },
    ],
  ])("%j", async (body, retirement) => {
    for (const path of ["/packages/example/retire", "/packages/example/releases/1.0.0/retire"]) {
      expect((await call("POST", path, { as: ann, body })).body).toEqual({
        status: 422,
        message: "Validation error(s)",
        errors: { retirement },
      });
    }
  });

  it("a blank message is none, characters are counted and not bytes", async () => {
    for (const [message, shown] of [
      ["  ", null],
      ["🍐".repeat(140), "🍐".repeat(140)],
    ]) {
      const body = { reason: "renamed", message };
      expect((await call("POST", "/packages/example/releases/1.0.0/retire", { as: ann, body })).status).toBe(
        204,
      );
      const { body: release } = await call("GET", "/packages/example/releases/1.0.0");
      expect(release.retirement).toEqual({ reason: "renamed", message: shown });
    }
  });

  it("of all releases leaves those that are, unless it is to replace them", async () => {
    const retired = async () => (await call("GET", "/packages/example")).body.retirements["1.0.0"].reason;
    const all = (body: object) => call("POST", "/packages/example/retire", { as: ann, body });
    for (const [replace, reason] of [
      [false, "renamed"],
      ["yes", "renamed"],
      [1, "renamed"],
      [true, "security"],
    ]) {
      expect((await all({ reason: "security", replace })).status).toBe(204);
      expect(await retired()).toBe(reason);
    }
    expect((await all({ reason: "invalid", replace: "true" })).status).toBe(204);
    expect(await retired()).toBe("invalid");
    expect((await all({ reason: "none" })).status).toBe(422);
  });
});

describe("appendix E: the server, and not its description", () => {
  it("members are added and changed with 200 and a body", async () => {
    await registry.user("moe");
    const added = await call("POST", "/orgs/acme/members", { as: ann, body: { name: "moe", role: "read" } });
    expect(added).toMatchObject({ status: 200, body: { username: "moe", role: "read" } });
    const changed = await call("POST", "/orgs/acme/members/moe", { as: ann, body: { role: "write" } });
    expect(changed).toMatchObject({ status: 200, body: { username: "moe", role: "write" } });
  });

  it("there is no reset of a password", async () => {
    expect((await call("POST", "/users/ann/reset")).body).toEqual({ status: 404, message: "Page not found" });
  });

  it("downloads are null after a publish, and [] until they are counted", async () => {
    const body = packageTarball({ metadata: { version: "1.1.0" } });
    const published = await call("POST", "/publish", { as: ann, body });
    expect(published.body.downloads).toBeNull();
    expect((await call("GET", "/packages/example/releases/1.1.0")).body.downloads).toEqual([]);
  });

  it("Basic is allowed everywhere but at /auth", async () => {
    for (const path of ["/users/me", "/keys", "/packages/example", "/orgs/acme"]) {
      expect((await call("GET", path, { as: basic("ann") })).status).toBe(200);
    }
    expect((await call("GET", "/auth?domain=api", { as: basic("ann") })).body).toEqual({
      status: 401,
      message: "key not authorized for this action",
    });
  });

  it("docs are below a host of their own", async () => {
    const { gzipSync } = await import("node:zlib");
    const path = "/packages/example/releases/1.1.0";
    await call("POST", `${path}/docs`, { as: ann, body: gzipSync(Buffer.alloc(1_024)) });
    expect((await call("GET", path)).body.docs_html_url).toBe("http://example.docs.example/1.1.0/");
    expect((await call("GET", "/packages/example")).body.docs_html_url).toBe("http://example.docs.example/");
  });
});
