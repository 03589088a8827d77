/** Every write of a column that some file contains asks for a build, and raises both revisions. */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

let registry: TestRegistry;
let key: string;
beforeAll(async () => {
  registry = await startRegistry();
  key = await registry.key("ann");
});
afterAll(() => registry.stop());

const RELEASE = "/packages/example/releases/1.0.0";
const retirement = JSON.stringify({ reason: "other" });
const tarball = (description: string) => new Uint8Array(packageTarball({ metadata: { description } }));

it.each<
  [
    what: string,
    method: string,
    path: string,
    body: Uint8Array<ArrayBuffer> | string | undefined,
    action: string,
  ]
>([
  ["publish", "POST", "/publish", tarball("one"), "release.publish"],
  ["replace", "POST", "/packages/example/releases?replace=true", tarball("two"), "release.publish"],
  ["docs", "POST", `${RELEASE}/docs`, new Uint8Array(gzipSync("docs")), "docs.publish"],
  ["docs taken back", "DELETE", `${RELEASE}/docs`, undefined, "docs.revert"],
  ["retire", "POST", `${RELEASE}/retire`, retirement, "release.retire"],
  ["unretire", "DELETE", `${RELEASE}/retire`, undefined, "release.unretire"],
  ["retire all", "POST", "/packages/example/retire", retirement, "release.retire"],
  ["revert", "DELETE", RELEASE, undefined, "release.revert"],
])("%s", async (_, method, path, body, action) => {
  const before = await revisions();
  const headers = {
    authorization: key,
    ...(typeof body === "string" ? { "content-type": "application/json" } : {}),
  };
  const response = await registry.request(path, { method, headers, ...(body === undefined ? {} : { body }) });
  expect(response.ok).toBe(true);
  expect(await revisions()).toEqual({
    repository: before.repository + 1,
    package: before.package + 1,
    changes: before.changes + 1,
  });
  // Audited in the same transaction, with who did it.
  const [entry] = await registry.database.sql<{ action: string; username: string; agent: string }[]>`
    select a.action, u.username, a.user_agent as agent from audit_logs a join users u on u.id = a.user_id
    order by a.id desc limit 1`;
  expect(entry).toEqual({ action, username: "ann", agent: "test" });
  // Visible when it returns: what is served is of this revision or a later one.
  const [hidden] = await registry.database.sql`select from changes where visible_at is null`;
  expect(hidden).toBeUndefined();
});

async function revisions() {
  const [row] = await registry.database.sql<{ repository: number; package: number; changes: number }[]>`
    select (select revision from repositories) as repository,
      coalesce((select revision from package_revisions where name = 'example'), 0) as package,
      (select count(*) from changes where package = 'example') as changes`;
  if (row === undefined) throw new Error("no row");
  return row;
}

it("owners and keys ask for none: no file contains them", async () => {
  await registry.request("/publish", {
    method: "POST",
    headers: { authorization: key },
    body: tarball("three"),
  });
  await registry.user("bob");
  const before = await revisions();
  const put = await registry.request("/packages/example/owners/bob", {
    method: "PUT",
    headers: { authorization: key },
  });
  expect(put.status).toBe(204);
  expect(await revisions()).toEqual(before);
});
