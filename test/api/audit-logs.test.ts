/** The audit log, as its readers see it, and what each action leaves in it. */

import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

interface AuditLog {
  readonly action: string;
  readonly user_agent: string;
  readonly params: Readonly<Record<string, unknown>>;
}

let registry: TestRegistry;
let ann: string;
let bob: string;

beforeAll(async () => {
  registry = await startRegistry({ settings: { publishWaitMilliseconds: 0 }, generator: false });
  ann = await registry.key("ann");
  bob = await registry.key("bob");
});
afterAll(() => registry.stop());

async function send(
  key: string,
  method: string,
  path: string,
  body?: object | Uint8Array,
): Promise<Response> {
  const raw = body instanceof Uint8Array;
  const response = await registry.request(path, {
    method,
    headers: {
      authorization: key,
      "user-agent": `${method} ${path}`,
      ...(raw ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: raw ? new Uint8Array(body) : JSON.stringify(body) }),
  });
  expect(response.status, await response.clone().text()).toBeLessThan(300);
  return response;
}

async function logs(path: string, key = ann): Promise<readonly AuditLog[]> {
  return (await (await send(key, "GET", path)).json()) as readonly AuditLog[];
}

const id = expect.any(Number);

describe("7.15: what an action leaves, appendix D", () => {
  const meta = expect.objectContaining({ description: expect.any(String), licenses: expect.any(Array) });
  const target = { id, name: "example", meta };
  const release = (parts: object = {}) => ({
    package: target,
    release: {
      id,
      version: "1.0.0",
      has_docs: false,
      package_id: id,
      meta: { app: "example", build_tools: ["mix"], elixir: "~> 1.14" },
      retirement: null,
      ...parts,
    },
  });
  const user = { id, username: "bob", handles: {} };

  it("on a package: shown to its readers, the newest first", async () => {
    const steps: [string, string, object | Uint8Array | undefined, string, object][] = [
      ["POST", "/publish", packageTarball(), "release.publish", release()],
      [
        "POST",
        "/packages/example/releases/1.0.0/docs",
        gzipSync(Buffer.alloc(1024)),
        "docs.publish",
        release({ has_docs: true }),
      ],
      [
        "POST",
        "/packages/example/releases/1.0.0/retire",
        { reason: "security", message: "leaks" },
        "release.retire",
        release({ has_docs: true, retirement: { reason: "security", message: "leaks" } }),
      ],
      [
        "DELETE",
        "/packages/example/releases/1.0.0/retire",
        undefined,
        "release.unretire",
        release({ has_docs: true }),
      ],
      [
        "POST",
        "/packages/example/retire",
        { reason: "other" },
        "release.retire",
        release({ has_docs: true, retirement: { reason: "other", message: null } }),
      ],
      [
        "DELETE",
        "/packages/example/releases/1.0.0/docs",
        undefined,
        "docs.revert",
        release({ retirement: { reason: "other", message: null } }),
      ],
      [
        "PUT",
        "/packages/example/owners/bob",
        { level: "maintainer" },
        "owner.add",
        { package: target, level: "maintainer", user },
      ],
      [
        "DELETE",
        "/packages/example/owners/bob",
        undefined,
        "owner.remove",
        { package: target, level: "maintainer", user },
      ],
      [
        "PUT",
        "/packages/example/owners/ann",
        { transfer: true },
        "owner.transfer",
        { package: target, level: "full", user: { ...user, username: "ann" } },
      ],
    ];
    for (const [method, path, body] of steps) await send(ann, method, path, body);
    const expected = steps
      .map(([method, path, , action, params]) => ({ action, user_agent: `${method} ${path}`, params }))
      .reverse();
    expect(await logs("/packages/example/audit-logs")).toEqual(expected);
    expect(await logs("/repos/local/packages/example/audit-logs", bob)).toEqual(expected);
    const anonymous = await registry.request("/packages/example/audit-logs");
    expect(await anonymous.json()).toEqual(expected);
  });

  it("on a release that is reverted", async () => {
    const body = packageTarball({ metadata: { version: "1.1.0" } });
    await send(ann, "POST", "/publish", body);
    await send(ann, "DELETE", "/packages/example/releases/1.1.0");
    const [first] = await logs("/packages/example/audit-logs");
    expect(first).toMatchObject({ action: "release.revert", params: release({ version: "1.1.0" }) });
  });

  it("on keys", async () => {
    const permissions = [{ domain: "api", resource: "read" }];
    await send(bob, "POST", "/keys", { name: "ci", permissions });
    await send(bob, "DELETE", "/keys/ci");
    const params = { id, name: "ci", permissions, user, organization: null };
    expect((await logs("/users/me/audit-logs", bob)).slice(0, 2)).toEqual([
      { action: "key.remove", user_agent: "DELETE /keys/ci", params },
      { action: "key.generate", user_agent: "POST /keys", params },
    ]);
  });

  it("never a secret", async () => {
    const all = await registry.database.sql`select params::text from audit_logs`;
    expect(JSON.stringify(all)).not.toMatch(/[0-9a-f]{32}|secret|password/);
  });
});

describe("7.2, 7.15: lists", () => {
  it("/users/me shows what the user has done, and nobody else's", async () => {
    const own = await logs("/users/me/audit-logs", bob);
    expect(own.map(({ action }) => action)).toEqual(["key.remove", "key.generate"]);
    expect((await logs("/users/me/audit-logs")).map(({ action }) => action)).toContain("release.publish");
  });

  it("a package that was removed and published again by another begins anew", async () => {
    const body = packageTarball({ metadata: { name: "again" } });
    await send(ann, "POST", "/publish", body);
    await send(ann, "DELETE", "/packages/again/releases/1.0.0");
    await send(bob, "POST", "/publish", body);
    expect((await logs("/packages/again/audit-logs")).map(({ action }) => action)).toEqual([
      "release.publish",
    ]);
  });

  it("1.6: 100 a page", async () => {
    await registry.database.sql`
      insert into audit_logs (action, params, user_id, user_agent)
      select 'test', jsonb_build_object('n', n), u.id, repeat('x', 255) from users u, generate_series(1, 201) n
      where u.username = 'bob'`;
    const numbers = async (query: string) =>
      (await logs(`/users/me/audit-logs${query}`, bob)).map(({ params }) => params.n);
    expect(await numbers("")).toEqual(Array.from({ length: 100 }, (_, index) => 201 - index));
    expect(await numbers("?page=2")).toEqual(Array.from({ length: 100 }, (_, index) => 101 - index));
    expect((await numbers("?page=3"))[0]).toBe(1);
    expect(await numbers("?page=4")).toEqual([]);
    expect(await numbers("?page=none")).toHaveLength(100);
  });

  it("a user agent is cut to 255 characters", async () => {
    const headers = { authorization: bob, "content-type": "application/json", "user-agent": "y".repeat(300) };
    await registry.request("/keys", { method: "POST", headers, body: JSON.stringify({ name: "long" }) });
    expect((await logs("/users/me/audit-logs", bob))[0]?.user_agent).toBe("y".repeat(255));
  });

  it("of a package that is not there is 404", async () => {
    expect((await registry.request("/packages/nothing/audit-logs")).status).toBe(404);
  });
});

it("row 6: /users/:name/test is /users/:name for who is authenticated", async () => {
  expect((await registry.request("/users/ann/test")).status).toBe(401);
  const again = await send(bob, "GET", "/users/ann/test");
  const once = await send(bob, "GET", "/users/ann");
  expect(await again.json()).toEqual(await once.json());
  expect(again.headers.get("etag")).toBe(once.headers.get("etag"));
});
