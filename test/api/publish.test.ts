/** Publishing: the rules for packages, releases and requirements, each with its message. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { repositoryName, trusted } from "../../hex/ids.ts";
import { type PackageOverrides, packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

let registry: TestRegistry;
let key: string;
let now = new Date();
beforeAll(async () => {
  registry = await startRegistry({ settings: { publishingRules: "hexpm" }, clock: () => now });
  key = await registry.key("ann");
});
beforeEach(() => {
  now = new Date();
});
afterAll(() => registry.stop());

async function publish(overrides: PackageOverrides, path = "/publish", authorization = key) {
  const body = new Uint8Array(packageTarball(overrides));
  const response = await registry.request(path, { method: "POST", headers: { authorization }, body });
  const text = await response.text();
  return {
    status: response.status,
    location: response.headers.get("location"),
    body: text === "" ? {} : JSON.parse(text),
  };
}

type Metadata = NonNullable<PackageOverrides["metadata"]>;
const requirement = (fields: object) => ({ app: "dep", requirement: "~> 1.0", optional: false, ...fields });

const REFUSED: readonly (readonly [what: string, metadata: Metadata, errors: object])[] = [
  ["a name of one letter", { name: "a" }, { name: "should be at least 2 character(s)" }],
  ["a name with upper case", { name: "Example" }, { name: "has invalid format" }],
  ["a name with a newline", { name: "example\n" }, { name: "has invalid format" }],
  ["a name of OTP", { name: "kernel" }, { name: "is reserved" }],
  ["no version", { version: null }, { version: "is invalid SemVer" }],
  ["a version of two parts", { version: "1.0" }, { version: "is invalid SemVer" }],
  ["build metadata", { version: "1.0.0+build" }, { version: "build number not allowed" }],
  [
    "a number beyond all",
    { version: "1.0.999999999999999" },
    { version: "numeric components must be at most 99999999999999" },
  ],
  [
    "a long pre-release",
    { version: `1.0.0-${"a".repeat(65)}` },
    { version: "prerelease must be at most 64 characters" },
  ],
  ["no description", { description: null }, { meta: { description: "can't be blank" } }],
  ["a blank description", { description: "  " }, { meta: { description: "can't be blank" } }],
  ["no licences", { licenses: null }, { meta: { licenses: "can't be blank" } }],
  [
    "a licence that is none",
    { licenses: ["Apache 2"] },
    { meta: { licenses: 'invalid license "Apache 2"' } },
  ],
  ["links of another type", { links: ["x"] }, { meta: { links: "expected type map(string)" } }],
  [
    "a link to nowhere",
    { links: { x: "ftp://example.com" } },
    { meta: { links: 'invalid link "ftp://example.com"' } },
  ],
  [
    "maintainers of another type",
    { maintainers: "ann" },
    { meta: { maintainers: "expected type list(string)" } },
  ],
  ["no app", { app: null }, { meta: { app: "can't be blank" } }],
  ["no build tools", { build_tools: [], files: ["README.md"] }, { meta: { build_tools: "can't be blank" } }],
  ["no files", { files: null }, { meta: { files: "can't be blank" } }],
  ["an empty list of files", { files: [] }, { meta: { files: "package can't be empty" } }],
  [
    "an Elixir requirement that is none",
    { elixir: "1.x" },
    { meta: { elixir: 'invalid requirement: "1.x"' } },
  ],
  ["requirements of another type", { requirements: "dep" }, { requirements: "expected type list(map)" }],
  [
    "a requirement without an app",
    { requirements: { dep: requirement({ app: null }) } },
    { requirements: { dep: "can't be blank" } },
  ],
  [
    "a requirement of another type",
    { requirements: { dep: requirement({ requirement: 1 }) } },
    { requirements: { dep: "expected type string" } },
  ],
  [
    "optional of another type",
    { requirements: { dep: requirement({ optional: "yes" }) } },
    { requirements: { dep: "expected type boolean" } },
  ],
  [
    "a dependency that is not ours",
    { requirements: { dep: requirement({ repository: "local" }) } },
    { requirements: { dep: 'package does not exist in repository "local"' } },
  ],
  [
    "a requirement that does not parse",
    { requirements: { dep: requirement({ requirement: ">= 1" }) } },
    { requirements: { dep: 'invalid requirement: ">= 1"' } },
  ],
  [
    "an exclusion",
    { requirements: { dep: requirement({ requirement: "!= 1.0.0" }) } },
    { requirements: { dep: 'invalid requirement: "!= 1.0.0", != is not allowed in requirements' } },
  ],
  [
    "a dependency called like what every object has",
    { requirements: { ["__proto__"]: requirement({}) } },
    { requirements: { ["__proto__"]: 'package does not exist in repository "hexpm"' } },
  ],
  [
    "a dependency with a name without end",
    { requirements: { ["d".repeat(5_000)]: requirement({}) } },
    { requirements: { ["d".repeat(5_000)]: 'package does not exist in repository "hexpm"' } },
  ],
  [
    "another repository",
    { requirements: { dep: requirement({ repository: "acme" }) } },
    {
      requirements: {
        dep: 'dependencies can only belong to public repository "local" or external repository "hexpm", got: "acme"',
      },
    },
  ],
];

describe("refuses", () => {
  it.each(REFUSED)("%s", async (_, metadata, errors) => {
    const reply = await publish({ metadata: { name: "refused", ...metadata } });
    expect(reply).toMatchObject({
      status: 422,
      body: { status: 422, message: "Validation error(s)", errors },
    });
    expect(await registry.database.sql`select from packages where name = 'refused'`).toHaveLength(0);
  });

  it("package errors before release errors", async () => {
    const reply = await publish({ metadata: { name: "refused", version: "1.0.0+b", description: null } });
    expect(reply.body.errors).toEqual({ meta: { description: "can't be blank" } });
  });

  it("a name that is not that of the path", async () => {
    const reply = await publish({ metadata: { name: "other_name" } }, "/packages/refused/releases");
    expect(reply.body.errors).toEqual({ name: "metadata does not match package name" });
  });

  it("a name and a version that are reserved", async () => {
    await registry.database.sql`
      insert into reserved_packages (repository, name, version) values ('local', 'kept', null), ('local', 'partly', '2.0.0')`;
    expect((await publish({ metadata: { name: "kept" } })).body.errors).toEqual({ name: "is reserved" });
    expect((await publish({ metadata: { name: "partly", version: "2.0.0" } })).body.errors).toEqual({
      version: "is reserved",
    });
    expect((await publish({ metadata: { name: "partly" } })).status).toBe(201);
  });

  it("a tarball that is none, before it asks who sends it", async () => {
    const body = new Uint8Array(Buffer.from("no tarball"));
    const response = await registry.request("/publish", { method: "POST", body });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ errors: { tar: "tarball error, Unexpected end of file" } });
    const anonymous = await registry.request("/publish", {
      method: "POST",
      body: new Uint8Array(packageTarball()),
    });
    expect(anonymous.status).toBe(401);
  });

  it("contents that leave the package", async () => {
    const reply = await publish({ entries: [{ name: "../evil", content: "x" }] });
    expect(reply.body.errors.tar).toBe(
      "inner tarball error, ../evil: The path points above the current working directory",
    );
  });
});

describe("accepts", () => {
  it("a first release, whose publisher becomes its full owner", async () => {
    const reply = await publish({ metadata: { name: "first" } });
    expect(reply).toMatchObject({
      status: 201,
      location: "/api/packages/first/releases/1.0.0",
      body: {
        version: "1.0.0",
        has_docs: false,
        downloads: null,
        retirement: null,
        publisher: { username: "ann" },
        meta: { app: "first", build_tools: ["mix"], elixir: "~> 1.14" },
        configs: {
          "mix.exs": '{:first, "~> 1.0"}',
          "rebar.config": '{first, "1.0.0"}',
          "erlang.mk": "dep_first = hex 1.0.0",
        },
      },
    });
    expect(reply.body).not.toHaveProperty("security_advisories");
    const owners = await (await registry.request("/packages/first/owners")).json();
    expect(owners).toEqual([expect.objectContaining({ username: "ann", level: "full" })]);
  });

  it("dependencies of ours and of others, and keeps where they are from", async () => {
    await publish({ metadata: { name: "ours" } });
    const requirements = {
      ours: requirement({ app: "ours" }),
      jason: requirement({ app: "jason", optional: true }),
      said: requirement({ app: "said", repository: "hexpm" }),
    };
    expect(await publish({ metadata: { name: "depends", requirements } })).toMatchObject({ status: 201 });
    const rows = await registry.database.sql`
      select q.package, q.repository, q.optional from requirements q order by q.package collate "C"`;
    expect(rows).toEqual([
      { package: "jason", repository: "hexpm", optional: true },
      { package: "ours", repository: "local", optional: false },
      { package: "said", repository: "hexpm", optional: false },
    ]);
  });

  it("a replacement within an hour with the flag, and never without", async () => {
    await publish({ metadata: { name: "again" } });
    const without = await publish(
      { metadata: { name: "again", description: "other" } },
      "/publish?replace=false",
    );
    expect(without.body.errors).toEqual({
      inserted_at: "must include the --replace flag to update an existing release",
    });
    const replaced = await publish(
      { metadata: { name: "again", description: "other" } },
      "/publish?replace=true",
    );
    expect(replaced).toMatchObject({ status: 200, location: null });
    now = new Date(Date.now() + 3_601_000);
    // The package itself is young: its first day is over only later.
    expect((await publish({ metadata: { name: "again" } }, "/publish?replace=true")).status).toBe(200);
    now = new Date(Date.now() + 86_401_000);
    const late = await publish({ metadata: { name: "again" } }, "/publish?replace=true");
    expect(late.body.errors).toEqual({
      inserted_at: "can only modify a release up to one hour after publication",
    });
    const revert = await registry.request("/packages/again/releases/1.0.0", {
      method: "DELETE",
      headers: { authorization: key },
    });
    expect(await revert.json()).toMatchObject({
      errors: { inserted_at: "can only delete a release up to one hour after publication" },
    });
  });

  it("two publishes of one version at once: one is new", async () => {
    const replies = await Promise.all(
      [1, 2, 3, 4].map(() => publish({ metadata: { name: "race" } }, "/publish?replace=false")),
    );
    expect(replies.map((reply) => reply.status).sort()).toEqual([201, 422, 422, 422]);
  });

  it("a name that two people publish first: one of them owns it, the other adds nothing", async () => {
    const other = await registry.key("other");
    const [a, b] = await Promise.all([
      publish({ metadata: { name: "contested", version: "1.0.0" } }),
      publish({ metadata: { name: "contested", version: "2.0.0" } }, "/publish", other),
    ]);
    const lost = a.status === 201 ? b : a;
    expect([a.status, b.status].filter((status) => status === 201)).toHaveLength(1);
    expect([403, 422]).toContain(lost.status);
    const owners = (await (await registry.request("/packages/contested/owners")).json()) as object[];
    expect(owners).toHaveLength(1);
  });
});

it("does not delete a package that another one depends on", async () => {
  await publish({ metadata: { name: "base" } });
  await publish({ metadata: { name: "top", requirements: { base: requirement({ app: "base" }) } } });
  const revert = (name: string) =>
    registry.request(`/packages/${name}/releases/1.0.0`, {
      method: "DELETE",
      headers: { authorization: key },
    });
  const refused = await revert("base");
  expect(await refused.json()).toMatchObject({
    status: 422,
    errors: { name: "you cannot delete this package because other packages depend on it" },
  });
  expect((await revert("top")).status).toBe(204);
  expect((await revert("base")).status).toBe(204);
  expect((await registry.request("/packages/base")).status).toBe(404);
});

it("refuses to replace anything where the operator wants it so", async () => {
  const strict = await startRegistry({ settings: { allowReplace: false } });
  const authorization = await strict.key("ann");
  const send = (path: string) =>
    strict.request(path, {
      method: "POST",
      headers: { authorization },
      body: new Uint8Array(packageTarball()),
    });
  expect((await send("/publish")).status).toBe(201);
  const refused = await send("/publish?replace=true");
  expect(await refused.json()).toMatchObject({
    status: 422,
    errors: { inserted_at: expect.stringContaining("does not allow") },
  });
  // Reverted and published again it would be replaced all the same; the same bytes may come back.
  const path = "/packages/example/releases/1.0.0";
  const revert = () => strict.request(path, { method: "DELETE", headers: { authorization } });
  expect((await revert()).status).toBe(204);
  const others = await strict.request("/publish", {
    method: "POST",
    headers: { authorization },
    body: new Uint8Array(packageTarball({ metadata: { description: "other" } })),
  });
  expect(await others.json()).toMatchObject({
    status: 422,
    errors: { version: expect.stringContaining("was published with other contents") },
  });
  expect((await send("/publish")).status).toBe(201);
  await strict.stop();
});

it("answers after its bounded wait when no generator is there, and the change stays pending", async () => {
  const alone = await startRegistry({
    generator: false,
    settings: { publishWaitMilliseconds: 50, externalRepositories: [trusted(repositoryName, "hexpm")] },
  });
  const authorization = await alone.key("ann");
  const reply = await alone.request("/publish", {
    method: "POST",
    headers: { authorization },
    body: new Uint8Array(packageTarball()),
  });
  expect(reply.status).toBe(201);
  expect(
    await alone.database.sql`select from changes where package = 'example' and finished_at is null`,
  ).toHaveLength(1);
  await alone.stop();
});
