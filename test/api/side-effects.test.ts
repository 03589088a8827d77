/** Appendix D: each action leaves exactly its audit entries, its builds, its objects and its mails. */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apiClient, basic, type Client } from "../support/api-client.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

let registry: TestRegistry;
let call: Client;
beforeAll(async () => {
  registry = await startRegistry({ settings: { trustEmails: false } });
  call = apiClient(registry);
  for (const name of ["ann", "bob", "carl"]) await registry.user(name);
  await registry.organization("acme", { ann: "admin" });
});
afterAll(() => registry.stop());

const RELEASE = "/packages/example/releases/1.0.0";
const TARBALL = "tarballs/example-1.0.0.tar";
const DOCS = "docs/example-1.0.0.tar.gz";
const tarball = (version: string) => packageTarball({ metadata: { version } });
const docs = gzipSync(Buffer.alloc(1_024));

interface Step {
  readonly what: string;
  readonly send: readonly [method: string, path: string, body?: unknown];
  readonly status: number;
  readonly audit: readonly string[];
  /** How many builds are asked for. */
  readonly builds: number;
  /** Each `kind to user`. */
  readonly mails: readonly string[];
  /** What is served afterwards. */
  readonly objects?: readonly string[];
}

/** One after the other, each with what the ones before have left. All by ann, with her password. */
const STEPS: readonly Step[] = [
  {
    what: "publish",
    send: ["POST", "/publish", tarball("1.0.0")],
    status: 201,
    audit: ["release.publish"],
    builds: 1,
    mails: ["published to ann"],
    objects: [TARBALL],
  },
  {
    what: "replace",
    send: ["POST", "/publish?replace=true", tarball("1.0.0")],
    status: 200,
    audit: ["release.publish"],
    builds: 1,
    mails: ["published to ann"],
    objects: [TARBALL],
  },
  {
    what: "a second release",
    send: ["POST", "/publish", tarball("1.1.0")],
    status: 201,
    audit: ["release.publish"],
    builds: 1,
    mails: ["published to ann"],
  },
  {
    what: "a publish that is refused",
    send: ["POST", "/publish?replace=false", tarball("1.1.0")],
    status: 422,
    audit: [],
    builds: 0,
    mails: [],
  },
  {
    what: "docs",
    send: ["POST", `${RELEASE}/docs`, docs],
    status: 201,
    audit: ["docs.publish"],
    builds: 1,
    mails: [],
    objects: [TARBALL, DOCS],
  },
  {
    what: "docs taken back",
    send: ["DELETE", `${RELEASE}/docs`],
    status: 204,
    audit: ["docs.revert"],
    builds: 1,
    mails: [],
    objects: [TARBALL],
  },
  {
    what: "docs again",
    send: ["POST", `${RELEASE}/docs`, docs],
    status: 201,
    audit: ["docs.publish"],
    builds: 1,
    mails: [],
    objects: [TARBALL, DOCS],
  },
  {
    what: "retire",
    send: ["POST", `${RELEASE}/retire`, { reason: "other" }],
    status: 204,
    audit: ["release.retire"],
    builds: 1,
    mails: [],
  },
  {
    what: "retire all that are not",
    send: ["POST", "/packages/example/retire", { reason: "security" }],
    status: 204,
    audit: ["release.retire"],
    builds: 1,
    mails: [],
  },
  {
    what: "retire all",
    send: ["POST", "/packages/example/retire", { reason: "security", replace: true }],
    status: 204,
    audit: ["release.retire", "release.retire"],
    builds: 1,
    mails: [],
  },
  {
    what: "unretire",
    send: ["DELETE", `${RELEASE}/retire`],
    status: 204,
    audit: ["release.unretire"],
    builds: 1,
    mails: [],
  },
  {
    what: "an owner added",
    send: ["PUT", "/packages/example/owners/bob", {}],
    status: 204,
    audit: ["owner.add"],
    builds: 0,
    mails: ["owner-added to ann", "owner-added to bob"],
  },
  {
    what: "an owner removed",
    send: ["DELETE", "/packages/example/owners/bob"],
    status: 204,
    audit: ["owner.remove"],
    builds: 0,
    mails: ["owner-removed to ann", "owner-removed to bob"],
  },
  {
    what: "an owner who is none removed",
    send: ["DELETE", "/packages/example/owners/bob"],
    status: 422,
    audit: [],
    builds: 0,
    mails: [],
  },
  {
    what: "a transfer",
    send: ["PUT", "/packages/example/owners/ann", { transfer: true }],
    status: 204,
    audit: ["owner.transfer"],
    builds: 0,
    mails: ["owner-transferred to ann"],
  },
  {
    what: "revert",
    send: ["DELETE", RELEASE],
    status: 204,
    audit: ["release.revert"],
    builds: 1,
    mails: [],
    objects: [],
  },
  {
    what: "revert of the last release",
    send: ["DELETE", "/packages/example/releases/1.1.0"],
    status: 204,
    audit: ["release.revert"],
    builds: 1,
    mails: [],
    objects: [],
  },
  {
    what: "a key",
    send: ["POST", "/keys", { name: "one" }],
    status: 201,
    audit: ["key.generate"],
    builds: 0,
    mails: ["key-made to ann"],
  },
  {
    what: "another key",
    send: ["POST", "/keys", { name: "two" }],
    status: 201,
    audit: ["key.generate"],
    builds: 0,
    mails: ["key-made to ann"],
  },
  {
    what: "a third key",
    send: ["POST", "/keys", { name: "three" }],
    status: 201,
    audit: ["key.generate"],
    builds: 0,
    mails: ["key-made to ann"],
  },
  {
    what: "a key removed",
    send: ["DELETE", "/keys/three"],
    status: 200,
    audit: ["key.remove"],
    builds: 0,
    mails: ["key-removed to ann"],
  },
  {
    what: "all keys removed",
    send: ["DELETE", "/keys"],
    status: 200,
    audit: ["key.remove", "key.remove"],
    builds: 0,
    mails: ["key-removed to ann"],
  },
  {
    what: "no keys removed",
    send: ["DELETE", "/keys"],
    status: 200,
    audit: [],
    builds: 0,
    mails: [],
  },
  {
    what: "a member",
    send: ["POST", "/orgs/acme/members", { name: "carl", role: "read" }],
    status: 200,
    audit: ["organization.member.add"],
    builds: 0,
    mails: ["member-added to carl"],
  },
  {
    what: "an organization's key",
    send: ["POST", "/orgs/acme/keys", { name: "ci" }],
    status: 201,
    audit: ["key.generate"],
    builds: 0,
    mails: ["key-made to ann", "key-made to carl"],
  },
  {
    what: "a role",
    send: ["POST", "/orgs/acme/members/carl", { role: "write" }],
    status: 200,
    audit: ["organization.member.role"],
    builds: 0,
    mails: [],
  },
  {
    what: "a member removed",
    send: ["DELETE", "/orgs/acme/members/carl"],
    status: 204,
    audit: ["organization.member.remove"],
    builds: 0,
    mails: [],
  },
  {
    what: "a private publish",
    send: ["POST", "/repos/acme/publish", tarball("1.0.0")],
    status: 201,
    audit: ["release.publish"],
    builds: 1,
    mails: [],
  },
  {
    what: "an account",
    send: ["POST", "/users", { username: "zoe", password: "long enough", email: "zoe@example.com" }],
    status: 201,
    audit: ["user.create", "email.add", "email.primary", "email.public"],
    builds: 0,
    mails: ["verification to zoe"],
  },
  {
    what: "a short URL",
    send: ["POST", "/short_url", { url: "http://docs.example/" }],
    status: 201,
    audit: [],
    builds: 0,
    mails: [],
  },
];

