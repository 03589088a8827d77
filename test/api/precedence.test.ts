/**
 * Appendix C: of two things that are wrong with a request, the earlier one is told. Each list below is the order of
 * one kind of request; every pair of it that can be wrong at once is sent.
 */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blockNetwork } from "../../store/queries/operations.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

let registry: TestRegistry;

beforeAll(async () => {
  registry = await startRegistry({
    generator: false,
    settings: { trustedProxies: 1, publishWaitMilliseconds: 0, uploadPieceMilliseconds: 50 },
  });
  await registry.database.sql.begin((tx) => blockNetwork(tx, "192.0.2.66", null));
  await registry.blockList.refresh();
  for (const name of ["paid", "unpaid"]) {
    await registry.organization(name, { [`${name}_admin`]: "admin" });
    const published = await registry.request(`/repos/${name}/publish`, {
      method: "POST",
      headers: { authorization: await registry.key(`${name}_admin`) },
      body: new Uint8Array(packageTarball()),
    });
    expect(published.status).toBe(201);
  }
  await registry.database.sql`update organizations set billing_active = false where name = 'unpaid'`;
});
afterAll(() => registry.stop());

/** A request that nothing is wrong with, until a fault is put into it. */
interface Draft {
  organization: string;
  name: string;
  version: string;
  /** Whose key is sent, in words that also name the account. */
  readonly flags: Set<"closed" | "unverified" | "reading" | "blind" | "stranger">;
  credential: "key" | "none" | "bad";
  owner: string;
  readonly query: Record<string, string>;
  readonly headers: Record<string, string>;
  /** What is in the tarball, or in the body of other requests. */
  tarball: Parameters<typeof packageTarball>[0] & object;
  bytes: Uint8Array | ReadableStream | string | undefined;
  json: Record<string, unknown>;
}

interface Fault {
  readonly what: string;
  readonly told: Readonly<Record<string, unknown>>;
  readonly put: (draft: Draft) => void;
  /** Faults that share one cannot be in a request together. */
  readonly place?: string;
}

const metadata = (draft: Draft, fields: object) => {
  draft.tarball = { ...draft.tarball, metadata: { ...draft.tarball.metadata, ...fields } };
};
const told = (status: number, message: string | null) => ({ status, message });
const refused = (errors: object | string) => ({ ...told(422, "Validation error(s)"), errors });
const NOT_FOUND = told(404, "Page not found");

