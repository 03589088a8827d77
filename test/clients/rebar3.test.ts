/**
 * Debian's rebar3 as a client: its own hex_core publishes over Erlang terms, and a project fetches, verifies
 * and compiles what was published.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { requireTool } from "../support/tools.ts";

const run = promisify(execFile);
const hasRebar3 = requireTool("rebar3") && requireTool("escript");

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Record<string, unknown>;
  readonly error?: string;
}

let registry: TestRegistry;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "skep-rebar3-"));
  registry = await startRegistry();
});
afterAll(async () => {
  await registry.stop();
  await rm(folder, { recursive: true, force: true });
});

let files = 0;

/** Calls hex_core functions, each an Erlang term `{Module, Function, Arguments}`. */
async function hexCore(key: string, ...calls: readonly string[]): Promise<Reply[]> {
  files += 1;
  const file = join(folder, `calls-${files}.terms`);
  await writeFile(file, calls.map((call) => `${call}.\n`).join(""));
  const script = resolve(import.meta.dirname, "hex-core.escript");
  const { stdout } = await run("escript", [script, `${registry.url}/api`, key, file]);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

interface Package {
  readonly name: string;
  readonly version: string;
  readonly requirements?: string;
  readonly source?: string;
  readonly metadata?: string;
}

function publishCall({ name, version, requirements = "#{}", source, metadata = "" }: Package): string {
  const body = source ?? `-module(${name}). -export([name/0]). name() -> ${name}.`;
  const app = `{application, ${name}, [{vsn, \\"${version}\\"}, {modules, []}, {registered, []}, {applications, [kernel, stdlib]}]}.`;
  return `{r3_hex_api_release, publish, [{tarball,
    #{<<"name">> => <<"${name}">>, <<"version">> => <<"${version}">>, <<"app">> => <<"${name}">>,
      <<"description">> => <<"a package">>, <<"licenses">> => [<<"MIT">>], <<"links">> => #{},
      <<"build_tools">> => [<<"rebar3">>], <<"files">> => [<<"src/${name}.erl">>],
      <<"requirements">> => ${requirements}${metadata}},
    [{"src/${name}.erl", <<"${body}">>}, {"src/${name}.app.src", <<"${app}">>}]}]}`;
}

describe.runIf(hasRebar3)("rebar3", () => {
  it("publishes, and a project that depends on it fetches, verifies and compiles", async () => {
    const key = await registry.key("ann");
    const [grape, pear] = await hexCore(
      key,
      publishCall({ name: "grape", version: "0.1.0" }),
      publishCall({
        name: "pear",
        version: "1.0.0",
        requirements: `#{<<"grape">> => #{<<"app">> => <<"grape">>, <<"optional">> => false, <<"requirement">> => <<"~> 0.1">>}}`,
        source: "-module(pear). -export([name/0]). name() -> {pear, grape:name()}.",
      }),
    );
    expect(grape).toMatchObject({ status: 201, body: { version: "0.1.0" } });
    expect(pear).toMatchObject({ status: 201, body: { requirements: { grape: { requirement: "~> 0.1" } } } });

    const project = join(folder, "project");
    await mkdir(join(project, "src"), { recursive: true });
    await writeFile(join(project, "rebar.config"), await rebarConfig());
    await writeFile(
      join(project, "src/app.app.src"),
      `{application, app, [{vsn, "1.0.0"}, {applications, [kernel, stdlib, pear]}]}.`,
    );
    await writeFile(join(project, "src/app.erl"), "-module(app). -export([run/0]). run() -> pear:name().");
    const env = { ...process.env, HOME: join(folder, "home"), REBAR_CACHE_DIR: join(folder, "cache") };
    await mkdir(env.HOME, { recursive: true });
    const before = registry.apiRequests();
    const { stdout } = await run("rebar3", ["compile"], { cwd: project, env });
    expect(stdout).toContain("Fetching pear v1.0.0");
    expect(stdout).toContain("Fetching grape v0.1.0");
    expect(stdout).toContain("Compiling app");
    // An install asks the API nothing.
    expect(registry.apiRequests()).toBe(before);
    const paths = ["app", "pear", "grape"].flatMap((name) => [
      "-pa",
      join(project, `_build/default/lib/${name}/ebin`),
    ]);
    const result = await run("erl", ["-noshell", ...paths, "-eval", 'io:format("~p", [app:run()]), halt().']);
    expect(result.stdout).toBe("{pear,grape}");
  });

  it("publishes privately, and only who has a key of the organization fetches", async () => {
    await registry.organization("acme", { ann: "write", bob: "read" });
    const privately = (call: string) => call.replace(/}$/, ', #{api_repository => <<"acme">>}}');
    const ann = await registry.key("ann");
    const publishing = privately(publishCall({ name: "secret", version: "1.0.0" }));
    const [published] = await hexCore(ann, publishing);
    expect(published).toMatchObject({ status: 201, body: { version: "1.0.0" } });
    const read = privately('{r3_hex_api_package, get, [<<"secret">>]}');
    expect(await hexCore(await registry.key("bob"), publishing, read)).toMatchObject([
      { status: 404, body: { message: "Page not found" } },
      { status: 200, body: { repository: "acme" } },
    ]);
    expect(await hexCore(await registry.key("eve"), publishing, read)).toMatchObject([
      { status: 404 },
      { status: 404 },
    ]);

    const organization = '#{api_organization => <<"acme">>}';
    const permissions = `[#{<<"domain">> => <<"repository">>, <<"resource">> => <<"acme">>}]`;
    const [made, refused, members] = await hexCore(
      ann,
      `{r3_hex_api_key, add, [<<"ci">>, ${permissions}], ${organization}}`,
      `{r3_hex_api, post, [<<"orgs/acme/members">>, #{<<"name">> => <<"eve">>, <<"role">> => <<"read">>}]}`,
      `{r3_hex_api, get, [<<"orgs/acme/members">>]}`,
    );
    expect(made).toMatchObject({ status: 201, body: { name: "ci" } });
    expect(refused).toMatchObject({ status: 404 });
    expect(members).toMatchObject({
      status: 200,
      body: [{ username: "ann", role: "write" }, { username: "bob" }],
    });

    const project = join(folder, "private");
    await mkdir(project, { recursive: true });
    const config = (await rebarConfig())
      .replace("pear", "secret")
      .replace("[#{name", '[#{name => <<"local:acme">>}, #{name');
    await writeFile(join(project, "rebar.config"), config);
    const env = {
      ...process.env,
      HOME: join(folder, "private-home"),
      REBAR_CACHE_DIR: join(folder, "private-cache"),
    };
    await mkdir(join(env.HOME, ".config/rebar3"), { recursive: true });
    const keyFile = join(env.HOME, ".config/rebar3/hex.config");
    const fetching = (key: string) =>
      writeFile(keyFile, `#{<<"local:acme">> => #{repo_key => <<"${key}">>}}.\n`).then(() =>
        run("rebar3", ["get-deps"], { cwd: project, env }),
      );
    await expect(fetching(await registry.key("eve"))).rejects.toThrow();
    const { stdout } = await fetching(String(made?.body.secret));
    expect(stdout).toContain("Fetching secret v1.0.0");
  });

  it("sees each publish with the next fetch, in a loop, without a retry", async () => {
    const key = await registry.key("ann");
    for (let patch = 0; patch < 5; patch++) {
      const [reply] = await hexCore(key, publishCall({ name: "loop", version: `1.0.${patch}` }));
      expect(reply?.status).toBe(201);
      const fetched = await fetch(`${registry.url}/repo/tarballs/loop-1.0.${patch}.tar`);
      expect(fetched.status).toBe(200);
    }
  });

  it("retires, takes it back, shows, and deletes", async () => {
    const key = await registry.key("ann");
    const replies = await hexCore(
      key,
      publishCall({ name: "plum", version: "1.0.0" }),
      `{r3_hex_api_release, retire, [<<"plum">>, <<"1.0.0">>, #{<<"reason">> => <<"security">>, <<"message">> => <<"do not use it">>}]}`,
      `{r3_hex_api_package, get, [<<"plum">>]}`,
      `{r3_hex_api_release, unretire, [<<"plum">>, <<"1.0.0">>]}`,
      `{r3_hex_api_release, get, [<<"plum">>, <<"1.0.0">>]}`,
      `{r3_hex_api_release, delete, [<<"plum">>, <<"1.0.0">>]}`,
      `{r3_hex_api_package, get, [<<"plum">>]}`,
    );
    expect(replies.map((reply) => reply.status)).toEqual([201, 204, 200, 204, 200, 204, 404]);
    expect(replies[2]?.body).toMatchObject({
      retirements: { "1.0.0": { reason: "security", message: "do not use it" } },
    });
    expect(replies[4]?.body).toMatchObject({
      version: "1.0.0",
      retirement: null,
      publisher: { username: "ann" },
    });
    expect(replies[6]?.body).toEqual({ status: 404, message: "Page not found" });
  });

  it("makes, lists and removes keys, and knows who it is", async () => {
    const key = await registry.key("ann");
    const [made, list, me, removed, again] = await hexCore(
      key,
      `{r3_hex_api_key, add, [<<"laptop">>, [#{<<"domain">> => <<"api">>, <<"resource">> => <<"read">>}]]}`,
      `{r3_hex_api_key, list, []}`,
      `{r3_hex_api_user, me, []}`,
      `{r3_hex_api_key, delete, [<<"laptop">>]}`,
      `{r3_hex_api_key, get, [<<"laptop">>]}`,
    );
    expect(made).toMatchObject({
      status: 201,
      body: { name: "laptop", permissions: [{ domain: "api", resource: "read" }] },
    });
    expect(String(made?.body.secret)).toMatch(/^[0-9a-f]{32}$/);
    expect(list?.body).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: "laptop", secret: null })]),
    );
    expect(me).toMatchObject({ status: 200, body: { username: "ann", email: "ann@example.com" } });
    expect(removed?.status).toBe(200);
    expect(again?.status).toBe(404);
  });

  it("adds and removes owners", async () => {
    const key = await registry.key("ann");
    await registry.user("bob");
    const replies = await hexCore(
      key,
      publishCall({ name: "fig", version: "1.0.0" }),
      `{r3_hex_api_package_owner, add, [<<"fig">>, <<"bob@example.com">>, <<"maintainer">>, false]}`,
      `{r3_hex_api_package_owner, list, [<<"fig">>]}`,
      `{r3_hex_api_package_owner, delete, [<<"fig">>, <<"bob">>]}`,
      `{r3_hex_api_package_owner, delete, [<<"fig">>, <<"ann">>]}`,
    );
    expect(replies.map((reply) => reply.status)).toEqual([201, 204, 200, 204, 422]);
    expect(replies[2]?.body).toEqual([
      expect.objectContaining({ username: "ann", level: "full" }),
      expect.objectContaining({ username: "bob", level: "maintainer", email: "bob@example.com" }),
    ]);
    expect(replies[4]?.body.errors).toEqual({ username: "cannot remove last owner of package" });
  });

  it("asks whether a key may, exchanges it for a token, and uses the token", async () => {
    await registry.organization("exchange", { ann: "read" });
    const ci = await registry.organizationKey("exchange", [{ domain: "repository", resource: "exchange" }]);
    const mix = "78ea6566-89fd-481e-a1d6-7d9d78eacca8";
    const exchange = (secret: string, scope: string) =>
      `{r3_hex_api, post, [<<"oauth/token">>, #{<<"grant_type">> => <<"client_credentials">>, <<"client_id">> => <<"${mix}">>,
        <<"client_secret">> => <<"${secret}">>, <<"scope">> => <<"${scope}">>}]}`;
    const asking = (organization: string) =>
      `{r3_hex_api, get, [<<"auth?domain=repository&resource=${organization}">>]}`;
    expect(await hexCore(ci, asking("exchange"), asking("local"), asking("none"))).toMatchObject([
      { status: 200, body: { key: { owner: { type: "organization", name: "exchange" } } } },
      { status: 401, body: { message: "key not authorized for this action" } },
      { status: 401 },
    ]);
    const [token, wide, wrong] = await hexCore(
      "",
      exchange(ci, "repositories"),
      exchange(ci, "api:write"),
      exchange("0".repeat(32), "repositories"),
    );
    expect(token).toMatchObject({
      status: 200,
      body: { token_type: "bearer", scope: "repository:exchange", expires_in: 1800 },
    });
    expect(wide).toMatchObject({ status: 400, body: { error: "invalid_scope" } });
    expect(wrong).toMatchObject({ status: 401, body: { error: "invalid_client" } });
    const bearer = `Bearer ${token?.body.access_token}`;
    expect(await hexCore(bearer, asking("exchange"), "{r3_hex_api_user, me, []}")).toMatchObject([
      { status: 204 },
      { status: 401 },
    ]);
    const file = await fetch(`${registry.url}/repo/repos/exchange/names`, {
      headers: { authorization: bearer },
    });
    expect(file.status).toBe(200);
  });

  it("begins the device flow and is told to wait, in terms", async () => {
    const gleam = "877731e8-cb88-45e1-9b84-9214de7da421";
    const [begun] = await hexCore(
      "",
      `{r3_hex_api, post, [<<"oauth/device_authorization">>, #{<<"client_id">> => <<"${gleam}">>, <<"scope">> => <<"api:write">>}]}`,
    );
    expect(begun).toMatchObject({ status: 200, body: { interval: 5, expires_in: 600 } });
    const poll = (code: unknown) =>
      `{r3_hex_api, post, [<<"oauth/token">>, #{<<"grant_type">> => <<"urn:ietf:params:oauth:grant-type:device_code">>,
        <<"client_id">> => <<"${gleam}">>, <<"device_code">> => <<"${code}">>}]}`;
    expect(await hexCore("", poll(begun?.body.device_code), poll("x"))).toMatchObject([
      { status: 400, body: { error: "authorization_pending" } },
      { status: 400, body: { error: "invalid_grant" } },
    ]);
  });

  it("administers an organization", async () => {
    await registry.organization("team", { ann: "admin" });
    await registry.user("zoe");
    const ann = await registry.key("ann");
    const replies = await hexCore(
      ann,
      '{r3_hex_api, get, [<<"orgs">>]}',
      '{r3_hex_api, get, [<<"orgs/team">>]}',
      '{r3_hex_api, post, [<<"orgs/team/members">>, #{<<"name">> => <<"zoe">>, <<"role">> => <<"read">>}]}',
      '{r3_hex_api, post, [<<"orgs/team/members/zoe">>, #{<<"role">> => <<"write">>}]}',
      '{r3_hex_api, get, [<<"orgs/team/members/zoe">>]}',
      '{r3_hex_api, delete, [<<"orgs/team/members/zoe">>]}',
      '{r3_hex_api, delete, [<<"orgs/team/members/ann">>]}',
      '{r3_hex_api, get, [<<"orgs/team/audit-logs">>]}',
      '{r3_hex_api, get, [<<"orgs/none">>]}',
    );
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 204, 422, 200, 404]);
    expect(replies[4]?.body).toMatchObject({ username: "zoe", role: "write" });
    expect(replies[6]?.body).toMatchObject({ errors: expect.anything() });
    const outsider = await hexCore(await registry.key("zoe"), '{r3_hex_api, get, [<<"orgs/team">>]}');
    expect(outsider).toMatchObject([{ status: 404 }]);
  });

  it("creates an account", async () => {
    const [reply] = await hexCore(
      "",
      `{r3_hex_api_user, create, [<<"carol">>, <<"long enough">>, <<"carol@example.com">>]}`,
    );
    expect(reply).toMatchObject({ status: 201, body: { username: "carol" } });
  });

  describe("errors it can provoke", () => {
    const PUBLISHED = publishCall({ name: "taken", version: "1.0.0" });

    it.each<[what: string, user: string, call: string, status: number, body: object]>([
      ["a wrong key", "", PUBLISHED, 401, { message: "missing authentication information" }],
      [
        "somebody else's package",
        "stranger",
        PUBLISHED,
        403,
        { message: "account not authorized for this action" },
      ],
      [
        "a version that is no version",
        "ann",
        publishCall({ name: "bad", version: "1.0" }),
        422,
        { errors: { version: "is invalid SemVer" } },
      ],
      [
        "build metadata",
        "ann",
        publishCall({ name: "bad", version: "1.0.0+b" }),
        422,
        { errors: { version: "build number not allowed" } },
      ],
      [
        "a reserved name",
        "ann",
        publishCall({ name: "stdlib", version: "1.0.0" }),
        422,
        { errors: { name: "is reserved" } },
      ],
      [
        "a dependency that we do not have",
        "ann",
        publishCall({
          name: "bad",
          version: "1.0.0",
          requirements: `#{<<"nothing">> => #{<<"app">> => <<"nothing">>, <<"optional">> => false, <<"requirement">> => <<"~> 1.0">>, <<"repository">> => <<"local">>}}`,
        }),
        422,
        { errors: { requirements: { nothing: 'package does not exist in repository "local"' } } },
      ],
      [
        "a requirement that is none",
        "ann",
        publishCall({
          name: "bad",
          version: "1.0.0",
          requirements: `#{<<"x">> => #{<<"app">> => <<"x">>, <<"optional">> => false, <<"requirement">> => <<"~> 1">>}}`,
        }),
        422,
        { errors: { requirements: { x: 'invalid requirement: "~> 1"' } } },
      ],
      [
        "a link that is none",
        "ann",
        publishCall({
          name: "bad",
          version: "1.0.0",
          metadata: `, <<"links">> => #{<<"x">> => <<"javascript:1">>}`,
        }),
        422,
        { errors: { meta: { links: 'invalid link "javascript:1"' } } },
      ],
      [
        "a retirement without a reason",
        "ann",
        `{r3_hex_api_release, retire, [<<"taken">>, <<"1.0.0">>, #{}]}`,
        422,
        { errors: { retirement: { reason: "can't be blank" } } },
      ],
      [
        "a release that is not there",
        "ann",
        `{r3_hex_api_release, get, [<<"taken">>, <<"9.0.0">>]}`,
        404,
        { message: "Page not found" },
      ],
      ["bytes that are no tarball", "ann", `{r3_hex_api_release, publish, [<<"garbage">>]}`, 422, {}],
    ])("%s", async (_, user, call, status, body) => {
      await hexCore(await registry.key("ann"), PUBLISHED);
      const [reply] = await hexCore(user === "" ? "" : await registry.key(user), call);
      expect(reply).toMatchObject({ status, body });
    });
  });
});

async function rebarConfig(): Promise<string> {
  const pem = await (await fetch(`${registry.url}/repo/public_key`)).text();
  return `{deps, [{pear, "~> 1.0"}]}.
{hex, [{repos, [#{name => <<"local">>, repo_url => <<"${registry.url}/repo">>, repo_public_key => <<"${pem}">>}]}]}.
`;
}
