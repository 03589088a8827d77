/** Section 8: what is refused of a tarball, and in which words. The rules for its metadata are in publish.test.ts. */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apiClient, type Client } from "../support/api-client.ts";
import { type PackageOverrides, packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

let registry: TestRegistry;
let call: Client;
let ann: string;
beforeAll(async () => {
  registry = await startRegistry({ settings: { publishWaitMilliseconds: 0 }, generator: false });
  call = apiClient(registry);
  ann = await registry.key("ann");
});
afterAll(() => registry.stop());

const without = (name: string): PackageOverrides => ({
  outer: (entries) => entries.filter((entry) => entry.name !== name),
});
const link = (name: string, linkName: string): PackageOverrides => ({
  entries: [{ name, type: "2", linkName }],
});

const REFUSED: readonly (readonly [what: string, overrides: PackageOverrides, message: string | RegExp])[] = [
  ["no VERSION", without("VERSION"), 'missing files: ["VERSION"]'],
  ["no CHECKSUM", without("CHECKSUM"), 'missing files: ["CHECKSUM"]'],
  ["no metadata", without("metadata.config"), 'missing files: ["metadata.config"]'],
  ["no contents", without("contents.tar.gz"), 'missing files: ["contents.tar.gz"]'],
  [
    "two missing: the first is told",
    { outer: (entries) => entries.filter(({ name }) => name === "VERSION" || name === "contents.tar.gz") },
    'missing files: ["CHECKSUM"]',
  ],
  ["a long VERSION", { version: "3".repeat(33) }, "file too big: VERSION"],
  ["a long CHECKSUM", { checksum: () => "0".repeat(129) }, "file too big: CHECKSUM"],
  ["long metadata", { metadataFile: " ".repeat((1 << 20) + 1) }, "file too big: metadata.config"],
  ["another version", { version: "4" }, 'unsupported version: <<"4">>'],
  ["another checksum", { checksum: () => "0".repeat(64) }, /^tarball error, .*inner_checksum_mismatch/],
  ["a checksum of another length", { checksum: () => "abc" }, /^tarball error, .*invalid_inner_checksum/],
  ["a tar header with a wrong sum", spoiled(), "tarball error, Checksum failed"],
  ["metadata that are no terms", { metadataFile: "{" }, /^error reading package metadata/],
  ["metadata of other terms", { metadataFile: '{<<"name">>, 1.5}.' }, /^error reading package metadata/],
  [
    "metadata that are no pairs",
    { metadataFile: '<<"name">>.' },
    /^error reading package metadata.*not in key-value format/,
  ],
  ["an atom that nobody knows", { metadataFile: '{<<"name">>, evil}.' }, /^error reading package metadata/],
  [
    "a path that leaves the package",
    { entries: [{ name: "../x", content: "x" }] },
    "inner tarball error, ../x: The path points above the current working directory",
  ],
  ["a link that leaves the package", link("lib/x", "../../x"), /^inner tarball error, .*unsafe_symlink/],
  ["a link to somewhere else", link("x", "/etc/passwd"), /^inner tarball error, .*unsafe_symlink/],
  ["contents that are no gzip", { contents: () => Buffer.from("no gzip") }, /^inner tarball error, /],
  [
    "contents that inflate without end",
    { contents: () => gzipSync(Buffer.alloc(140 << 20)) },
    /^inner tarball error, .*package exceeds max uncompressed size/,
  ],
];

function spoiled(): PackageOverrides {
  return {
    outer: (entries) =>
      entries.map((entry, index) => (index === 1 ? { ...entry, badChecksum: true } : entry)),
  };
}

describe("8.2: refused", () => {
  it.each(REFUSED)("%s", async (_, overrides, message) => {
    const body = packageTarball(overrides);
    const answers = [
      await call("POST", "/publish", { as: ann, body }),
      await call("POST", "/packages/example/releases", { as: ann, body }),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(422);
      expect(answer.body).toEqual({
        status: 422,
        message: "Validation error(s)",
        errors: { tar: expect.any(String) },
      });
      if (typeof message === "string") expect(answer.body.errors.tar).toBe(message);
      else expect(answer.body.errors.tar).toMatch(message);
    }
  });

  it.each([
    ["nothing", Buffer.alloc(0), "tarball error, Unexpected end of file"],
    ["half of one", packageTarball().subarray(0, 700), "tarball error, Unexpected end of file"],
    [
      "more than 16 MiB",
      Buffer.alloc((16 << 20) + 1),
      "tarball error, Extraction size exceeds the configured max_size limit",
    ],
  ])("%s", async (_, body, message) => {
    expect((await call("POST", "/publish", { as: ann, body })).body.errors).toEqual({ tar: message });
    expect(await registry.database.sql`select from packages`).toHaveLength(0);
  });
});

describe("8.2: accepted", () => {
  it("what old clients write: a checksum in lower case, an internal link, Latin-1", async () => {
    const metadata = [
      '{<<"name">>, <<"old_one">>}.',
      '{<<"version">>, <<"0.0.1">>}.',
      '{<<"version">>, <<"1.0.0">>}.',
      '{<<"app">>, <<"old_one">>}.',
      '{<<"description">>, <<"caf\xe9">>}.',
      '{<<"licenses">>, [<<"MIT">>]}.',
      '{<<"files">>, [<<"mix.exs">>, <<"rebar.config">>, <<"Makefile">>, <<"src/rebar">>]}.',
      '{<<"links">>, [{<<"Source">>, <<"https://example.com">>}]}.',
      '{<<"requirements">>, [[{<<"name">>, <<"dep">>}, {<<"app">>, <<"dep">>}, {<<"optional">>, true}, {<<"requirement">>, <<"~> 1.0">>}]]}.',
    ].join("\n");
    const body = packageTarball({
      metadataFile: Buffer.from(metadata, "latin1"),
      checksum: (correct) => correct.toLowerCase(),
      entries: [
        { name: "lib/a.ex", content: "a" },
        { name: "lib/b.ex", type: "2", linkName: "a.ex" },
      ],
    });
    const { status, body: release } = await call("POST", "/publish", { as: ann, body });
    expect(status).toBe(201);
    expect(release).toMatchObject({
      version: "1.0.0",
      meta: { app: "old_one", build_tools: ["make", "mix", "rebar3"] },
      requirements: { dep: { app: "dep", requirement: "~> 1.0", optional: true } },
    });
    const shown = await call("GET", "/packages/old_one");
    expect(shown.body.meta).toEqual({
      description: "café",
      licenses: ["MIT"],
      links: { Source: "https://example.com" },
      maintainers: [],
    });
  });
});

describe("15.6: metadata on which the reference stumbles", () => {
  it("without a version", async () => {
    const body = packageTarball({ metadata: { name: "versionless", version: null } });
    expect((await call("POST", "/publish", { as: ann, body })).body.errors).toEqual({
      version: "is invalid SemVer",
    });
  });

  it.each([[[["a"]]], [["a"]], ["a"], [5]])("requirements %j", async (requirements) => {
    const body = packageTarball({ metadata: { name: "stumbles", requirements } });
    expect((await call("POST", "/publish", { as: ann, body })).body.errors).toEqual({
      requirements: "expected type list(map)",
    });
  });

  it.each([null, 5, ""])("name %j", async (name) => {
    const body = packageTarball({ metadata: { name } });
    expect((await call("POST", "/publish", { as: ann, body })).status).toBe(422);
  });
});

describe("8.4: of several problems of a dependency the first is told", () => {
  const good = { app: "dep", requirement: "~> 1.0", optional: false, repository: "local" };

  it.each([
    ["type", { requirement: 5, app: null, repository: "nowhere" }, "expected type string"],
    ["blank", { requirement: ">= 1", app: null, repository: "local" }, "can't be blank"],
    ["optional null", { optional: null }, "can't be blank"],
    ["missing", { requirement: ">= 1" }, 'package does not exist in repository "local"'],
    ["requirement", { requirement: ">= 1", repository: "nowhere" }, 'invalid requirement: ">= 1"'],
    [
      "exclusion",
      { requirement: "> 1.0.0 and != 1.5.0", repository: "hexpm" },
      'invalid requirement: "> 1.0.0 and != 1.5.0", != is not allowed in requirements',
    ],
    [
      "repository",
      { repository: "nowhere" },
      'dependencies can only belong to public repository "local" or external repository "hexpm", got: "nowhere"',
    ],
  ])("%s", async (_, fields, message) => {
    const requirements = { dep: { ...good, ...fields }, fine: { ...good, repository: "hexpm" } };
    const body = packageTarball({ metadata: { name: "several", requirements } });
    expect((await call("POST", "/publish", { as: ann, body })).body).toEqual({
      status: 422,
      message: "Validation error(s)",
      errors: { requirements: { dep: message } },
    });
  });
});

describe("7.10, 15.7: docs", () => {
  beforeAll(async () => {
    await call("POST", "/publish", { as: ann, body: packageTarball() });
  });

  it.each<[string, () => Uint8Array, string]>([
    ["no gzip", () => Buffer.from("no gzip"), "invalid gzip"],
    ["nothing", () => Buffer.alloc(0), "invalid gzip"],
    ["half of one", () => gzipSync(Buffer.alloc(10_000)).subarray(0, 20), "invalid gzip"],
    ["more than 16 MiB", () => Buffer.alloc((16 << 20) + 1), "too big"],
    ["more than 128 MiB inflated", () => gzipSync(Buffer.alloc((128 << 20) + 1)), "too big (uncompressed)"],
  ])("%s", async (_, body, tar) => {
    const answer = await call("POST", "/packages/example/releases/1.0.0/docs", { as: ann, body: body() });
    expect(answer.body).toEqual({ status: 422, message: "Validation error(s)", errors: { tar } });
    expect((await call("GET", "/packages/example/releases/1.0.0")).body.has_docs).toBe(false);
  });
});

describe("8.3, 8.4: what a publish keeps", () => {
  const version = (number: string, metadata: object = {}) =>
    packageTarball({ metadata: { name: "kept", version: number, ...metadata } });

  it("8.4: a replacement keeps its time, docs and retirement, and takes everything else from the new one", async () => {
    const dep = { app: "dep", requirement: "~> 1.0", optional: false, repository: "hexpm" };
    await call("POST", "/publish", { as: ann, body: version("1.0.0", { requirements: { dep } }) });
    await call("POST", "/packages/kept/releases/1.0.0/docs", { as: ann, body: gzipSync("docs") });
    await call("POST", "/packages/kept/releases/1.0.0/retire", { as: ann, body: { reason: "other" } });
    const { body: before } = await call("GET", "/packages/kept/releases/1.0.0");
    expect(before).toMatchObject({ has_docs: true, requirements: { dep: { app: "dep" } } });

    const bob = await registry.key("bob");
    await call("PUT", "/packages/kept/owners/bob", { as: ann, body: {} });
    const body = version("1.0.0", { app: "other", elixir: "~> 1.18", build_tools: ["make", "mix", "make"] });
    expect((await call("POST", "/publish?replace=true", { as: bob, body })).status).toBe(200);
    const { body: after } = await call("GET", "/packages/kept/releases/1.0.0");
    expect(after).toMatchObject({
      inserted_at: before.inserted_at,
      has_docs: true,
      retirement: { reason: "other", message: null },
      requirements: {},
      meta: { app: "other", build_tools: ["make", "mix"], elixir: "~> 1.18" },
      publisher: { username: "bob" },
    });
    expect(after.checksum).not.toBe(before.checksum);
  });

  it("8.3: the package's description is that of the last publish, also of an older version", async () => {
    const links = { Old: "https://example.com/old" };
    const old = version("0.9.0", { description: "older", links, licenses: [] });
    expect((await call("POST", "/publish", { as: ann, body: old })).status).toBe(201);
    const { body } = await call("GET", "/packages/kept");
    expect(body.meta).toEqual({ description: "older", licenses: [], links, maintainers: [] });
    expect(body.latest_version).toBe("1.0.0");
  });

  it("8.1: a publish changes no owners but those of a new public package", async () => {
    const owners = async (path: string) =>
      (await call("GET", `${path}/owners`, { as: ann })).body.map(
        ({ username, level }: { username: string; level: string }) => `${username} ${level}`,
      );
    expect(await owners("/packages/kept")).toEqual(["ann full", "bob full"]);
    await registry.organization("acme", { ann: "admin" });
    const made = await call("POST", "/repos/acme/publish", { as: ann, body: version("1.0.0") });
    expect(made.headers.get("location")).toBe("/api/packages/kept/releases/1.0.0");
    expect(await owners("/repos/acme/packages/kept")).toEqual([]);
    const organization = await registry.organizationKey("acme");
    const public_ = packageTarball({ metadata: { name: "by_acme" } });
    expect(
      (await call("POST", "/publish", { as: organization, body: public_ })).body.publisher,
    ).toMatchObject({
      username: "acme",
    });
    expect(await owners("/packages/by_acme")).toEqual(["acme full"]);
  });

  it("8.3: names that are reserved are so in private repositories, too", async () => {
    const body = packageTarball({ metadata: { name: "kernel" } });
    expect((await call("POST", "/repos/acme/publish", { as: ann, body })).body.errors).toEqual({
      name: "is reserved",
    });
  });

  it("8.1: metadata of another name create nothing", async () => {
    const body = packageTarball({ metadata: { name: "another" } });
    expect((await call("POST", "/packages/named/releases", { as: ann, body })).body.errors).toEqual({
      name: "metadata does not match package name",
    });
    for (const name of ["named", "another"])
      expect((await call("GET", `/packages/${name}`)).status).toBe(404);
  });
});
