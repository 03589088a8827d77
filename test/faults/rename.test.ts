/** An organization gets another name while generators fail: its bucket is what a full build of the rows would give. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkBucket } from "../../generator/check.ts";
import { policyName, repositoryName, trusted } from "../../hex/ids.ts";
import { storeSource } from "../../mirror/source-store.ts";
import { verifyRepository } from "../../mirror/verify.ts";
import { gunzipOneMember } from "../../proto/gzip.ts";
import { decodePolicy } from "../../proto/policy.ts";
import { openSigned } from "../../proto/sign.ts";
import { recordChange } from "../../store/queries/changes.ts";
import { insertOrganization } from "../../store/queries/organizations.ts";
import { writePolicy } from "../../store/queries/policies.ts";
import { renameOrganization } from "../../store/queries/rename.ts";
import { insertUser } from "../../store/queries/users.ts";
import { openRowPublisher, type RowPublisher } from "../support/rows.ts";
import { testSigner } from "../support/signing.ts";
import { BUILD_STEPS, DELETE_STEPS } from "../support/steps.ts";
import { createWorld, type World } from "../support/world.ts";

const OLD = trusted(repositoryName, "acme");
const NEW = trusted(repositoryName, "zenith");

let world: World;
let rows: RowPublisher;
let organizationId: number;
/** Of another organization, whose policy names the one that is renamed. */
let neighbour: RowPublisher;
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
  neighbour = await openRowPublisher(sql, world.privateStore, { name: "neighbour", public: false });
  for (const { repositoryId } of [rows, neighbour]) {
    await sql.begin(async (tx) => {
      await writePolicy(tx, repositoryId, trusted(policyName, "strict"), {
        visibility: "public",
        repositories: [{ repository: OLD, overrides: [] }],
      });
      await recordChange(tx, { repositoryId, package: undefined });
    });
  }
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
  for (const repository of [NEW, "neighbour"]) {
    const file = await world.publicStore.get(`repos/${repository}/policies/strict`);
    const { payload } = openSigned(gunzipOneMember(file?.body ?? new Uint8Array(), 1 << 20));
    expect(decodePolicy(payload)).toMatchObject({ repository, repositories: [{ repository: NEW }] });
  }
}

it("moves, and leaves nothing behind", async () => {
  await rename();
  await expectMoved();
});

// Before a step is after the one before it.
describe("a generator that fails after", () => {
  it.each([...BUILD_STEPS, ...DELETE_STEPS])("%s", async (step) => {
    await rename();
    let failed = false;
    const { generator } = world.generator({
      onStep: async (name, phase) => {
        if (failed || name !== step || phase !== "after") return;
        failed = true;
        throw new Error(`injected: after ${name}`);
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

describe("attack: the old name, asked for while the rename is about to commit", () => {
  const account = {
    username: OLD,
    fullName: null,
    passwordHash: null,
    email: "eve@example.com",
    verified: true,
  };
  const register = () =>
    world.sql.begin(async (tx) => {
      if ((await insertUser(tx, account)) === undefined) throw new Error("taken");
    });
  const found = () => world.sql.begin((tx) => insertOrganization(tx, OLD));

  it.each([
    ["a user", register, "taken"],
    ["an organization", found, "users_username_key"],
  ])("%s does not get it", async (_, take, expected) => {
    let answer: Promise<unknown> = Promise.resolve();
    await world.sql.begin(async (tx) => {
      await renameOrganization(tx, { organizationId, repositoryId: rows.repositoryId, from: OLD, to: NEW });
      answer = take().catch(
        ({ constraint_name: name, message }: { constraint_name?: string; message: string }) =>
          name ?? message,
      );
      // It waits for the row that still has the name.
      const waiting = () => world.sql`
        select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
      await expect.poll(async () => (await waiting()).length, { timeout: 10_000 }).toBe(1);
    });
    expect(await answer).toBe(expected);
    expect(await world.sql`select from users where username = ${OLD}`).toHaveLength(0);
    expect(await world.sql`select from organizations where name = ${OLD}`).toHaveLength(0);
  });
});
