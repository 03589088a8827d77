/** What `skep organization rename` does to everything that carries the name. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { renameOrganization } from "../../cli/organizations.ts";
import { repositoryName, trusted } from "../../hex/ids.ts";
import { NAME } from "../support/api-settings.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

const settings = { repositoryName: NAME, externalRepositories: [trusted(repositoryName, "hexpm")] };

let registry: TestRegistry;
/** Done once, between the look-up of a publish and its transaction. */
let meanwhile: (() => Promise<unknown>) | undefined;
beforeAll(async () => {
  registry = await startRegistry({
    onStep: async (step, phase) => {
      const work = step === "commit" && phase === "before" ? meanwhile : undefined;
      if (work === undefined) return;
      meanwhile = undefined;
      await work();
    },
  });
  await registry.organization("acme", { ann: "admin" });
  await registry.organization("other", {});
});
afterAll(() => registry.stop());

const rename = (from: string, to: string) =>
  renameOrganization(registry.database.sql, settings, { from, to });
const told = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  );
const statusOf = async (path: string, authorization: string) =>
  (await registry.request(path, { headers: { authorization } })).status;
const fileStatus = async (path: string, authorization: string) =>
  (await fetch(`${registry.url}/repo/${path}`, { headers: { authorization } })).status;

it.each([
  ["none", "zenith", "not_found: there is no organization none"],
  ["acme", "other", "already_exists: other is taken, or was an organization's name before"],
  ["acme", "ann", "already_exists: ann is taken, or was an organization's name before"],
  ["acme", "acme", "already_exists: acme is taken, or was an organization's name before"],
  ["acme", "local", "usage: name is reserved"],
  ["acme", "a/b/c", "usage: name has invalid format"],
])("%s to %s", async (from, to, expected) => {
  expect(await told(rename(from, to))).toBe(expected);
});

it("keys follow, addresses change, and nobody gets the old name", async () => {
  const full = await registry.key("ann");
  const published = await registry.request("/repos/acme/publish", {
    method: "POST",
    headers: { authorization: full },
    body: new Uint8Array(packageTarball()),
  });
  expect(published.status).toBe(201);
  const reader = await registry.organizationKey("acme", [{ domain: "repository", resource: "acme" }]);
  const publisher = await registry.key("ann", [
    { domain: "docs", resource: "acme" },
    { domain: "package", resource: "acme/example" },
    { domain: "package", resource: "acme2/example" },
    { domain: "repository", resource: "acme2" },
  ]);
  expect(await fileStatus("repos/acme/names", reader)).toBe(200);

  expect(await rename("acme", "zenith")).toBe("zenith");
  await expect.poll(() => fileStatus("repos/zenith/packages/example", reader), { timeout: 20_000 }).toBe(200);
  expect(await fileStatus("repos/acme/packages/example", reader)).toBe(401);
  expect(await statusOf("/repos/zenith/packages/example", full)).toBe(200);
  expect(await statusOf("/repos/acme/packages/example", full)).toBe(404);
  expect(await statusOf("/orgs/zenith", full)).toBe(200);
  expect(await statusOf("/orgs/acme", full)).toBe(404);

  const { sql } = registry.database;
  const [key] = await sql`select permissions from keys where permissions::text like '%docs%'`;
  expect(key?.permissions).toEqual([
    { domain: "docs", resource: "zenith" },
    { domain: "package", resource: "zenith/example" },
    { domain: "package", resource: "acme2/example" },
    { domain: "repository", resource: "acme2" },
  ]);
  expect(await statusOf("/repos/zenith/packages/example", publisher)).toBe(200);
  const [entry] = await sql`select action, params from audit_logs order by id desc limit 1`;
  expect(entry).toMatchObject({
    action: "organization.rename",
    params: { from: "acme", organization: { name: "zenith" } },
  });

  expect(await told(rename("zenith", "acme"))).toContain("was an organization's name before");
  const user = { username: "acme", email: "acme@example.com", password: "long enough" };
  const made = await registry.request("/users", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(user),
  });
  expect([made.status, await made.json()]).toMatchObject([
    422,
    { errors: { username: "has already been taken" } },
  ]);
});

it("a publish that had looked the old name up is refused, and nothing of it is written", async () => {
  const { sql } = registry.database;
  const key = await registry.organizationKey("other");
  const before = await sql`select count(*) from releases`;
  // Its bytes are stored; its transaction begins next.
  meanwhile = () => rename("other", "another");
  const refused = await registry.request("/repos/other/publish", {
    method: "POST",
    headers: { authorization: key },
    body: new Uint8Array(packageTarball()),
  });
  expect([refused.status, meanwhile]).toEqual([404, undefined]);
  expect(await sql`select count(*) from releases`).toEqual(before);
  expect(await statusOf("/orgs/another", key)).toBe(200);
});