const NOT_ACCEPTED: Fault = {
  what: "nothing is accepted that there is",
  told: told(406, null),
  put: (draft) => {
    draft.headers.accept = "text/html";
  },
};
const MALFORMED: Fault = {
  what: "a malformed body",
  told: told(400, "Bad request"),
  place: "body",
  put: (draft) => {
    draft.bytes = "{";
  },
};
const NO_AGENT: Fault = {
  what: "no User-Agent",
  told: told(400, "User-Agent header is required"),
  put: (draft) => {
    draft.headers["user-agent"] = "";
  },
};
const BAD_KEY: Fault = {
  what: "a bad key",
  told: told(401, "invalid API key"),
  place: "credential",
  put: (draft) => {
    draft.credential = "bad";
  },
};
const CLOSED: Fault = {
  what: "a closed account",
  told: told(400, "Bad request"),
  place: "credential",
  put: (draft) => draft.flags.add("closed"),
};
const NUL: Fault = {
  what: "%00",
  told: told(400, "Bad request"),
  put: (draft) => {
    draft.query.x = "a%00b";
  },
};
const BLOCKED: Fault = {
  what: "a blocked address",
  told: told(403, "Blocked"),
  put: (draft) => {
    draft.headers["x-forwarded-for"] = "192.0.2.66";
  },
};
const TOO_LARGE: Fault = {
  what: "a body beyond the hard stop",
  told: told(413, "Payload too large"),
  place: "announcement",
  put: (draft) => {
    draft.headers["content-length"] = String(21 << 20);
  },
};
const STALLED: Fault = {
  what: "a body that stops",
  told: told(408, "Request timeout"),
  place: "announcement",
  put: (draft) => {
    draft.bytes = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) });
  },
};
const ANONYMOUS: Fault = {
  what: "no credential",
  told: told(401, "missing authentication information"),
  place: "credential",
  put: (draft) => {
    draft.credential = "none";
  },
};
const ANONYMOUS_HIDDEN: Fault = { ...ANONYMOUS, told: NOT_FOUND };
const UNVERIFIED: Fault = {
  what: "an address that is not verified",
  told: told(403, "email not verified"),
  put: (draft) => draft.flags.add("unverified"),
};
const READING: Fault = {
  what: "a key that may not",
  told: told(401, "key not authorized for this action"),
  put: (draft) => draft.flags.add("reading"),
};
const BLIND: Fault = {
  what: "a key that may not even read",
  told: told(401, "key not authorized for this action"),
  put: (draft) => draft.flags.add("blind"),
};
const STRANGER: Fault = {
  what: "somebody else's organization",
  told: NOT_FOUND,
  put: (draft) => draft.flags.add("stranger"),
};
const UNPAID: Fault = {
  what: "an organization that does not pay",
  told: told(403, "organization has no active billing subscription"),
  place: "organization",
  put: (draft) => {
    draft.organization = "unpaid";
  },
};
const UNKNOWN_ORGANIZATION: Fault = {
  what: "an unknown organization",
  told: NOT_FOUND,
  place: "organization",
  put: (draft) => {
    draft.organization = "nowhere";
  },
};
const NO_LENGTH: Fault = {
  what: "a body of unknown length, announced",
  told: told(411, null),
  place: "announcement",
  put: (draft) => {
    draft.headers.expect = "100-continue";
  },
};
const TOO_BIG: Fault = {
  what: "a body that is too big, announced",
  told: refused({ tar: "too big" }),
  place: "announcement",
  put: (draft) => {
    draft.headers.expect = "100-continue";
    draft.headers["content-length"] = String((16 << 20) + 1);
  },
};
const NO_TARBALL: Fault = {
  what: "no tarball",
  told: refused({ tar: "tarball error, Unexpected end of file" }),
  place: "announcement tarball",
  put: (draft) => {
    draft.bytes = Buffer.from("no tarball");
  },
};
const UNSAFE: Fault = {
  what: "contents that leave the package",
  told: refused({
    tar: "inner tarball error, ../evil: The path points above the current working directory",
  }),
  place: "tarball",
  put: (draft) => {
    draft.tarball = { ...draft.tarball, entries: [{ name: "../evil", content: "x" }] };
  },
};
const OTHER_NAME: Fault = {
  what: "another name than the path's",
  told: refused({ name: "metadata does not match package name" }),
  place: "tarball",
  put: (draft) => metadata(draft, { name: "other" }),
};
const NO_VERSION: Fault = {
  what: "a version that is none",
  told: refused({ version: "is invalid SemVer" }),
  put: (draft) => metadata(draft, { version: "one" }),
};
const BAD_PACKAGE: Fault = {
  what: "a bad package",
  told: refused({ meta: { links: "expected type map(string)" } }),
  put: (draft) => metadata(draft, { links: ["x"] }),
};
const BAD_RELEASE: Fault = {
  what: "a bad release",
  told: refused({ meta: { files: "package can't be empty" } }),
  put: (draft) => metadata(draft, { files: [] }),
};
const NO_SUCH_VERSION: Fault = {
  what: "a path whose version is none",
  told: told(400, "invalid version: 1.0"),
  place: "release",
  put: (draft) => {
    draft.version = "1.0";
  },
};
const NO_RELEASE: Fault = {
  what: "a release that is not there",
  told: NOT_FOUND,
  place: "release",
  put: (draft) => {
    draft.version = "9.0.0";
  },
};
const NO_PACKAGE: Fault = {
  what: "a package that is not there",
  told: NOT_FOUND,
  put: (draft) => {
    draft.name = "nothing";
  },
};
const NO_GZIP: Fault = {
  what: "no gzip",
  told: refused({ tar: "invalid gzip" }),
  place: "announcement",
  put: (draft) => {
    draft.bytes = Buffer.from("no gzip");
  },
};
const NO_USER: Fault = {
  what: "an unknown user",
  told: NOT_FOUND,
  place: "owner",
  put: (draft) => {
    draft.owner = "nobody";
  },
};
const NO_MEMBER: Fault = {
  what: "a user who is no member",
  told: refused({
    username: "cannot add owner to private package when the user is not a member of the organization",
  }),
  place: "owner",
  put: (draft) => {
    draft.owner = "outsider";
  },
};
const BAD_LEVEL: Fault = {
  what: "a bad level",
  told: refused({ level: "is invalid" }),
  place: "body",
  put: (draft) => {
    draft.json.level = "none";
  },
};
const NO_REASON: Fault = {
  what: "no reason",
  told: refused({ retirement: { reason: "can't be blank" } }),
  place: "body",
  put: (draft) => {
    draft.json.reason = "";
  },
};
const NO_NAME: Fault = {
  what: "no name",
  told: refused({ name: "can't be blank" }),
  place: "body",
  put: (draft) => {
    draft.json.name = "";
  },
};

