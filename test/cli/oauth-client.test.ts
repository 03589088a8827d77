/** `skep oauth-client`, from the command to a client that is known. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestDatabase } from "../support/database.ts";
import type { TestDatabase } from "../support/open-database.ts";
import { type SkepFolder, skepFolder } from "./skep.ts";

let skep: SkepFolder;
let database: TestDatabase;
beforeAll(async () => {
  [skep, database] = await Promise.all([skepFolder(), createTestDatabase()]);
});
afterAll(async () => {
  await skep.remove();
  await database.drop();
});

const run = (...args: readonly string[]) =>
  skep.run(["oauth-client", ...args], { DATABASE_URL: database.url });
const REDIRECT = ["--redirect-uri", "https://ci.acme.example/back"];

it("a program is registered, listed with those of mix and gleam, and deleted", async () => {
  const made = await run("create", "Acme CI", ...REDIRECT, "--scope", "api:read", "--confidential");
  const [, id = "", secret = ""] =
    /^client_id ([0-9a-f-]{36})\nclient_secret ([\w-]{43})\n$/.exec(made.stdout) ?? [];
  expect([made.code, made.stderr]).toEqual([0, ""]);
  const { sql } = database;
  const [row] = await sql`select * from oauth_clients where client_id = ${id}`;
  expect(row).toMatchObject({ name: "Acme CI", type: "confidential", scopes: ["api:read"] });
  expect(JSON.stringify(await sql`select * from audit_logs`)).not.toContain(secret);
  const { stdout } = await run("list");
  expect(stdout.split("\n").map((line) => line.split("\t")[1])).toEqual([
    "Gleam",
    "Hex CLI",
    "Acme CI",
    undefined,
  ]);
  expect((await run("delete", id)).code).toBe(0);
  expect(await run("delete", id)).toMatchObject({
    code: 1,
    stderr: `skep: there is no client ${id}\n`,
  });
});

it.each([
  [["x"], ["--redirect-uri is missing, which", "--scope is missing"]],
  [["x", "--scope", "root"], ["is no scope"]],
  [["x", ...REDIRECT, "--scope", "api", "--grant", "password"], ["password: no grant; there are"]],
  [["x", "--redirect-uri", "http://a.example/", "--scope", "api"], ["it must be https"]],
])("create %j is refused", async (args, texts) => {
  const { code, stderr } = await run("create", ...args);
  expect(code).toBe(2);
  for (const text of texts) expect(stderr).toContain(text);
  expect(await database.sql`select from oauth_clients`).toHaveLength(2);
});
