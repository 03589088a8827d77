/** What `skep organization` does, without a process for each case. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeOrganizationKey } from "../../cli/api-keys.ts";
import { addMember, makeOrganization, removeMember } from "../../cli/organizations.ts";
import { repositoryName, trusted } from "../../hex/ids.ts";
import type { Sql } from "../../store/postgres/pool.ts";
import { ensurePublicRepository } from "../../store/queries/repositories.ts";
import { makeUser } from "../support/accounts.ts";
import { KEY_SECRET, NAME } from "../support/api-settings.ts";
import { createTestDatabase } from "../support/database.ts";
import type { TestDatabase } from "../support/open-database.ts";

const settings = { repositoryName: NAME, externalRepositories: [trusted(repositoryName, "hexpm")] };

let database: TestDatabase;
let sql: Sql;
beforeAll(async () => {
  database = await createTestDatabase();
  // As the command does it.
  sql = database.pool({ role: "skep_api", max: 2 });
  await ensurePublicRepository(sql, NAME);
  for (const name of ["ann", "bob"]) await makeUser(database.sql, name);
  await makeOrganization(sql, settings, { name: "Acme", admin: "ann" });
});
afterAll(() => database.drop());

it.each([
  ["acme", undefined, "already_exists: name has already been taken"],
  ["bob", undefined, "already_exists: name has already been taken"],
  ["local", undefined, "usage: name is reserved"],
  ["hexpm", undefined, "usage: name is reserved"],
  ["elixir", undefined, "usage: name is reserved"],
  ["ab", undefined, "usage: name should be at least 3 character(s)"],
  ["...", undefined, "usage: name has invalid format"],
  ["a/b/c", undefined, "usage: name has invalid format"],
  ["beta", "nobody", "not_found: there is no account nobody"],
  ["beta", "acme", "usage: acme is the account of an organization"],
])("create %s with the admin %s", async (name, admin, expected) => {
  expect(await told(makeOrganization(sql, settings, { name, admin }))).toBe(expected);
  const left = await sql`select name from organizations where name <> 'acme'`;
  expect(left).toEqual([]);
});

it("member add and remove", async () => {
  const bob = { organization: "acme", username: "bob" };
  expect(await told(addMember(sql, { ...bob, role: "owner" }))).toBe("usage: role is invalid");
  expect(await told(removeMember(sql, bob))).toBe("not_found: bob is no member of acme");
  expect(await addMember(sql, { ...bob, role: "write" })).toBe("write");
  expect(await told(addMember(sql, { ...bob, role: "read" }))).toBe(
    "already_exists: user_id is already member",
  );
  expect(await told(addMember(sql, { ...bob, organization: "none", role: "read" }))).toBe(
    "not_found: there is no organization none",
  );
  await removeMember(sql, bob);
  expect(await told(removeMember(sql, { organization: "acme", username: "ann" }))).toBe(
    "usage: cannot remove last member",
  );
});

it("key, for its packages unless told otherwise", async () => {
  const wishes = {
    organization: "acme",
    name: "ci",
    permissions: [],
    repository: NAME,
    keySecret: KEY_SECRET,
  };
  const { key, secret } = await makeOrganizationKey(sql, wishes);
  expect(key).toMatchObject({ name: "ci", permissions: [{ domain: "repository", resource: "acme" }] });
  expect(secret).toMatch(/^[0-9a-f]{32}$/);
  const second = await makeOrganizationKey(sql, { ...wishes, permissions: ["api:read"] });
  expect(second.key).toMatchObject({ name: "ci-2", permissions: [{ domain: "api", resource: "read" }] });
  expect(await told(makeOrganizationKey(sql, { ...wishes, organization: "none" }))).toBe(
    "not_found: there is no organization none",
  );
});

it("each is in the organization's log", async () => {
  const rows = await sql`
    select action, user_agent as command, params->'user'->>'username' as username, params->>'role' as role
    from audit_logs where organization_id = (select id from organizations where name = 'acme') order by id`;
  expect(rows).toEqual(
    [
      ["organization.create", "skep organization create", null, null],
      ["organization.member.add", "skep organization create", "ann", "admin"],
      ["organization.member.add", "skep organization member add", "bob", "write"],
      ["organization.member.remove", "skep organization member remove", "bob", null],
      ["key.generate", "skep organization key", null, null],
      ["key.generate", "skep organization key", null, null],
    ].map(([action, command, username, role]) => ({ action, command, username, role })),
  );
});

async function told(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "done",
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  );
}