const NO_DOMAIN: Fault = {
  what: "no domain",
  told: told(400, 'missing required parameters: "domain"'),
  place: "domain",
  put: (draft) => {
    delete draft.query.domain;
  },
};
const NO_ACCESS: Fault = {
  what: "a domain that the key is not for",
  told: told(401, "key not authorized for this action"),
  place: "domain",
  put: (draft) => {
    draft.query.domain = "repositories";
  },
};

const BEFORE_UPLOADS = [NOT_ACCEPTED, NO_AGENT, BAD_KEY, CLOSED, NUL, BLOCKED, TOO_LARGE, STALLED];
const BEFORE = [MALFORMED, NOT_ACCEPTED, NO_AGENT, BAD_KEY, CLOSED, NUL, BLOCKED];
const WHO = [UNVERIFIED, READING, STRANGER];
const BEFORE_READS = [NOT_ACCEPTED, NO_AGENT, BAD_KEY, CLOSED, NUL, BLOCKED];
const READERS = [UNVERIFIED, BLIND, STRANGER, ANONYMOUS_HIDDEN];
const IN_TARBALLS = [NO_VERSION, BAD_PACKAGE, BAD_RELEASE];
const ANNOUNCED = [NO_LENGTH, TOO_BIG];
const PACKAGE = "/repos/:organization/packages/:name";

type Kind = "tarball" | "docs" | "json" | "none";

