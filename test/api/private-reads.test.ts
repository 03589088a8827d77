/** Who may fetch from a private repository, as the built-in static server decides. */
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEdge } from "../../edge/app.ts";
import { createPrivateReaders } from "../../edge/readers.ts";
import { fixedKeys } from "../../edge/renewed-keys.ts";
import { parseTokenKeys } from "../../schemas/access-token/keys.ts";
import { signToken, type TokenClaims } from "../../schemas/access-token/token.ts";
import { MemoryStore } from "../../store/objects/memory.ts";
import type { KeyPermission } from "../../store/queries/keys.ts";
import { KEY_SECRET, NAME, TOKEN_KEYS } from "../support/api-settings.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { testSigner } from "../support/signing.ts";

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

function otherTokenKeys() {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return parseTokenKeys(privateKey.export({ type: "pkcs8", format: "pem" }).toString(), "a test");
}

/** What a verifier falls for that believes the header (RFC 8725, 3.1). */
function withoutAlgorithm(token: string): string {
  const header = Buffer.from(JSON.stringify({ alg: "none", typ: "JWT" })).toString("base64url");
  return `${header}.${token.split(".")[1]}.`;
}

describe("without the database", () => {
  const store = new MemoryStore();
  const broken = (() => {
    throw new Error("no database");
  }) as never;
  const edge = createEdge({
    store,
    repository: { name: NAME, public: true },
    readers: createPrivateReaders({
      apiKeys: { sql: broken, secret: KEY_SECRET },
      tokenKeys: fixedKeys({ publicKeys: TOKEN_KEYS.publicKeys }),
      registryKeys: fixedKeys({ publicKeys: [createPublicKey(testSigner().publicKeyPem)] }),
      clock: () => new Date(),
    }),
  });
  beforeAll(async () => {
    await store.put("names", Buffer.from("open"), { precondition: { kind: "absent" } });
    await store.put("repos/acme/names", Buffer.from("closed"), { precondition: { kind: "absent" } });
  });

  const now = Math.floor(Date.now() / 1000);
  const claims: TokenClaims = {
    subject: "user:ann",
    id: "jti",
    scopes: ["repository:local", "repository:acme"],
    expiresAt: now + 60,
    kind: "access",
  };
  const sign = (changed: Partial<TokenClaims>, keys = TOKEN_KEYS, at = now) =>
    signToken(keys, { ...claims, ...changed }, at);

  it.each<[string, Promise<string>, number]>([
    ["of its reader", sign({}), 200],
    ["of another repository", sign({ scopes: ["repository:acm", "repository:acme2", "repositories"] }), 403],
    ["for the API", sign({ scopes: ["api:read", "api:write", "docs:acme"] }), 403],
    ["to refresh with", sign({ kind: "refresh" }), 401],
    ["that has run out", sign({ expiresAt: now - 1 }), 401],
    ["of tomorrow", sign({ expiresAt: now + 100_000 }, TOKEN_KEYS, now + 86_400), 401],
    ["of another key", sign({}, otherTokenKeys()), 401],
    ["without a signature", sign({}).then((token) => token.replace(/[^.]*$/, "")), 401],
    ["of no algorithm", sign({}).then(withoutAlgorithm), 401],
    ["of nothing", Promise.resolve("wrong"), 401],
  ])("3.4: a token %s is judged by itself", async (_, token, status) => {
    const headers = { authorization: `Bearer ${await token}` };
    expect((await edge.request("/repos/acme/names", { headers })).status).toBe(status);
  });

  it("a token with any bit of it changed is none", async () => {
    const token = await sign({});
    // The last letter holds bits that are not part of the signature.
    for (let index = 0; index < token.length - 1; index += 7) {
      const bytes = Buffer.from(token);
      bytes[index] = bytes[index] === 65 ? 66 : 65;
      const headers = { authorization: `Bearer ${bytes}` };
      const { status } = await edge.request("/repos/acme/names", { headers });
      if (bytes.toString() !== token) expect([index, status]).toEqual([index, 401]);
    }
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
  });
});
