/** Section 5: whoever may not see a private repository cannot tell it, or what is in it, from what is not there. */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Route } from "../../api/route.ts";
import { ROUTES } from "../../api/routes.ts";
import { apiClient, type Client } from "../support/api-client.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

let registry: TestRegistry;
let call: Client;
const outsiders = new Map<string, string>();

beforeAll(async () => {
  registry = await startRegistry({ generator: false, settings: { publishWaitMilliseconds: 0 } });
  call = apiClient(registry);
  await registry.organization("acme", { ann: "admin" });
  await registry.organization("other", { bob: "admin" });
  const as = await registry.key("ann");
  const docs = gzipSync(Buffer.alloc(1_024));
  expect((await call("POST", "/repos/acme/publish", { as, body: packageTarball() })).status).toBe(201);
  const release = "/repos/acme/packages/example/releases/1.0.0";
  expect((await call("POST", `${release}/docs`, { as, body: docs })).status).toBe(201);
  expect((await call("POST", "/orgs/acme/keys", { as, body: { name: "laptop" } })).status).toBe(201);
  // Somebody with the same names of his own.
  const own = await registry.key("carl");
  expect((await call("POST", "/publish", { as: own, body: packageTarball() })).status).toBe(201);
  outsiders.set("a stranger", await registry.key("stranger"));
  outsiders.set("an owner of the public package of that name", own);
  outsiders.set("another organization", await registry.organizationKey("other"));
  outsiders.set("another organization's admin", await registry.key("bob"));
  outsiders.set("a former owner", await registry.key("former"));
  await registry.database.sql`
    insert into package_owners (package_id, user_id, level)
    select p.id, u.id, 'full' from packages p join repositories r on r.id = p.repository_id, users u
    where r.name = 'acme' and u.username = 'former'`;
});
afterAll(() => registry.stop());

const ABOUT_PRIVATE: readonly Route[] = ROUTES.filter(
  ({ path, scoped }) => scoped || path.startsWith("/orgs/") || path.startsWith("/repos/"),
);

/** What is asked of an organization, and of something in it, each there or not. */
const PLACES = [
  { organization: "acme", name: "example", version: "1.0.0", key: "laptop", user: "ann" },
  { organization: "acme", name: "ghost", version: "1.0.0", key: "ghost", user: "nobody" },
  { organization: "acme", name: "example", version: "9.0.0", key: "laptop", user: "ann" },
  { organization: "nowhere", name: "example", version: "1.0.0", key: "laptop", user: "ann" },
];

async function ask(route: Route, place: (typeof PLACES)[number], as: string | undefined) {
  const prefix = route.scoped ? "/repos/:organization" : "";
  const path = (prefix + route.path)
    .replace(/:organization|:repository/, place.organization)
    .replace("members/:name", `members/${place.user}`)
    .replace("keys/:name", `keys/${place.key}`)
    .replace(":name", place.name)
    .replace(":version", place.version)
    .replace(":user", place.user);
  const json = { reason: "other", level: "full", name: place.user, role: "read", seats: 5 };
  const body = route.upload ? packageTarball({ metadata: { name: place.name } }) : json;
  const sent = route.method === "GET" ? {} : { body };
  const { status, headers, bytes } = await call(route.method, path, { as, ...sent });
  const shown = Object.fromEntries([...headers].filter(([name]) => name !== "x-request-id"));
  return { status, headers: shown, text: Buffer.from(bytes).toString() };
}

describe.each(ABOUT_PRIVATE.map((route) => [`${route.method} ${route.path}`, route] as const))(
  "5: %s",
  (_, route) => {
    it("is the same to outsiders, whatever there is", async () => {
      for (const [who, as] of outsiders) {
        const answers = [];
        for (const place of PLACES) answers.push(await ask(route, place, as));
        expect(answers[0], who).toMatchObject({ status: 404 });
        for (const answer of answers) expect(answer, who).toEqual(answers[0]);
      }
    });

    it("is the same to nobody, where it does not ask who is there first", async () => {
      if (route.authenticated) return;
      const answers = [];
      for (const place of PLACES) answers.push(await ask(route, place, undefined));
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      expect(answers[0]).toMatchObject({ status: 404 });
    });
  },
);

it("5: nothing of it is in lists, searches, accounts or the log of a public namesake", async () => {
  for (const as of [undefined, ...outsiders.values()]) {
    for (const path of [
      "/packages",
      "/packages?search=example",
      "/packages?search=acme/example",
      "/packages?search=name:acme/example",
      "/packages?search=depends:acme:example",
      "/users/ann",
      "/users/former",
      "/packages/example/audit-logs",
      "/repos",
    ]) {
      const { status, bytes } = await call("GET", path, { as });
      expect([path, status, Buffer.from(bytes).toString().includes("acme")]).toEqual([path, 200, false]);
    }
  }
});
