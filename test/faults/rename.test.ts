/** An organization gets another name while generators fail: its bucket is what a full build of the rows would give. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkBucket } from "../../generator/check.ts";
import type { StepName } from "../../generator/steps.ts";
import { policyName, repositoryName, trusted } from "../../hex/ids.ts";
import { storeSource } from "../../mirror/source-store.ts";
import { verifyRepository } from "../../mirror/verify.ts";
import { recordChange } from "../../store/queries/changes.ts";
import { writePolicy } from "../../store/queries/policies.ts";
import { renameOrganization } from "../../store/queries/rename.ts";
import { openRowPublisher, type RowPublisher } from "../support/rows.ts";
import { testSigner } from "../support/signing.ts";
import { createWorld, type World } from "../support/world.ts";

const OLD = trusted(repositoryName, "acme");
const NEW = trusted(repositoryName, "zenith");
const STEPS: readonly StepName[] = [
  "claim",
  "snapshot",
  "look",
  "intent",
  "put-tarballs",
  "put-packages",
  "put-versions",
  "put-names",
  "delete-packages",
  "record",
  "purge",
  "show",
  "delete-announce",
  "delete-objects",
  "delete-record",
];

let world: World;
let rows: RowPublisher;
let organizationId: number;
beforeEach(async () => {
  world = await createWorld({ cache: true, settings: { deletionGraceSeconds: 0 } });
  rows = await openRowPublisher(world.sql, world.privateStore, { name: OLD, public: false });
  await rows.publish("foo", "1.0.0");
  await rows.docs("foo", "1.0.0", Buffer.from("docs"));
  const within = { repository: OLD, package: "foo", app: "foo", requirement: "~> 1.0", optional: false };
  await rows.publish("bar", "1.0.0", { requirements: [within] });
  await world.rows.publish("open", "1.0.0", { requirements: [within] });
  const { sql } = world;
  const [organization] = await sql<{ id: number }[]>`
    insert into organizations (name) values (${OLD}) returning id`;
  organizationId = organization?.id ?? 0;
  await sql`insert into users (username, organization_id) values (${OLD}, ${organizationId})`;
  await sql`update repositories set organization_id = ${organizationId} where name = ${OLD}`;
  await sql.begin(async (tx) => {
    await writePolicy(tx, rows.repositoryId, trusted(policyName, "strict"), {
      visibility: "public",
      repositories: [{ repository: OLD, overrides: [] }],
    });
    await recordChange(tx, { repositoryId: rows.repositoryId, package: undefined });
  });
  await world.expectWhole(LIVE);
});
afterEach(() => world.close());

const LIVE = { bar: ["1.0.0"], foo: ["1.0.0"], open: ["1.0.0"] };

const rename = () =>
  world.sql.begin((tx) =>
    renameOrganization(tx, { organizationId, repositoryId: rows.repositoryId, from: OLD, to: NEW }),
  );

async function keysBelow(prefix: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of world.publicStore.list(prefix)) keys.push(key);
  return keys.sort();
}

async function expectMoved(): Promise<void> {
  await world.expectWhole(LIVE);
  expect(await keysBelow(`repos/${OLD}/`)).toEqual([]);
  expect(await keysBelow(`repos/${NEW}/`)).toEqual(
    [
      "docs/foo-1.0.0.tar.gz",
      "names",
      "packages/bar",
      "packages/foo",
      "policies/strict",
      "public_key",
      "tarballs/bar-1.0.0.tar",
      "tarballs/foo-1.0.0.tar",
      "versions",
    ].map((key) => `repos/${NEW}/${key}`),
  );
  const source = storeSource(world.publicStore, `repos/${NEW}/`);
  const options = { repositoryName: NEW, publicKeyPem: testSigner().publicKeyPem };
  expect((await verifyRepository(source, options)).findings).toEqual([]);
  // Names, dependencies and policies say the new name, also in other repositories.
  expect(await checkBucket(world.generator().context)).toEqual([]);
  const { sql } = world;
  expect(await sql`select from requirements where repository = ${OLD}`).toHaveLength(0);
  const [policy] = await sql`select document->'repositories'->0->>'repository' as name from policies`;
  expect(policy?.name).toBe(NEW);
}

it("moves, and leaves nothing behind", async () => {
  await rename();
  await expectMoved();
});

describe.each(["before", "after"] as const)("a generator that fails %s", (when) => {
  it.each(STEPS)("%s", async (step) => {
    await rename();
    let failed = false;
    const { generator } = world.generator({
      onStep: async (name, phase) => {
        if (failed || name !== step || phase !== when) return;
        failed = true;
        throw new Error(`injected: ${phase} ${name}`);
      },
    });
    await generator.settle().catch(() => undefined);
    await generator.releaseClaims();
    expect(failed).toBe(true);
    await expectMoved();
  });
});

it("while a generator builds under the old name", async () => {
  await rows.publish("late", "1.0.0");
  let renamed = false;
  const { generator } = world.generator({
    onStep: async (name, phase) => {
      if (renamed || name !== "put-packages" || phase !== "before") return;
      renamed = true;
      await rename();
    },
  });
  await generator.settle();
  await generator.releaseClaims();
  expect(renamed).toBe(true);
  await world.expectWhole({ ...LIVE, late: ["1.0.0"] });
  expect(await keysBelow(`repos/${OLD}/`)).toEqual([]);
  expect(await checkBucket(world.generator().context)).toEqual([]);
});
