/** What operators do from the command line: each does it, says so, and is in the audit log as theirs. */
import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findEmbeddedPostgres } from "../../store/postgres/embedded.ts";
import { enableTotp } from "../../store/queries/totp.ts";
import type { TestDatabase } from "../support/open-database.ts";
import { openDatabase } from "../support/open-database.ts";
import { headersOf, publish, tarballOf } from "./package.ts";
import { type Ended, type RunningSkep, type SkepFolder, skepFolder } from "./skep.ts";

let skep: SkepFolder;
let running: RunningSkep;
let database: TestDatabase;
let version: string;
let key: string;
beforeAll(async () => {
  skep = await skepFolder();
  running = await skep.serve({ SKEP_TRUSTED_PROXIES: "1" });
  const url = await findEmbeddedPostgres(join(skep.folder, "data", "postgres"));
  database = openDatabase(url ?? "");
  version = (await skep.run(["--version"])).stdout.trim();
  for (const name of ["ann", "bob"]) {
    const create = ["user", "create", name, "--email", `${name}@acme.example`, "--password-stdin"];
    expect((await skep.run(create, {}, "long enough")).code).toBe(0);
  }
  key = (await skep.run(["key", "create", "--user", "ann"])).stdout.trim();
  for (const release of ["1.0.0", "1.1.0"]) expect(await publish(skep.url, key, "foo", release)).toBe(201);
}, 120_000);
afterAll(async () => {
  await database.drop();
  await skep.remove();
});

const run = (...words: readonly string[]) => skep.run(words);
const said = ({ code, stdout, stderr }: Ended) => [code, stdout + stderr];
const login = (name: string, password: string) =>
  fetch(`${skep.url}/api/users/me`, {
    headers: { authorization: `Basic ${btoa(`${name}:${password}`)}`, "user-agent": "test" },
  });
