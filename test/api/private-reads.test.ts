/** Who may fetch from a private repository, as the built-in static server decides. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEdge } from "../../edge/app.ts";
import { type BearerVerdict, createPrivateReaders } from "../../edge/readers.ts";
import { MemoryStore } from "../../store/objects/memory.ts";
import type { KeyPermission } from "../../store/queries/keys.ts";
import { KEY_SECRET, NAME } from "../support/api-settings.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

let registry: TestRegistry;
beforeAll(async () => {
  registry = await startRegistry();
  await registry.organization("acme", { writing: "write", reading: "read", closed: "read", mute: "read" });
  await registry.organization("other", { elsewhere: "admin" });
  const published = await registry.request("/repos/acme/publish", {
    method: "POST",
    headers: { authorization: await registry.key("writing") },
    body: new Uint8Array(packageTarball()),
  });
  expect(published.status).toBe(201);
  const { sql } = registry.database;
  await registry.user("helper");
  await sql`update users set service = true where username = 'helper'`;
  await sql`update users set deactivated_at = now() where username = 'closed'`;
  await sql`update emails set verified = false where email = 'mute@example.com'`;
});
afterAll(() => registry.stop());

const FILE = "/repo/repos/acme/packages/example";

function fetchFile(path: string, authorization?: string, init: RequestInit = {}): Promise<Response> {
  const headers = { ...init.headers, ...(authorization === undefined ? {} : { authorization }) };
  return fetch(registry.url + path, { ...init, headers });
}

const its: KeyPermission = { domain: "repository", resource: "acme" };
const all: KeyPermission = { domain: "repositories", resource: null };

describe("a key", () => {
  it.each<[who: string, permission: KeyPermission, path: string, status: number, text?: string]>([
    ["reading", its, FILE, 200],
    ["reading", all, FILE, 200],
    ["acme", its, FILE, 200],
    ["acme", all, FILE, 200],
    ["helper", { domain: "api", resource: null }, FILE, 200],
    ["reading", its, "/repo/repos/acme/tarballs/example-1.0.0.tar", 200],
    ["reading", its, "/repo/repos/acme/names", 200],
    ["reading", its, "/repo/repos/acme/public_key", 200],
    ["reading", its, "/repo/repos/acme/packages/none", 404, "not found"],
    ["reading", its, "/repo/repos/acme/policies", 404, "not found"],
    ["reading", { domain: "api", resource: null }, FILE, 401, "key not authorized for this action"],
    ["reading", { domain: "docs", resource: "acme" }, FILE, 401, "key not authorized for this action"],
    ["reading", its, "/repo/repos/other/names", 401, "key not authorized for this action"],
    ["reading", all, "/repo/repos/other/names", 403, "account not authorized for this action"],
    // As for one of others: whether it is there is nobody's business.
    ["reading", all, "/repo/repos/nobody/names", 403, "account not authorized for this action"],
    ["reading", all, "/repo/repos/local/names", 403, "account not authorized for this action"],
    ["elsewhere", its, FILE, 403, "account not authorized for this action"],
    ["other", its, FILE, 403, "account not authorized for this action"],
    ["mute", its, FILE, 403, "email not verified"],
    ["closed", its, FILE, 401, "invalid API key"],
  ])("of %s with %j for %s: %i", async (who, permission, path, status, text) => {
    const isOrganization = who === "acme" || who === "other";
    const key = isOrganization
      ? await registry.organizationKey(who, [permission])
      : await registry.key(who, [permission]);
    const response = await fetchFile(path, key);
    expect(response.status).toBe(status);
    if (status === 200) {
      expect(response.headers.get("cache-control")).toMatch(/^private, /);
      expect(response.headers.get("vary")).toBe("authorization");
      expect(response.headers.get("surrogate-key")).toBeNull();
      return;
    }
    expect(await response.text()).toBe(`${text}\n`);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("www-authenticate")).toBe(status === 401 ? 'Bearer realm="hex"' : null);
  });

  it("that is revoked, or of an account of an organization, is worth nothing at once", async () => {
    const key = await registry.key("reading", [its, { domain: "api", resource: null }]);
    expect((await fetchFile(FILE, key)).status).toBe(200);
    await registry.request("/keys", { method: "DELETE", headers: { authorization: key } });
    const revoked = await fetchFile(FILE, key);
    expect([revoked.status, await revoked.text()]).toEqual([401, "API key revoked\n"]);
    expect((await fetchFile(FILE, await registry.key("acme", [all]))).status).toBe(401);
  });

  it("of a member who has left, or of an organization that does not pay: 403", async () => {
    const key = await registry.organizationKey("acme", [its]);
    await registry.database.sql`update organizations set billing_active = false where name = 'acme'`;
    const unpaid = await fetchFile(FILE, key);
    expect([unpaid.status, await unpaid.text()]).toEqual([
      403,
      "organization has no active billing subscription\n",
    ]);
    await registry.database.sql`update organizations set billing_active = true`;
    const member = await registry.key("writing", [its]);
    expect((await fetchFile(FILE, member)).status).toBe(200);
    await registry.database.sql`
      delete from memberships where user_id = (select id from users where username = 'writing')`;
    expect((await fetchFile(FILE, member)).status).toBe(403);
  });

  it("is known to be in use", async () => {
    const { sql } = registry.database;
    const key = await registry.organizationKey("acme", [its]);
    const used = () => sql`select from keys where organization_id is not null and last_used_at is not null`;
    const before = (await used()).length;
    await fetchFile(FILE, key);
    expect(await used()).toHaveLength(before + 1);
  });
});

it.each([
  ["nothing", undefined, "missing authentication information"],
  ["a key that nobody has", "0".repeat(32), "invalid API key"],
  ["a password", `Basic ${Buffer.from("reading:password").toString("base64")}`, "invalid API key"],
  ["a token, where there are none", "Bearer abc", "invalid API key"],
])("%s: 401, whatever is asked for", async (_, authorization, text) => {
  for (const path of [FILE, "/repo/repos/acme/packages/none", "/repo/repos/nobody/names"]) {
    for (const method of ["GET", "HEAD"]) {
      const response = await fetchFile(path, authorization, { method });
      expect([response.status, await response.text()]).toEqual([401, method === "HEAD" ? "" : `${text}\n`]);
    }
  }
});

it("nothing of a private repository is found by a public path, or by one that only looks so", async () => {
  const key = await registry.key("elsewhere", [all]);
  for (const path of ["/repo/packages/example", "/repo/tarballs/example-1.0.0.tar"]) {
    expect((await fetchFile(path)).status).toBe(404);
  }
  for (const path of [
    "/repo/repos%2facme/packages/example",
    "/repo/repos/other%2f..%2facme/packages/example",
    "/repo/repos/./acme/packages/example",
    "/repo/repos//acme/packages/example",
    "/repo/repos/ACME/packages/example",
  ]) {
    expect([path, (await fetchFile(path, key)).status]).toEqual([path, expect.toBeOneOf([401, 403, 404])]);
  }
});

describe("without the database", () => {
  const store = new MemoryStore();
  const asked: string[] = [];
  const broken = (() => {
    throw new Error("no database");
  }) as never;
  const verdicts = new Map<string, BearerVerdict>([
    ["right", "allowed"],
    ["narrow", "forbidden"],
  ]);
  const edge = createEdge({
    store,
    repository: { name: NAME, public: true },
    readers: createPrivateReaders({
      sql: broken,
      keySecret: KEY_SECRET,
      clock: () => new Date(),
      async authorizeBearer(token, repository) {
        asked.push(`${token} for ${repository}`);
        return verdicts.get(token) ?? "invalid";
      },
    }),
  });
  beforeAll(async () => {
    await store.put("names", Buffer.from("open"), { precondition: { kind: "absent" } });
    await store.put("repos/acme/names", Buffer.from("closed"), { precondition: { kind: "absent" } });
  });

  it("a token is judged by itself", async () => {
    for (const [token, status] of [
      ["right", 200],
      ["narrow", 403],
      ["wrong", 401],
    ] as const) {
      const headers = { authorization: `Bearer ${token}` };
      expect((await edge.request("/repos/acme/names", { headers })).status).toBe(status);
    }
    expect(asked).toEqual(["right for acme", "narrow for acme", "wrong for acme"]);
  });

  it("a key is neither let in nor refused: 503", async () => {
    const response = await edge.request("/repos/acme/names", { headers: { authorization: "0".repeat(32) } });
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
  });

  it("public files ask nobody", async () => {
    for (const authorization of ["Bearer wrong", "0".repeat(32), "Basic x"]) {
      const response = await edge.request("/names", { headers: { authorization } });
      expect([response.status, await response.text()]).toEqual([200, "open"]);
    }
    expect(asked).toHaveLength(3);
  });
});
