/** Private packages from publish to revert, as sections 5, 7.6 to 7.11 and 8 of the contract say. */
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodePackage } from "../../proto/registry.ts";
import { openSigned } from "../../proto/sign.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

let registry: TestRegistry;
const keys = new Map<string, string>();
let at = Date.now();
beforeAll(async () => {
  registry = await startRegistry({
    settings: { publishingRules: "hexpm" },
    clock: () => new Date(at),
  });
  await registry.organization("acme", { leading: "admin", writing: "write", reading: "read" });
  await registry.organization("other", { elsewhere: "admin" });
  for (const name of ["leading", "writing", "reading", "elsewhere", "stranger"]) {
    keys.set(name, await registry.key(name));
  }
  keys.set("acme", await registry.organizationKey("acme"));
  keys.set("other", await registry.organizationKey("other"));
});
afterAll(() => registry.stop());

async function ask(who: string | undefined, method: string, path: string, body?: object | Uint8Array) {
  const raw = body instanceof Uint8Array;
  const response = await registry.request(path, {
    method,
    headers: {
      ...(who === undefined ? {} : { authorization: keys.get(who) ?? "" }),
      ...(body === undefined || raw ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: raw ? new Uint8Array(body) : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: (text === "" ? undefined : JSON.parse(text)) as never,
    headers: response.headers,
  };
}

function tarball(metadata: object = {}): Buffer {
  // Neither description nor licences, which the public repository demands.
  return packageTarball({
    metadata: { name: "secret", description: "", licenses: ["ours alone"], ...metadata },
  });
}

const errors = (value: unknown) => ({ status: 422, body: { errors: value } });
const HIDDEN = { status: 404, body: { message: "Page not found" } };

describe("publishing", () => {
  it("8: to the organization's repository, by its own rules, owned by nobody in particular", async () => {
    for (const [who, expected] of [
      ["stranger", HIDDEN],
      ["elsewhere", HIDDEN],
      ["other", HIDDEN],
      // They may know of it: section 5, a package that is missing.
      ["reading", { status: 403, body: { message: "account not authorized for this action" } }],
    ] as const) {
      expect(await ask(who, "POST", "/repos/acme/publish", tarball())).toMatchObject(expected);
    }
    expect(await ask(undefined, "POST", "/repos/acme/publish", tarball())).toMatchObject({ status: 401 });
    expect(await ask("writing", "POST", "/repos/nobody/publish", tarball())).toMatchObject(HIDDEN);

    const published = await ask("writing", "POST", "/repos/acme/publish", tarball());
    expect(published).toMatchObject({
      status: 201,
      body: {
        version: "1.0.0",
        url: `${registry.url}/api/repos/acme/packages/secret/releases/1.0.0`,
        package_url: `${registry.url}/api/repos/acme/packages/secret`,
        html_url: `${registry.url}/packages/acme/secret/1.0.0`,
        configs: { "mix.exs": expect.stringContaining(', organization: "acme"}') },
        publisher: { username: "writing" },
      },
    });
    expect(published.headers.get("location")).toBe("/api/packages/secret/releases/1.0.0");
    expect((await ask("reading", "GET", "/repos/acme/packages/secret/owners")).body).toEqual([]);
  });

  it("3.2: with the organization's key, under its account", async () => {
    const release = "/repos/acme/packages/keyed/releases";
    const published = await ask("acme", "POST", release, tarball({ name: "keyed" }));
    expect(published).toMatchObject({ status: 201, body: { publisher: { username: "acme" } } });
    // In the public repository it is an owner like any other.
    const open = packageTarball({ metadata: { name: "opened", description: "d", licenses: ["MIT"] } });
    expect(await ask("acme", "POST", "/publish", open)).toMatchObject({ status: 201 });
    expect((await ask(undefined, "GET", "/packages/opened/owners")).body).toMatchObject([
      { username: "acme", level: "full" },
    ]);
    const log = (await ask("reading", "GET", "/orgs/acme/audit-logs")).body as { action: string }[];
    expect(log.map(({ action }) => action)).toEqual(["release.publish", "release.publish"]);
  });

  it("5: what an organization owns in public, its members change by their role", async () => {
    const retire = { reason: "other" };
    const path = "/packages/opened/releases/1.0.0/retire";
    expect(await ask("writing", "POST", path, retire)).toMatchObject({ status: 204 });
    expect(await ask("acme", "DELETE", path)).toMatchObject({ status: 204 });
    for (const who of ["reading", "elsewhere", "other", undefined]) {
      expect(await ask(who, "POST", path, retire)).toMatchObject({ status: 403 });
    }
    const owner = "/packages/opened/owners/leading";
    expect(await ask("writing", "PUT", owner)).toMatchObject({ status: 403 });
    expect(await ask("leading", "PUT", owner)).toMatchObject({ status: 204 });
    expect(await ask("leading", "DELETE", owner)).toMatchObject({ status: 204 });
  });

  it("8.4 and 7.7: replaced and reverted at any age", async () => {
    const path = "/repos/acme/packages/aged/releases";
    expect(await ask("writing", "POST", path, tarball({ name: "aged" }))).toMatchObject({ status: 201 });
    at += 90 * 86_400_000;
    expect(await ask("writing", "POST", `${path}?replace=false`, tarball({ name: "aged" }))).toMatchObject(
      errors({ inserted_at: "must include the --replace flag to update an existing release" }),
    );
    expect(await ask("writing", "POST", path, tarball({ name: "aged" }))).toMatchObject({ status: 200 });
    expect(await ask("writing", "DELETE", `${path}/1.0.0`)).toMatchObject({ status: 204 });
    expect(await ask("reading", "GET", "/repos/acme/packages/aged")).toMatchObject(HIDDEN);
  });

  it("2 and 5: not while the organization does not pay; retiring and reading go on", async () => {
    await registry.database.sql`update organizations set billing_active = false where name = 'acme'`;
    const unpaid = { status: 403, body: { message: "organization has no active billing subscription" } };
    const package_ = "/repos/acme/packages/secret";
    const requests = [
      ["POST", "/repos/acme/publish", tarball()],
      ["POST", `${package_}/releases`, tarball()],
      ["DELETE", `${package_}/releases/1.0.0`],
      ["GET", `${package_}/releases/1.0.0/docs`],
      ["POST", `${package_}/releases/1.0.0/docs`, gzipSync("")],
      ["DELETE", `${package_}/releases/1.0.0/docs`],
      ["PUT", `${package_}/owners/reading`],
      ["DELETE", `${package_}/owners/reading`],
    ] as const;
    for (const [method, path, body] of requests) {
      expect([path, await ask("leading", method, path, body)]).toMatchObject([path, unpaid]);
    }
    const retire = `${package_}/releases/1.0.0/retire`;
    expect(await ask("leading", "POST", retire, { reason: "other" })).toMatchObject({ status: 204 });
    expect(await ask("leading", "DELETE", retire)).toMatchObject({ status: 204 });
    expect(await ask("reading", "GET", package_)).toMatchObject({ status: 200 });
    await registry.database.sql`update organizations set billing_active = true`;
  });

  it("a member who is removed while the tarball is on its way publishes nothing", async () => {
    await registry.organization("brief", { leading: "admin", leaving: "write" });
    keys.set("leaving", await registry.key("leaving"));
    const body = new Uint8Array(tarball({ name: "late" }));
    let send: () => void = () => undefined;
    const rest = new Promise<void>((resolve) => {
      send = resolve;
    });
    const stream = new ReadableStream({
      async start(controller) {
        controller.enqueue(body.subarray(0, 100));
        await rest;
        controller.enqueue(body.subarray(100));
        controller.close();
      },
    });
    const publishing = registry.request("/repos/brief/packages/late/releases", {
      method: "POST",
      // Authorised before the body is read.
      headers: {
        authorization: keys.get("leaving") ?? "",
        expect: "100-continue",
        "content-length": String(body.length),
      },
      body: stream,
      duplex: "half",
    } as RequestInit);
    // Used means authenticated; the rest of the way to the body is asked again anyway.
    await expect
      .poll(
        () => registry.database.sql`
        select from keys k join users u on u.id = k.user_id where username = 'leaving' and last_used_at is not null`,
      )
      .toHaveLength(1);
    expect(await ask("leading", "DELETE", "/orgs/brief/members/leaving")).toMatchObject({ status: 204 });
    send();
    expect((await publishing).status).toBe(404);
    expect(await registry.database.sql`select from packages where name = 'late'`).toHaveLength(0);
  });
});

describe("8.4: dependencies of a private package", () => {
  const requirement = (name: string, repository?: string) => ({
    name,
    app: name,
    requirement: "~> 1.0",
    optional: false,
    ...(repository === undefined ? {} : { repository }),
  });
  const publish = (...requirements: readonly object[]) =>
    ask("writing", "POST", "/repos/acme/packages/needy/releases", tarball({ name: "needy", requirements }));

  it.each([
    ["of its own repository", requirement("secret", "acme"), "acme"],
    ["of the public repository", requirement("opened", "local"), "local"],
    ["of an external repository", requirement("anything", "hexpm"), "hexpm"],
    ["without one: its own first", requirement("secret"), "acme"],
    ["without one: then the public", requirement("opened"), "local"],
    ["without one: then an external", requirement("anything"), "hexpm"],
  ])("%s", async (_, given, repository) => {
    expect(await publish(given)).toMatchObject({ status: expect.toBeOneOf([200, 201]) });
    const [row] = await registry.database.sql<{ repository: string }[]>`select repository from requirements`;
    expect(row?.repository).toBe(repository);
    const bytes = await registry.publicStore.get("repos/acme/packages/needy");
    const { dependencies } =
      decodePackage(openSigned(gunzipSync(bytes?.body ?? "")).payload).releases[0] ?? {};
    expect(dependencies?.[0]?.repository).toBe(repository === "acme" ? undefined : repository);
  });

  it.each([
    [requirement("none", "acme"), 'package does not exist in repository "acme"'],
    [requirement("none", "local"), 'package does not exist in repository "local"'],
    [requirement("secret", "local"), 'package does not exist in repository "local"'],
    [
      requirement("secret", "other"),
      'dependencies can only belong to public repository "local" or external repository "hexpm" or current repository "acme", got: "other"',
    ],
  ])("%j: 422", async (given, message) => {
    expect(await publish(given)).toMatchObject(errors({ requirements: { [given.name]: message } }));
  });

  it("a public package has none of a private repository", async () => {
    const body = packageTarball({
      metadata: {
        name: "opened",
        version: "1.1.0",
        description: "d",
        licenses: ["MIT"],
        requirements: [requirement("secret", "acme")],
      } as never,
    });
    expect(await ask("acme", "POST", "/packages/opened/releases", body)).toMatchObject(
      errors({
        requirements: {
          secret:
            'dependencies can only belong to public repository "local" or external repository "hexpm", got: "acme"',
        },
      }),
    );
  });
});

describe("reading", () => {
  it("7.6: a package, to members and the organization", async () => {
    for (const who of ["reading", "acme"]) {
      const shown = await ask(who, "GET", "/repos/acme/packages/secret");
      expect(shown).toMatchObject({
        status: 200,
        body: {
          repository: "acme",
          name: "secret",
          url: `${registry.url}/api/repos/acme/packages/secret`,
          html_url: `${registry.url}/packages/acme/secret`,
          docs_html_url: null,
        },
      });
      // A cache that others use must not keep it.
      expect(shown.headers.get("cache-control")).toBe("private, max-age=60");
    }
    for (const who of ["stranger", "other", undefined]) {
      expect(await ask(who, "GET", "/repos/acme/packages/secret")).toMatchObject(HIDDEN);
      expect(await ask(who, "GET", "/repos/acme/packages/secret/releases/1.0.0")).toMatchObject(HIDDEN);
    }
    expect(await ask("reading", "GET", "/packages/secret")).toMatchObject(HIDDEN);
    // The parameter means the same as the path, with the same authorization.
    expect(await ask("reading", "GET", "/packages/secret?repository=acme")).toMatchObject({ status: 200 });
    expect(await ask("stranger", "GET", "/packages/secret?repository=acme")).toMatchObject(HIDDEN);
  });

  it("7.6: lists, of what the caller may see", async () => {
    const names = async (who: string | undefined, path: string) =>
      ((await ask(who, "GET", path)).body as readonly { repository: string; name: string }[]).map(
        ({ repository, name }) => `${repository}/${name}`,
      );
    expect(await names(undefined, "/packages")).toEqual(["local/opened"]);
    expect(await names("stranger", "/packages")).toEqual(["local/opened"]);
    expect(await names("other", "/packages")).toEqual(["local/opened"]);
    for (const who of ["reading", "acme"]) {
      expect(await names(who, "/packages?search=secret")).toEqual(["acme/secret"]);
      expect(await names(who, "/packages")).toEqual([
        "acme/keyed",
        "acme/needy",
        "local/opened",
        "acme/secret",
      ]);
      expect(await names(who, "/repos/acme/packages")).toEqual(["acme/keyed", "acme/needy", "acme/secret"]);
    }
    for (const who of ["stranger", undefined]) {
      expect(await ask(who, "GET", "/repos/acme/packages")).toMatchObject(HIDDEN);
      expect(await ask(who, "GET", "/repos/nobody/packages")).toMatchObject(HIDDEN);
    }
    expect((await ask("reading", "GET", "/packages")).headers.get("cache-control")).toBe(
      "private, max-age=60",
    );
    expect((await ask(undefined, "GET", "/packages")).headers.get("cache-control")).toBe(
      "public, max-age=60",
    );
  });

  it("7.10 and 7.14: docs, on the private host", async () => {
    const docs = "/repos/acme/packages/secret/releases/1.0.0/docs";
    const tarballUrl = `${registry.url}/repo/repos/acme/docs/secret-1.0.0.tar.gz`;
    const made = await ask("writing", "POST", docs, gzipSync("docs"));
    expect([made.status, made.headers.get("location")]).toEqual([201, tarballUrl]);
    const shown = await ask("reading", "GET", docs);
    expect([shown.status, shown.headers.get("location")]).toEqual([302, tarballUrl]);
    for (const who of ["stranger", undefined]) expect(await ask(who, "GET", docs)).toMatchObject(HIDDEN);
    expect((await ask("reading", "GET", "/repos/acme/packages/secret")).body).toMatchObject({
      docs_html_url: "http://acme.private-docs.example/secret/",
    });
    expect((await ask("reading", "GET", "/repos/acme/packages/secret/releases/1.0.0")).body).toMatchObject({
      docs_html_url: "http://acme.private-docs.example/secret/1.0.0/",
    });
  });
});

describe("7.11: owners", () => {
  const owners = "/repos/acme/packages/secret/owners";

  it("of a private package are members; an owner who only reads may maintain it", async () => {
    const retire = "/repos/acme/packages/secret/releases/1.0.0/retire";
    expect(await ask("reading", "POST", retire, { reason: "other" })).toMatchObject(HIDDEN);
    expect(await ask("writing", "PUT", `${owners}/reading`)).toMatchObject(HIDDEN);
    expect(await ask("leading", "PUT", `${owners}/reading`, { level: "maintainer" })).toMatchObject({
      status: 204,
    });
    expect(await ask("reading", "POST", retire, { reason: "other" })).toMatchObject({ status: 204 });
    expect(await ask("reading", "PUT", `${owners}/writing`)).toMatchObject(HIDDEN);
    expect((await ask("reading", "GET", owners)).body).toMatchObject([
      { username: "reading", level: "maintainer" },
    ]);
    expect((await ask("reading", "GET", "/users/me")).body).toMatchObject({
      packages: [
        { name: "secret", repository: "acme", url: `${registry.url}/api/repos/acme/packages/secret` },
      ],
    });
    // Seen by those who know the repository, and by nobody else.
    expect((await ask("writing", "GET", "/users/reading")).body).toMatchObject({
      packages: [{ name: "secret" }],
    });
    for (const who of ["stranger", "acme", undefined]) {
      expect((await ask(who, "GET", "/users/reading")).body).toMatchObject({
        packages: [],
        owned_packages: {},
      });
    }
    // The last one may go: it is the organization's all the same.
    expect(await ask("leading", "DELETE", `${owners}/reading`)).toMatchObject({ status: 204 });
    expect(await ask("leading", "DELETE", `${owners}/reading`)).toMatchObject(
      errors({ username: "user is not an owner of package" }),
    );
  });

  it.each([
    ["stranger", {}],
    ["other", { transfer: true }],
    ["acme", { transfer: true }],
  ])("%s with %j is no member: 422", async (who, body) => {
    expect(await ask("leading", "PUT", `${owners}/${who}`, body)).toMatchObject(
      errors({
        username: "cannot add owner to private package when the user is not a member of the organization",
      }),
    );
  });

  it("an organization takes a package over, all of it", async () => {
    const body = packageTarball({ metadata: { name: "moved", description: "d", licenses: ["MIT"] } });
    expect(await ask("stranger", "POST", "/publish", body)).toMatchObject({ status: 201 });
    const path = "/packages/moved/owners/other";
    for (const sent of [{}, { level: "maintainer" }, { transfer: "true" }]) {
      expect(await ask("stranger", "PUT", path, sent)).toMatchObject(
        errors({
          username: "organization ownership can only be transferred, removing all existing owners",
        }),
      );
    }
    for (const level of ["maintainer", "none"]) {
      expect(await ask("stranger", "PUT", path, { transfer: true, level })).toMatchObject(
        errors({ level: 'ownership level is required to be "full" for organization ownership' }),
      );
    }
    expect(await ask("stranger", "PUT", path, { transfer: true })).toMatchObject({ status: 204 });
    expect((await ask(undefined, "GET", "/packages/moved/owners")).body).toMatchObject([
      { username: "other", level: "full" },
    ]);
    expect(await ask("stranger", "PUT", "/packages/moved/owners/stranger")).toMatchObject({ status: 403 });
    expect(await ask("elsewhere", "PUT", "/packages/moved/owners/stranger")).toMatchObject({ status: 204 });
  });

  it("an account that only has an organization's name: 422", async () => {
    await registry.user("namesake");
    await registry.database.sql`insert into organizations (name) values ('namesake')`;
    const message = `cannot add organization as owner until user account and organization is merged, please contact the operator of ${registry.url} to manually merge accounts`;
    expect(await ask("elsewhere", "PUT", "/packages/moved/owners/namesake")).toMatchObject(
      errors({ username: message }),
    );
  });
});