const ORDERS: readonly [request: string, kind: Kind, order: readonly Fault[]][] = [
  [
    `POST ${PACKAGE}/releases`,
    "tarball",
    [
      ...BEFORE_UPLOADS,
      ANONYMOUS,
      ...WHO,
      UNPAID,
      ...ANNOUNCED,
      NO_TARBALL,
      UNSAFE,
      OTHER_NAME,
      ...IN_TARBALLS,
    ],
  ],
  [
    "POST /repos/:organization/publish",
    "tarball",
    [...BEFORE_UPLOADS, ...ANNOUNCED, NO_TARBALL, ANONYMOUS, ...WHO, UNPAID, UNSAFE, ...IN_TARBALLS],
  ],
  [
    `POST ${PACKAGE}/releases/:version/docs`,
    "docs",
    [...BEFORE_UPLOADS, NO_SUCH_VERSION, NO_RELEASE, ...WHO, ANONYMOUS_HIDDEN, UNPAID, ...ANNOUNCED, NO_GZIP],
  ],
  [
    `DELETE ${PACKAGE}/releases/:version/docs`,
    "json",
    [...BEFORE, NO_SUCH_VERSION, NO_RELEASE, ...WHO, ANONYMOUS_HIDDEN, UNPAID],
  ],
  [
    `DELETE ${PACKAGE}/releases/:version`,
    "json",
    [...BEFORE, NO_SUCH_VERSION, NO_RELEASE, ANONYMOUS, ...WHO, UNPAID],
  ],
  [
    `POST ${PACKAGE}/releases/:version/retire`,
    "json",
    [...BEFORE, NO_SUCH_VERSION, ...WHO, ANONYMOUS_HIDDEN, NO_RELEASE, NO_REASON],
  ],
  [
    `DELETE ${PACKAGE}/releases/:version/retire`,
    "json",
    [...BEFORE, NO_SUCH_VERSION, ...WHO, ANONYMOUS_HIDDEN, NO_RELEASE],
  ],
  [`POST ${PACKAGE}/retire`, "json", [...BEFORE, ...WHO, ANONYMOUS_HIDDEN, NO_PACKAGE, NO_REASON]],
  [
    `PUT ${PACKAGE}/owners/:owner`,
    "json",
    [...BEFORE, ...WHO, ANONYMOUS_HIDDEN, UNPAID, NO_PACKAGE, NO_USER, NO_MEMBER, BAD_LEVEL],
  ],
  [
    "POST /orgs/:organization/keys",
    "json",
    [...BEFORE, UNKNOWN_ORGANIZATION, ANONYMOUS, READING, STRANGER, NO_NAME],
  ],
  [
    "DELETE /orgs/:organization/keys/:name",
    "json",
    [...BEFORE, UNKNOWN_ORGANIZATION, ANONYMOUS, ...WHO, NO_PACKAGE],
  ],
  ["POST /orgs/:organization/members", "json", [...BEFORE, UNKNOWN_ORGANIZATION, ...WHO, ANONYMOUS_HIDDEN]],
  [`GET ${PACKAGE}/releases/:version`, "none", [...BEFORE_READS, NO_SUCH_VERSION, ...READERS, NO_RELEASE]],
  [
    `GET ${PACKAGE}/releases/:version/docs`,
    "none",
    [...BEFORE_READS, NO_SUCH_VERSION, NO_RELEASE, ...READERS, UNPAID],
  ],
  [`GET ${PACKAGE}`, "none", [...BEFORE_READS, ...READERS, NO_PACKAGE]],
  [`GET ${PACKAGE}/audit-logs`, "none", [...BEFORE_READS, ...READERS, NO_PACKAGE]],
  [`GET ${PACKAGE}/owners`, "none", [...BEFORE_READS, ...READERS, NO_PACKAGE]],
  ["GET /repos/:organization/packages", "none", [...BEFORE_READS, UNKNOWN_ORGANIZATION, ...READERS]],
  ["GET /repos/:organization", "none", [...BEFORE_READS, UNKNOWN_ORGANIZATION, ...READERS]],
  ["GET /orgs/:organization", "none", [...BEFORE_READS, UNKNOWN_ORGANIZATION, ...READERS]],
  ["GET /orgs/:organization/members", "none", [...BEFORE_READS, UNKNOWN_ORGANIZATION, ...READERS]],
  [
    "GET /orgs/:organization/keys",
    "none",
    [...BEFORE_READS, UNKNOWN_ORGANIZATION, ANONYMOUS, UNVERIFIED, BLIND, STRANGER],
  ],
  ["GET /keys", "none", [...BEFORE_READS, ANONYMOUS, UNVERIFIED, BLIND]],
  ["GET /users/me", "none", [...BEFORE_READS, ANONYMOUS, UNVERIFIED, BLIND]],
  ["GET /auth", "none", [...BEFORE_READS, NO_DOMAIN, ANONYMOUS, UNVERIFIED, NO_ACCESS]],
];

/** @returns the secret of a key of somebody who is like that, made when first asked for. */
const secrets = new Map<string, Promise<string>>();
function keyOf(flags: Draft["flags"]): Promise<string> {
  const name = ["some", ...[...flags].sort()].join("_");
  const known = secrets.get(name) ?? makeKeyOf(name, flags);
  secrets.set(name, known);
  return known;
}