const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${skep.url}${path}`, { headers: { "user-agent": "test", ...headers } });

/** The latest entry. */
async function audited(): Promise<{ action: string; userAgent: string; params: Record<string, unknown> }> {
  const [row] = await database.sql<{ action: string; userAgent: string; params: Record<string, unknown> }[]>`
    select action, user_agent as "userAgent", params from audit_logs order by id desc limit 1`;
  if (row === undefined) throw new Error("nothing is audited");
  expect(row.userAgent).toBe(`skep/${version}`);
  return row;
}

describe("user", () => {
  it("reset-password: by hand, and told to its owner", async () => {
    const done = await skep.run(["user", "reset-password", "bob", "--password-stdin"], {}, "another one\n");
    expect(said(done)).toEqual([0, "bob has a new password\n"]);
    expect((await login("bob", "long enough")).status).toBe(401);
    expect((await login("bob", "another one")).status).toBe(200);
    const entry = await audited();
    expect(entry).toMatchObject({ action: "password.update", params: { user: { username: "bob" } } });
    expect(JSON.stringify(entry)).not.toContain("another one");

    // `serve` without SMTP makes a file of the mail, and says where.
    const folder = join(skep.folder, "data", "mail");
    await expect.poll(() => running.stderr(), { timeout: 10_000 }).toContain(`${folder}/password-changed-`);
    const files = await readdir(folder);
    const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
    expect(texts.some((text) => /^To: bob@acme.example$/m.test(text))).toBe(true);
  });

  it("reset-password: refuses what is no password", async () => {
    const short = await skep.run(["user", "reset-password", "bob", "--password-stdin"], {}, "short\n");
    expect(said(short)).toEqual([2, "skep: password should be at least 8 character(s)\n"]);
    const nobody = await skep.run(
      ["user", "reset-password", "nobody", "--password-stdin"],
      {},
      "long enough",
    );
    expect(said(nobody)).toEqual([1, "skep: there is no account nobody\n"]);
  });

  it("reset-password --mail: a link, which the log does not show", async () => {
    expect(said(await run("user", "reset-password", "bob", "--mail"))).toEqual([
      0,
      "bob is mailed a link to choose a new password\n",
    ]);
    expect((await audited()).action).toBe("password.reset.init");
    const file = /\S+password-reset-\S+\.eml/;
    await expect.poll(() => running.stderr(), { timeout: 10_000 }).toMatch(file);
    const folder = join(skep.folder, "data", "mail");
    const name = (await readdir(folder)).find((one) => one.startsWith("password-reset-")) ?? "";
    const text = (await readFile(join(folder, name), "utf8")).replaceAll("=\n", "").replaceAll("=3D", "=");
    const reset = /password\/new\?username=bob&key=([0-9a-f]{32})/.exec(text)?.[1] ?? "";
    expect(reset).not.toBe("");
    expect(running.stderr() + running.stdout()).not.toContain(reset);
  });

  it("reset-totp: turns the second factor off, and tells its owner", async () => {
    const { sql } = database;
    const [{ id }] = await sql<[{ id: number }]>`select id from users where username = 'bob'`;
    await sql.begin((tx) => enableTotp(tx, id, "sealed", ["hash"]));
    expect(said(await run("user", "reset-totp", "bob", "--reason", "phone lost"))).toEqual([
      0,
      "bob signs in with the password alone now\n",
    ]);
    expect(await audited()).toMatchObject({
      action: "security.update",
      params: { user: { username: "bob" }, totp: "disabled", reason: "phone lost" },
    });
    expect(await sql`select from totp_secrets`).toEqual([]);
    expect(await sql`select from recovery_codes`).toEqual([]);
    const folder = join(skep.folder, "data", "mail");
    await expect.poll(() => running.stderr(), { timeout: 10_000 }).toContain(`${folder}/totp-disabled-`);

    expect(said(await run("user", "reset-totp", "bob"))).toEqual([1, "skep: bob has no second factor\n"]);
    expect(said(await run("user", "reset-totp", "nobody"))).toEqual([
      1,
      "skep: there is no account nobody\n",
    ]);
    expect(await sql`select from audit_logs where action = 'security.update'`).toHaveLength(1);
  });

  it("deactivate and activate", async () => {
    expect(said(await run("user", "deactivate", "bob", "--reason", "left"))).toEqual([
      0,
      "bob is deactivated\n",
    ]);
    expect(await audited()).toMatchObject({ action: "user.deactivate", params: { reason: "left" } });
    expect((await login("bob", "another one")).status).toBe(400);
    expect((await run("user", "deactivate", "bob")).code).toBe(1);
    expect(said(await run("user", "activate", "bob"))).toEqual([0, "bob is activated\n"]);
    expect((await audited()).action).toBe("user.activate");
    expect((await login("bob", "another one")).status).toBe(200);
  });
});

it("owner add and remove", async () => {
  expect(said(await run("owner", "add", "foo", "bob", "--level", "maintainer"))).toEqual([
    0,
    "bob owns foo (maintainer)\n",
  ]);
  expect(await audited()).toMatchObject({
    action: "owner.add",
    params: { package: { name: "foo" }, level: "maintainer", user: { username: "bob" } },
  });
  const owners = async () => (await get("/api/packages/foo/owners")).json();
  expect(await owners()).toMatchObject([
    { username: "ann", level: "full" },
    { username: "bob", level: "maintainer" },
  ]);
  const last = await run("owner", "remove", "foo", "ann");
  expect(said(last)).toEqual([
    2,
    "skep: cannot remove the last full owner of a package: add another one first\n",
  ]);
  expect((await run("owner", "add", "foo", "ann", "--level", "maintainer")).code).toBe(2);
  expect(said(await run("owner", "remove", "foo", "bob"))).toEqual([0, "bob no longer owns foo\n"]);
  expect((await audited()).action).toBe("owner.remove");
  expect(await owners()).toHaveLength(1);
  expect((await run("owner", "remove", "foo", "bob")).code).toBe(1);
  expect((await run("owner", "add", "nothing", "bob")).code).toBe(1);
});

describe("release", () => {
  const again = async (replace = "") => {
    const body = new Uint8Array(tarballOf("foo", "1.0.0"));
    const answer = await fetch(`${skep.url}/api/publish${replace}`, {
      method: "POST",
      headers: headersOf(key),
      body,
    });
    await answer.body?.cancel();
    return answer.status;
  };

  it("allow-republish: once, however old it is", async () => {
    await database.sql`
      update releases set inserted_at = now() - interval '2 days' where version = '1.0.0'`;
    await database.sql`update packages set inserted_at = now() - interval '2 days' where name = 'foo'`;
    expect(await again()).toBe(422);
    expect(said(await run("release", "allow-republish", "foo", "1.0.0", "--hours", "2"))).toEqual([
      0,
      "foo 1.0.0 may be published once more within 2 hours\n",
    ]);
    expect(await audited()).toMatchObject({
      action: "release.allow_republish",
      params: { hours: 2, release: { version: "1.0.0" } },
    });
    // A publish that fails does not use it up.
    expect(await again("?replace=false")).toBe(422);
    expect(await again()).toBe(200);
    expect(await again()).toBe(422);
    expect((await run("release", "allow-republish", "foo", "9.9.9")).code).toBe(1);
    expect((await run("release", "allow-republish", "foo", "1.0.0", "--hours", "0")).code).toBe(2);
  });

  it("a permit that has run out permits nothing", async () => {
    await run("release", "allow-republish", "foo", "1.0.0");
    await database.sql`update republish_permits set until = now() - interval '1 second'`;
    expect(await again()).toBe(422);
  });

  it("remove: whatever its age, and installs see it", async () => {
    expect((await run("release", "remove", "foo", "1.1.0")).code).toBe(2);
    const removed = await run("release", "remove", "local/foo", "1.1.0", "--reason", "a secret in it");
    expect(said(removed)).toEqual([0, "foo 1.1.0 is removed; a running generator takes its files away\n"]);
    expect(await audited()).toMatchObject({
      action: "release.remove",
      params: { reason: "a secret in it", package: { name: "foo" }, release: { version: "1.1.0" } },
    });
    expect((await get("/api/packages/foo/releases/1.1.0")).status).toBe(404);
    const verified = async () => (await skep.run(["verify", `${skep.url}/repo`, "--json"])).stdout;
    await expect.poll(verified, { timeout: 20_000 }).toContain('"releases":1');
    expect(said(await run("release", "remove", "foo", "1.1.0", "--reason", "again"))).toEqual([
      1,
      "skep: there is no foo 1.1.0\n",
    ]);
  });
});

it("package remove: not from under others, unless it must be", async () => {
  expect(await publish(skep.url, key, "bar", "1.0.0")).toBe(201);
  await database.sql`
    insert into requirements (release_id, repository, package, app, requirement)
    select r.id, 'local', 'foo', 'foo', '~> 1.0' from releases r join packages p on p.id = r.package_id
    where p.name = 'bar'`;
  const held = await run("package", "remove", "foo", "--reason", "typo");
  expect(said(held)).toEqual([2, "skep: other packages depend on foo; --force removes it all the same\n"]);
  const last = await run("release", "remove", "foo", "1.0.0", "--reason", "typo");
  expect(last.code).toBe(2);
  expect((await get("/api/packages/foo")).status).toBe(200);
  const forced = await run("package", "remove", "foo", "--reason", "typo", "--force");
  expect(said(forced)).toEqual([
    0,
    "foo is removed with 1 release(s); a running generator takes the files away\n",
  ]);
  expect(await audited()).toMatchObject({
    action: "package.remove",
    params: { reason: "typo", releases: 1 },
  });
  expect((await get("/api/packages/foo")).status).toBe(404);
  await expect.poll(async () => (await get("/repo/packages/foo")).status, { timeout: 20_000 }).toBe(404);
});

it("reserve and unreserve, a name or one version", async () => {
  expect(said(await run("reserve", "taken", "--reason", "trademark"))).toEqual([0, "taken is reserved\n"]);
  expect(await audited()).toMatchObject({
    action: "package.reserve",
    params: { name: "taken", version: null, repository: "local", reason: "trademark" },
  });
  expect(await publish(skep.url, key, "taken", "1.0.0")).toBe(422);
  expect((await run("reserve", "taken")).code).toBe(1);
  expect(said(await run("unreserve", "taken"))).toEqual([0, "taken is no longer reserved\n"]);
  expect((await audited()).action).toBe("package.unreserve");
  expect((await run("unreserve", "taken")).code).toBe(1);
  expect(said(await run("reserve", "taken", "--version", "1.0.0"))).toEqual([0, "taken 1.0.0 is reserved\n"]);
  expect(await publish(skep.url, key, "taken", "1.0.0")).toBe(422);
  expect(await publish(skep.url, key, "taken", "1.0.1")).toBe(201);
  expect((await run("reserve", "No Name")).code).toBe(2);
});

it("block add, list and remove", async () => {
  const from = { "x-forwarded-for": "192.0.2.7" };
  expect(said(await run("block", "add", "192.0.2.99/24", "--reason", "scans"))).toEqual([
    0,
    "192.0.2.0/24 is blocked\n",
  ]);
  expect(await audited()).toMatchObject({
    action: "address.block",
    params: { network: "192.0.2.0/24", reason: "scans" },
  });
  const status = async () => (await get("/api/packages", from)).status;
  await expect.poll(status, { timeout: 5_000 }).toBe(403);
  expect((await run("block", "add", "2001:db8::7")).code).toBe(0);
  expect((await run("block", "list")).stdout).toMatch(
    /^192\.0\.2\.0\/24 {2}\d{4}-\S+Z {2}scans\n2001:db8::7\/128 {2}\d{4}-\S+Z\n$/,
  );
  const [first = ""] = (await run("block", "list", "--json")).stdout.split("\n");
  expect(JSON.parse(first)).toMatchObject({ network: "192.0.2.0/24", reason: "scans" });
  expect(said(await run("block", "remove", "192.0.2.0/24"))).toEqual([
    0,
    "192.0.2.0/24 is no longer blocked\n",
  ]);
  expect((await audited()).action).toBe("address.unblock");
  await expect.poll(status, { timeout: 5_000 }).toBe(200);
  expect((await run("block", "remove", "192.0.2.0/24")).code).toBe(1);
  for (const odd of ["localhost", "1.2.3.4/33", "::1/129", "1.2.3.4/8/8", "1.2.3.4'; drop table users"]) {
    expect((await run("block", "add", odd)).code, odd).toBe(2);
  }
});

it("read-only on, status and off", async () => {
  const name = `fruit${randomBytes(3).toString("hex")}`;
  expect(said(await run("read-only", "status"))).toEqual([0, "off\n"]);
  expect(said(await run("read-only", "on", "--message", "back at noon"))).toEqual([
    0,
    "read-only mode is on\n",
  ]);
  expect(await audited()).toMatchObject({ action: "read_only.on", params: { message: "back at noon" } });
  const write = () =>
    fetch(`${skep.url}/api/keys`, {
      method: "POST",
      headers: { authorization: key, "user-agent": "test", "content-type": "application/json" },
      body: JSON.stringify({ name }),
    });
  await expect.poll(async () => (await write()).status, { timeout: 5_000 }).toBe(503);
  expect(await (await write()).json()).toEqual({ status: 503, message: "back at noon" });
  expect((await get("/repo/names")).status).toBe(200);
  const status = await run("read-only", "status");
  expect(status.stdout).toBe("on\n");
  expect(status.stderr).toMatch(/^since \d{4}-\S+Z: back at noon\n$/);
  expect(said(await run("read-only", "off"))).toEqual([0, "read-only mode is off\n"]);
  expect((await audited()).action).toBe("read_only.off");
  expect(said(await run("read-only", "off"))).toEqual([0, "read-only mode was off already\n"]);
  await expect.poll(async () => (await write()).status, { timeout: 5_000 }).toBe(201);
});
