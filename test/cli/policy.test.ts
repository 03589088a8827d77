/** `skep policy`: from a file to the object that clients read, and back; each change audited as the operator's. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { findEmbeddedPostgres } from "../../store/postgres/embedded.ts";
import { openDatabase, type TestDatabase } from "../support/open-database.ts";
import { type Ended, type SkepFolder, skepFolder } from "./skep.ts";

const POLICY = `organization: acme
name: strict
description: What may run
visibility: public
repositories:
  - repository: hexpm
    restriction:
      advisory_min_severity: high
      retirement_reasons:
        - security
    overrides:
      - action: deny
        package: left_pad
        requirement: ~> 1.0
      - action: advisory
        advisory_id: CVE-2026-1234
        package: cowboy
        comment: not reachable
`;

let skep: SkepFolder;
let database: TestDatabase;
beforeAll(async () => {
  skep = await skepFolder();
  await skep.serve();
  database = openDatabase((await findEmbeddedPostgres(join(skep.folder, "data", "postgres"))) ?? "");
  expect((await skep.run(["organization", "create", "acme"])).code).toBe(0);
}, 120_000);
afterAll(async () => {
  await database.drop();
  await skep.remove();
});

const policy = (...words: readonly string[]) => skep.run(["policy", ...words]);
const apply = (text: string) => skep.run(["policy", "apply", "-"], {}, text);
const said = ({ code, stdout, stderr }: Ended) => [code, stdout + stderr];
const anonymous = () => fetch(`${skep.url}/repo/repos/acme/policies/strict`).then(({ status }) => status);
const audited = () => database.sql<{ action: string; params: object }[]>`
  select action, params from audit_logs where action like 'policy.%' order by id`;

it("apply, list, show and delete", async () => {
  const file = join(skep.folder, "policy.yaml");
  await writeFile(file, POLICY);
  expect(said(await policy("apply", file))).toEqual([
    0,
    "the policy acme/strict is written as soon as a generator runs\n",
  ]);
  await expect.poll(anonymous, { timeout: 20_000 }).toBe(200);
  expect(said(await policy("list", "acme"))).toEqual([0, "strict\tpublic\tWhat may run\n"]);

  const shown = await policy("show", "acme/strict");
  expect(shown.code).toBe(0);
  // What is shown is a file for it: nothing changes, and nothing is audited.
  expect(said(await apply(shown.stdout))).toEqual([0, "the policy acme/strict is so already\n"]);
  expect(said(await apply(POLICY.replace("visibility: public", "visibility: private")))[0]).toBe(0);
  await expect.poll(anonymous, { timeout: 20_000 }).toBe(401);

  expect((await policy("delete", "acme/strict")).code).toBe(0);
  const stored = join(skep.folder, "data/public/repos/acme/policies/strict");
  await expect.poll(() => readFile(stored).catch(({ code }) => code), { timeout: 20_000 }).toBe("ENOENT");
  expect(said(await policy("list", "acme"))).toEqual([0, ""]);
  const entry = (visibility: string) => ({
    organization: { name: "acme" },
    policy: { name: "strict", visibility },
    operator: expect.anything(),
  });
  expect(await audited()).toMatchObject([
    { action: "policy.save", params: entry("public") },
    { action: "policy.save", params: entry("private") },
    { action: "policy.delete", params: entry("private") },
  ]);
}, 120_000);

it("says what is wrong, by field, and changes nothing", async () => {
  const before = await audited();
  const wrong = POLICY.replace("~> 1.0", "^1.0").replace("high", "grave");
  const refused = await apply(wrong);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("repositories[1].restriction.advisory_min_severity: ");
  expect(refused.stderr).toContain(
    "repositories[1].overrides[1].requirement: is no requirement: write it as in",
  );
  for (const [ended, code, words] of [
    [await apply(POLICY.replace("organization: acme", "organization: none")), 1, "no organization none"],
    [await policy("show", "acme/none"), 1, "there is no policy acme/none"],
    [await policy("delete", "acme/strict"), 1, "there is no policy acme/strict"],
    [await policy("show", "strict"), 2, "must be ORGANIZATION/NAME"],
    [await policy("apply", join(skep.folder, "none.yaml")), 2, "cannot be read"],
  ] as const) {
    expect([ended.code, ended.stderr]).toEqual([code, expect.stringContaining(words)]);
  }
  expect(await audited()).toEqual(before);
}, 120_000);