async function makeKeyOf(name: string, flags: Draft["flags"]): Promise<string> {
  const { sql } = registry.database;
  const permission = flags.has("blind")
    ? { domain: "docs", resource: "paid" }
    : { domain: "api", resource: flags.has("reading") ? "read" : null };
  const secret = await registry.key(name, [permission], { verified: !flags.has("unverified") });
  if (flags.has("closed")) await sql`update users set deactivated_at = now() where username = ${name}`;
  if (flags.has("stranger")) return secret;
  await sql`
    insert into memberships (organization_id, user_id, role)
    select o.id, u.id, 'admin' from organizations o, users u where u.username = ${name}`;
  return secret;
}

async function send(request: string, kind: Kind, faults: readonly Fault[]) {
  const draft: Draft = {
    organization: "paid",
    name: "example",
    version: "1.0.0",
    flags: new Set(),
    credential: "key",
    owner: "paid_admin",
    // Of /auth; nobody else asks for it.
    query: { domain: "api" },
    headers: { "x-forwarded-for": "192.0.2.1" },
    tarball: {},
    bytes: undefined,
    json: { name: "a name", reason: "other" },
  };
  for (const fault of faults) fault.put(draft);
  const [method = "", template = ""] = request.split(" ");
  const path = template.replace(/:(organization|name|version|owner)/g, (_, key: keyof Draft) =>
    String(draft[key]),
  );
  const query = Object.entries(draft.query)
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
  const bytes =
    draft.bytes ??
    {
      tarball: () => packageTarball(draft.tarball),
      docs: () => gzipSync(Buffer.alloc(1_024)),
      json: () => JSON.stringify(draft.json),
      none: () => undefined,
    }[kind]();
  const authorization = { key: () => keyOf(draft.flags), none: () => undefined, bad: () => "0".repeat(32) };
  const credential = await authorization[draft.credential]();
  const response = await registry.request(`${path}?${query}`, {
    method,
    headers: {
      ...(kind === "json" ? { "content-type": "application/json" } : {}),
      ...(credential === undefined ? {} : { authorization: credential }),
      ...draft.headers,
    },
    body: bytes instanceof Uint8Array ? new Uint8Array(bytes) : bytes,
    duplex: "half",
  } as RequestInit);
  const text = await response.text();
  return text === "" ? { status: response.status } : JSON.parse(text);
}

function canMeet(a: Fault, b: Fault): boolean {
  const places = (fault: Fault) => (fault.place ?? fault.what).split(" ");
  // Nobody, and somebody with no valid key, has no account with anything wrong.
  const isAboutAccount = (fault: Fault) => [CLOSED, BLIND, ...WHO].includes(fault);
  const hasNone = (fault: Fault) => [BAD_KEY, ANONYMOUS, ANONYMOUS_HIDDEN].includes(fault);
  if ((hasNone(a) && isAboutAccount(b)) || (hasNone(b) && isAboutAccount(a))) return false;
  return !places(a).some((place) => places(b).includes(place));
}

beforeAll(() => registry.user("outsider"));

describe.each(ORDERS)("appendix C: %s", (request, kind, order) => {
  it.each(order.map((fault, index) => [fault.what, fault, index] as const))("%s", async (_, fault, index) => {
    expect(await send(request, kind, [fault])).toMatchObject(fault.told);
    for (const later of order.slice(index + 1)) {
      if (!canMeet(fault, later)) continue;
      const answer = await send(request, kind, [fault, later]);
      expect({ with: later.what, ...answer }).toMatchObject({ with: later.what, ...fault.told });
    }
  });
});

it("appendix C: without a fault each of them is done", async () => {
  const statuses = [];
  for (const [request, kind] of ORDERS) {
    if (/members|keys\/:name|auth|GET.*docs/.test(request)) continue;
    const answer = await send(request, kind, []);
    statuses.push(`${answer.status ?? 201} ${request}`);
    if (request.startsWith("DELETE") && request.endsWith(":version"))
      await send(ORDERS[0]?.[0] ?? "", "tarball", []);
  }
  expect(statuses.filter((line) => !/^20[014]/.test(line))).toEqual([]);
});
