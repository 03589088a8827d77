/** The pages of organizations: what members see and do, and what outsiders do not. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { WebClient } from "./client.ts";

let registry: TestRegistry;
let ahead = 0;
beforeAll(async () => {
  registry = await startRegistry({ clock: () => new Date(Date.now() + ahead) });
});
afterAll(() => registry.stop());

async function browser(username: string): Promise<WebClient> {
  await registry.user(username);
  const client = new WebClient(registry.url);
  await client.signIn(username);
  return client;
}
const location = (response: Response) => [response.status, response.headers.get("location")];
const told = async (response: Response) => {
  const html = await response.text();
  const text = /class="problems"[\s\S]*?<li>([\s\S]*?)<\/li>/.exec(html)?.[1] ?? "";
  return [response.status, text.replace(/<[^>]*>/g, "").replaceAll("&#39;", "'")];
};
const actionsOf = async (name: string) =>
  (
    await registry.database.sql<{ action: string }[]>`
      select action from audit_logs a join organizations o on o.id = a.organization_id where o.name = ${name}
      order by a.id`
  ).map(({ action }) => action);
const LIST = "/account/organizations";

it("somebody makes one, adds a member, makes a key that fetches, and revokes it", async () => {
  const ann = await browser("ann");
  expect(location(await ann.post(LIST, { name: "Acme" }))).toEqual([302, "/organizations/acme"]);
  const published = await registry.request("/repos/acme/publish", {
    method: "POST",
    headers: { authorization: await registry.key("ann") },
    body: new Uint8Array(packageTarball()),
  });
  expect(published.status).toBe(201);
  const page = "/organizations/acme";
  const html = await (await ann.send(page)).text();
  expect(html).toContain("example");
  expect(html).toContain(`mix hex.repo add acme ${registry.url}/repo/repos/acme`);

  const bob = await browser("bob");
  expect((await bob.send(page)).status).toBe(404);
  const added = await ann.post(`${page}/members`, { member: "BOB@example.com", role: "read" }, page);
  expect(location(added)).toEqual([302, page]);
  expect((await bob.send(page)).status).toBe(200);
  expect(await (await bob.send(LIST)).text()).toContain("acme");
  const mails = await registry.database.sql`select from mails where recipient = 'bob@example.com'`;
  expect(mails).toHaveLength(1);

  const shown = await ann.post(`${page}/keys`, { name: "ci", access: "fetch" }, page);
  const secret = /<code>([0-9a-f]{32})<\/code>/.exec(await shown.text())?.[1] ?? "";
  const fetched = async () =>
    (await fetch(`${registry.url}/repo/repos/acme/names`, { headers: { authorization: secret } })).status;
  expect(await fetched()).toBe(200);
  expect((await registry.request("/orgs/acme", { headers: { authorization: secret } })).status).toBe(401);
  expect(location(await ann.post(`${page}/keys/revoke`, { name: "ci" }, page))).toEqual([302, page]);
  expect(await fetched()).toBe(401);
  expect(await (await ann.send(page)).text()).not.toContain(secret);
  expect(await actionsOf("acme")).toEqual([
    "organization.create",
    "organization.member.add",
    "key.generate",
    "key.remove",
  ]);
});

describe("what is refused is told", () => {
  it.each([
    ["ab", "Name should be at least 3 characters."],
    ["acme", "Name has already been taken."],
    ["ann", "Name has already been taken."],
    ["local", "Name is reserved."],
    ["a b c", "Name has invalid format."],
    ["", expect.stringMatching(/^Name /)],
  ])("the name %j", async (name, text) => {
    expect(await told(await (await browser("ann")).post(LIST, { name }))).toEqual([400, text]);
  });

  it.each([
    [{ member: "nobody", role: "read" }, "Unknown user."],
    [{ member: "bob", role: "read" }, "This user is already member."],
    [{ member: "cid", role: "owner" }, "Role is invalid."],
    [{ member: "", role: "read" }, "Say whom to add."],
    [{ member: "acme", role: "read" }, "Cannot add an organization as member to an organization."],
  ])("the member %j", async (fields, text) => {
    await registry.user("cid");
    const page = "/organizations/acme";
    expect(await told(await (await browser("ann")).post(`${page}/members`, fields, page))).toEqual([
      400,
      text,
    ]);
  });

  it("the only admin neither becomes another nor leaves, and the only member does not leave", async () => {
    const page = "/organizations/acme";
    const ann = await browser("ann");
    const demoted = await ann.post(`${page}/members/change`, { member: "ann", role: "read" }, page);
    expect(await told(demoted)).toEqual([400, "Cannot demote last admin member."]);
    expect(await told(await ann.post(`${page}/leave`, {}, page))).toEqual([
      400,
      "The only admin cannot leave: make somebody else an admin first.",
    ]);
    await ann.post(LIST, { name: "alone" });
    expect(await told(await ann.post("/organizations/alone/leave", {}, "/organizations/alone"))).toEqual([
      400,
      "Cannot remove last member.",
    ]);
  });
});

it("roles change; whoever leaves sees nothing of it any more", async () => {
  const page = "/organizations/acme";
  const ann = await browser("ann");
  const bob = await browser("bob");
  await ann.post(`${page}/members/change`, { member: "bob", role: "admin" }, page);
  expect(await (await bob.send(page)).text()).toContain("Add a member");
  const left = await bob.post(`${page}/leave`, {}, page);
  expect(location(left)).toEqual([302, LIST]);
  expect((await bob.send(page)).status).toBe(404);
  expect((await actionsOf("acme")).slice(-2)).toEqual([
    "organization.member.role",
    "organization.member.remove",
  ]);
  await ann.post(`${page}/members`, { member: "bob", role: "read" }, page);
  await ann.post(`${page}/members/remove`, { member: "bob" }, page);
  expect((await bob.send(page)).status).toBe(404);
});

describe("attack: somebody without the right posts all the same", () => {
  it.each([
    ["members", { member: "eve", role: "admin" }],
    ["members/change", { member: "ann", role: "read" }],
    ["members/remove", { member: "ann" }],
    ["keys", { name: "x", access: "all" }],
    ["keys/revoke", { name: "ci" }],
  ])("%s", async (path, fields) => {
    const reader = `reader-${path.replace(/\W/g, "-")}`;
    const page = "/organizations/acme";
    await registry.user(reader);
    const ann = await browser("ann");
    await ann.post(`${page}/members`, { member: reader, role: "read" }, page);
    const html = await (await (await browser(reader)).send(page)).text();
    expect(html).not.toContain("Add a member");
    expect(html).not.toContain("Make the key");
    const before = await registry.database.sql`select count(*) from audit_logs`;
    for (const name of [reader, "eve"]) {
      const client = await browser(name);
      const { status } = await client.post(`${page}/${path}`, fields, "/account/keys");
      expect([name, status]).toEqual([name, 404]);
    }
    expect(await registry.database.sql`select count(*) from audit_logs`).toEqual(before);
  });

  it("an outsider can leave nothing", async () => {
    const eve = await browser("eve");
    expect((await eve.post("/organizations/acme/leave", {}, "/account/keys")).status).toBe(404);
  });

  it("without the form's token, and without the password of late", async () => {
    const page = "/organizations/acme";
    const ann = await browser("ann");
    const body = new URLSearchParams({ csrf: "x", member: "eve", role: "admin" });
    expect((await ann.send(`${page}/members`, { method: "POST", body })).status).toBe(403);
    ahead += 3_601_000;
    const late = await ann.post(`${page}/members/change`, { member: "bob", role: "admin" }, page);
    expect(location(late)).toEqual([302, `/sudo?return=${encodeURIComponent(page)}`]);
  });
});
