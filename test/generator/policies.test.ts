/** Policies from the row to the reader: signed, purged, given to those whom they say, and gone when they are deleted. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createEdge } from "../../edge/app.ts";
import { checkBucket } from "../../generator/check.ts";
import { Generator } from "../../generator/generator.ts";
import { rebuild } from "../../generator/rebuild.ts";
import { type PolicyName, policyName, trusted } from "../../hex/ids.ts";
import { gunzipOneMember } from "../../proto/gzip.ts";
import { decodePolicy } from "../../proto/policy.ts";
import { verifySigned } from "../../proto/sign.ts";
import type { PolicyDocument } from "../../schemas/policy.ts";
import { recordChange } from "../../store/queries/changes.ts";
import { deletePolicy, writePolicy } from "../../store/queries/policies.ts";
import { NAME } from "../support/api-settings.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { testSigner } from "../support/signing.ts";

const STRICT = trusted(policyName, "strict-prod");
const KEY = "repos/acme/policies/strict-prod";
const DOCUMENT: PolicyDocument = {
  description: "What may run",
  visibility: "private",
  repositories: [
    {
      repository: "hexpm",
      restriction: { advisory_min_severity: "high", retirement_reasons: ["security"], cooldown: "7d" },
      overrides: [{ action: "allow", package: "plug", requirement: "~> 1.16" }],
    },
  ],
};

let registry: TestRegistry;
let repositoryId: number;
let key: string;
beforeAll(async () => {
  registry = await startRegistry();
  await registry.organization("acme", { ann: "read" });
  const [row] = await registry.database.sql<
    { id: number }[]
  >`select id from repositories where name = 'acme'`;
  repositoryId = row?.id ?? 0;
  key = await registry.key("ann", [{ domain: "repository", resource: "acme" }]);
});
afterAll(() => registry.stop());
beforeEach(() => apply(STRICT, DOCUMENT));

/** As `skep policy apply` and `delete`, and then as long as it takes. */
async function change(work: (tx: Parameters<typeof recordChange>[0]) => Promise<unknown>): Promise<void> {
  const { sql } = registry.database;
  await sql.begin(async (tx) => {
    await work(tx);
    await recordChange(tx, { repositoryId, package: undefined });
  });
  await settled();
}
const apply = (name: PolicyName, document: PolicyDocument) =>
  change((tx) => writePolicy(tx, repositoryId, name, document));
const settled = () =>
  expect
    .poll(async () => (await registry.database.sql`select from changes where visible_at is null`).length, {
      timeout: 20_000,
    })
    .toBe(0);

const fetchPolicy = (authorization?: string) =>
  fetch(`${registry.url}/repo/${KEY}`, { headers: authorization === undefined ? {} : { authorization } });
const decoded = (body: Uint8Array) =>
  decodePolicy(verifySigned(gunzipOneMember(body, 1 << 20), testSigner().publicKeyPem));

describe("a private policy", () => {
  it("is signed, and read by members alone", async () => {
    const response = await fetchPolicy(key);
    expect(response.headers.get("cache-control")).toBe("private, max-age=60");
    expect(decoded(new Uint8Array(await response.arrayBuffer()))).toEqual({
      repository: "acme",
      name: "strict-prod",
      description: "What may run",
      visibility: "private",
      repositories: [
        {
          repository: "hexpm",
          restriction: { advisoryMinSeverity: "high", retirementReasons: ["security"], cooldown: "7d" },
          overrides: [{ action: "allow", ref: { package: "plug", requirement: "~> 1.16" } }],
        },
      ],
      revision: expect.any(Number),
    });
    const outsider = await registry.key("eve", [{ domain: "repositories", resource: null }]);
    expect((await fetchPolicy()).status).toBe(401);
    expect((await fetchPolicy(outsider)).status).toBe(403);
    const head = await registry.publicStore.head(KEY);
    expect(head?.cacheControl).toBe("private, max-age=60");
  });

  it("shows outsiders nothing, whatever they ask with", async () => {
    const head = await registry.publicStore.head(KEY);
    const etag = `"${head?.etag}"`;
    for (const method of ["GET", "HEAD"]) {
      for (const headers of [
        {},
        { "if-none-match": etag },
        { "if-none-match": "*" },
        { range: "bytes=0-9" },
      ]) {
        const response = await fetch(`${registry.url}/repo/${KEY}`, { method, headers });
        expect([response.status, response.headers.get("etag")]).toEqual([401, null]);
        expect(response.headers.get("cache-control")).toBe("no-store");
      }
    }
    // One that is not there is told the same.
    expect((await fetch(`${registry.url}/repo/repos/acme/policies/none`)).status).toBe(401);
  });

  it("stays as it is when something else changes", async () => {
    const before = await registry.publicStore.head(KEY);
    await apply(trusted(policyName, "second"), DOCUMENT);
    const published = await registry.request("/repos/acme/publish", {
      method: "POST",
      headers: { authorization: await registry.organizationKey("acme") },
      body: new Uint8Array(packageTarball()),
    });
    expect(published.status).toBe(201);
    await settled();
    expect((await registry.publicStore.head(KEY))?.etag).toBe(before?.etag);
    await change((tx) => deletePolicy(tx, repositoryId, trusted(policyName, "second")));
  });

  it("is put back by the sampler", async () => {
    const before = await registry.publicStore.get(KEY);
    await registry.publicStore.delete(KEY);
    // From the first key on: a round looks at a few objects, and begins anywhere.
    await new Generator({ ...registry.generator, random: () => 0 }).sampleAll();
    await settled();
    expect((await registry.publicStore.get(KEY))?.body).toEqual(before?.body);
  });
});

