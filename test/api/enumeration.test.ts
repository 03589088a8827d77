/** Nobody learns from an answer, a mail or the time it takes which names there are, beyond what the API is made to tell. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apiClient, basic, type Client } from "../support/api-client.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { WebClient } from "../web/client.ts";

let registry: TestRegistry;
let call: Client;

/** Every state that an account can be in, and none. */
const LOGINS = [
  "nobody",
  "nobody@example.com",
  "ann",
  "ann@example.com",
  "unverified",
  "unverified@example.com",
  "closed",
  "without_password",
  "acme",
  "me",
  "",
  "a b",
];

beforeAll(async () => {
  registry = await startRegistry({ generator: false, settings: { trustEmails: false } });
  call = apiClient(registry);
  const { sql } = registry.database;
  for (const name of ["ann", "closed", "without_password"]) await registry.user(name);
  await registry.user("unverified", { verified: false });
  await registry.organization("acme", { ann: "admin" });
  await sql`update users set deactivated_at = now() where username = 'closed'`;
  await sql`update users set password_hash = null where username = 'without_password'`;
});
afterAll(() => registry.stop());

const all = <T>(values: readonly T[]) => new Set(values.map((value) => JSON.stringify(value)));

describe("a wrong password", () => {
  it("is told in one way, by the API", async () => {
    const answers = [];
    for (const login of LOGINS) {
      const { status, body, headers } = await call("GET", "/users/me", { as: basic(login, "wrong") });
      answers.push([status, body, headers.get("www-authenticate")]);
    }
    expect([...all(answers)]).toEqual([
      JSON.stringify([
        401,
        { status: 401, message: "invalid username and password combination" },
        "Basic realm=hex",
      ]),
    ]);
  });

  it("and by the page", async () => {
    const answers = [];
    for (const login of LOGINS) {
      const response = await new WebClient(registry.url).signIn(login, "wrong");
      const html = await response.text();
      expect(response.status).toBe(400);
      answers.push([response.status, /<li>[\s\S]*?<\/li>/.exec(html)?.[0]]);
    }
    expect(all(answers).size).toBe(1);
  });

  it("costs as much for who is not there", async () => {
    // Of an account made as others are, with a hash of the usual cost.
    const account = { username: "usual", password: "long enough", email: "usual@example.com" };
    expect((await call("POST", "/users", { body: account })).status).toBe(201);
    const least = new Map<string, number>();
    // Time of the processor, which other programs do not lengthen; in turn, so that all have the same conditions.
    for (let count = 0; count < 5; count += 1) {
      for (const login of ["usual", "nobody", "without_password", "acme"]) {
        const before = process.cpuUsage();
        await call("GET", "/users/me", { as: basic(login, "wrong") });
        const { user, system } = process.cpuUsage(before);
        least.set(login, Math.min(least.get(login) ?? Number.POSITIVE_INFINITY, user + system));
      }
    }
    const usual = least.get("usual") ?? 0;
    for (const [login, cost] of least) expect(cost, login).toBeGreaterThan(usual / 2);
  });
});

describe.each([
  ["/password/reset", ["ann", "ann@example.com", "without_password"]],
  ["/email/verification", ["unverified"]],
])("%s", (path, reached) => {
  it("answers everybody alike, and mails to nobody else", async () => {
    const answers = [];
    const { sql } = registry.database;
    for (const username of LOGINS.filter((login) => login !== "")) {
      await sql`delete from mails`;
      const response = await new WebClient(registry.url).post(path, { username });
      answers.push([response.status, await response.text()]);
      const recipients = await sql<{ recipient: string }[]>`select recipient from mails`;
      const account = username.split("@")[0];
      for (const { recipient } of recipients) expect(recipient).toBe(`${account}@example.com`);
      expect(recipients, username).toHaveLength(reached.includes(username) ? 1 : 0);
    }
    expect(answers[0]?.[0]).toBe(200);
    expect(all(answers).size).toBe(1);
  });
});

describe("keys", () => {
  it("that are half right are as wrong as others", async () => {
    const right = await registry.key("ann");
    const [row] = await registry.database.sql<{ first: string }[]>`
      select secret_first as first from keys order by id desc limit 1`;
    // Whoever reads the index in the database has no key by it.
    const guesses = [
      "0".repeat(32),
      `${right.slice(0, 31)}x`,
      `${right.slice(0, 16)}${"0".repeat(16)}`,
      row?.first,
    ];
    const answers = [];
    for (const as of guesses) {
      const { status, body } = await call("GET", "/users/me", { as });
      answers.push([status, body]);
    }
    expect([...all(answers)]).toEqual([JSON.stringify([401, { status: 401, message: "invalid API key" }])]);
  });

  it("of others are not there", async () => {
    const ann = await registry.key("ann");
    await call("POST", "/keys", { as: ann, body: { name: "laptop" } });
    const bob = await registry.key("bob");
    const answers = [];
    for (const name of ["laptop", "nothing"]) {
      for (const method of ["GET", "DELETE"]) {
        const { status, body } = await call(method, `/keys/${name}`, { as: bob });
        answers.push([status, body]);
      }
    }
    expect([...all(answers)]).toEqual([JSON.stringify([404, { status: 404, message: "Page not found" }])]);
  });
});