async function left() {
  const { sql } = registry.database;
  const [[row], audit, mails] = await Promise.all([
    sql<{ changes: number }[]>`select count(*) as changes from changes`,
    sql<{ action: string }[]>`select action from audit_logs order by id`,
    sql<
      { mail: string }[]
    >`select kind || ' to ' || split_part(recipient, '@', 1) as mail from mails order by id`,
  ]);
  return {
    builds: row?.changes ?? 0,
    audit: audit.map(({ action }) => action),
    mails: mails.map(({ mail }) => mail),
  };
}

/** What is served, but for what only waits until nobody can know of it any more. */
async function served(): Promise<readonly string[]> {
  const leaving = await registry.database.sql<{ key: string }[]>`select key from deletions`;
  const found = [];
  for (const key of [TARBALL, DOCS]) {
    const isLeaving = leaving.some((row) => row.key === key);
    if (!isLeaving && (await fetch(`${registry.url}/repo/${key}`)).ok) found.push(key);
  }
  return found;
}

describe("appendix D", () => {
  it.each(STEPS)("$what", async ({ send: [method, path, body], status, objects, builds, audit, mails }) => {
    const before = await left();
    const answer = await call(method, path, { as: basic("ann"), body });
    expect([answer.status, method, path]).toEqual([status, method, path]);
    const after = await left();
    expect({
      builds: after.builds - before.builds,
      audit: after.audit.slice(before.audit.length),
      mails: after.mails.slice(before.mails.length).sort(),
    }).toEqual({ builds, audit, mails });
    if (objects !== undefined) expect(await served()).toEqual(objects);
  });
});