describe("a public policy", () => {
  it("is read by everybody, until it is private again", async () => {
    await apply(STRICT, { ...DOCUMENT, visibility: "public" });
    const open = await fetchPolicy();
    expect([open.status, open.headers.get("cache-control")]).toEqual([200, "public, max-age=600"]);
    expect(open.headers.get("vary")).not.toBe("authorization");
    expect((await registry.publicStore.head(KEY))?.cacheControl).toBe("public, max-age=600");
    // Nothing else of the repository is.
    expect((await fetch(`${registry.url}/repo/repos/acme/names`)).status).toBe(401);
    await apply(STRICT, DOCUMENT);
    expect((await fetchPolicy()).status).toBe(401);
  });
});

describe("attack: a policy that is not certainly public", () => {
  const edge = () =>
    createEdge({
      store: registry.publicStore,
      repository: { name: NAME, public: true },
      surrogateHeaders: true,
    });
  const put = (body: Uint8Array) => registry.publicStore.put(KEY, body, { precondition: { kind: "none" } });

  it("is private, whatever is wrong with it", async () => {
    await apply(STRICT, { ...DOCUMENT, visibility: "public" });
    const good = (await registry.publicStore.get(KEY))?.body ?? new Uint8Array();
    expect((await edge().request(`/${KEY}`)).status).toBe(200);
    const { gzipSync } = await import("node:zlib");
    for (const body of [
      new Uint8Array(),
      good.subarray(0, good.length - 1),
      Buffer.concat([good, good]),
      gzipSync(Buffer.from("0a00", "hex")),
      // A visibility that nobody knows yet.
      gzipSync(Buffer.from("0a080a017212016e2002", "hex")),
      gzipSync(Buffer.alloc(64 << 20)),
    ]) {
      await put(body);
      const response = await edge().request(`/${KEY}`);
      expect(response.status).toBe(404);
      expect(response.headers.get("surrogate-key")).toBeNull();
    }
    await put(good);
  });

  it("is judged by the bytes that are sent, also while it changes", async () => {
    await apply(STRICT, { ...DOCUMENT, visibility: "public" });
    const open = (await registry.publicStore.get(KEY))?.body ?? new Uint8Array();
    await apply(STRICT, DOCUMENT);
    const closed = (await registry.publicStore.get(KEY))?.body ?? new Uint8Array();
    let reads = 0;
    const { publicStore } = registry;
    // The first look finds the public one, every later one what it has become.
    const changing = Object.create(publicStore, {
      head: {
        value: async (name: string) => {
          reads += 1;
          const head = await publicStore.head(name);
          return head && { ...head, etag: `state ${Math.min(reads, 2)}` };
        },
      },
      get: {
        value: async (name: string) => {
          const found = await publicStore.get(name);
          return found && { ...found, etag: `state ${Math.min(reads, 2)}`, body: reads < 2 ? open : closed };
        },
      },
    });
    const racing = createEdge({ store: changing, repository: { name: NAME, public: true } });
    const response = await racing.request(`/${KEY}`);
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(bytes.equals(Buffer.from(closed))).toBe(false);
    expect(response.status).toBe(200);
    expect(bytes.equals(Buffer.from(open))).toBe(true);
  });
});

describe("deleted", () => {
  it("it is gone, and comes back with another revision", async () => {
    const before = await (await fetchPolicy(key)).arrayBuffer();
    await change((tx) => deletePolicy(tx, repositoryId, STRICT));
    expect((await fetchPolicy(key)).status).toBe(404);
    expect(await registry.publicStore.head(KEY)).toBeUndefined();
    await apply(STRICT, DOCUMENT);
    const after = decoded(new Uint8Array(await (await fetchPolicy(key)).arrayBuffer()));
    expect(after.revision).toBeGreaterThan(decoded(new Uint8Array(before)).revision ?? 0);
  });
});

it("a rebuild of an empty bucket writes it again, and removes what is a stray", async () => {
  const { publicStore } = registry;
  const before = await publicStore.get(KEY);
  await publicStore.delete(KEY);
  await publicStore.put("repos/acme/policies/stray", Buffer.from("x"), { precondition: { kind: "none" } });
  expect(
    (await checkBucket(registry.generator)).map(({ key: name, difference }) => [name, difference]),
  ).toEqual(
    [
      ["repos/acme/policies/strict-prod", "missing"],
      ["repos/acme/policies/stray", "stray"],
    ].sort(),
  );
  const report = await rebuild(registry.generator, new Generator(registry.generator), {
    strays: "few",
    signal: new AbortController().signal,
  });
  expect(report.strays).toBe(1);
  expect(await checkBucket(registry.generator)).toEqual([]);
  expect((await publicStore.get(KEY))?.body).toEqual(before?.body);
});
