/**
 * Random histories of a private repository that is renamed in their midst: in the end the bucket is, byte for byte, what
 * a rebuild of the same rows writes into an empty one.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { rebuild } from "../../generator/rebuild.ts";
import { policyName, repositoryName, trusted } from "../../hex/ids.ts";
import { recordChange } from "../../store/queries/changes.ts";
import { deletePolicy, writePolicy } from "../../store/queries/policies.ts";
import { renameOrganization } from "../../store/queries/rename.ts";
import { openRowPublisher, type RowPublisher } from "../support/rows.ts";
import { createWorld, type World } from "../support/world.ts";

const NAMES = ["acme", "zenith", "third"].map((name) => trusted(repositoryName, name));
const STRICT = trusted(policyName, "strict");

type Action = readonly [
  "publish" | "revert" | "retire" | "docs" | "policy" | "unpolicy" | "rename" | "build",
  string,
];
const action: fc.Arbitrary<Action> = fc.tuple(
  fc.constantFrom("publish", "publish", "revert", "retire", "docs", "policy", "unpolicy", "rename", "build"),
  fc.constantFrom("foo", "bar"),
);

/** @returns the bytes and the cache header of every object. */
async function bucket({ publicStore }: World): Promise<ReadonlyMap<string, string>> {
  const objects = new Map<string, string>();
  for await (const { key } of publicStore.list("")) {
    const object = await publicStore.get(key);
    objects.set(key, `${object?.cacheControl} ${Buffer.from(object?.body ?? []).toString("base64")}`);
  }
  return objects;
}

async function build(world: World): Promise<void> {
  const { generator } = world.generator();
  await generator.settle();
  await generator.releaseClaims();
}

it("any history", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 15 }), async (history) => {
      const world = await createWorld({ settings: { deletionGraceSeconds: 0 } });
      try {
        const { sql } = world;
        const renamed = await openRowPublisher(sql, world.privateStore, { name: "acme", public: false });
        const other = await openRowPublisher(sql, world.privateStore, { name: "other", public: false });
        const [organization] = await sql<{ id: number }[]>`
          insert into organizations (name) values ('acme') returning id`;
        let named = 0;
        const live = new Set<string>();
        const changePolicy = async ({ repositoryId }: RowPublisher, deleted: boolean) =>
          sql.begin(async (tx) => {
            const repository = NAMES[named] ?? "acme";
            const document = {
              visibility: "private" as const,
              repositories: [{ repository, overrides: [] }],
            };
            if (deleted) await deletePolicy(tx, repositoryId, STRICT);
            else await writePolicy(tx, repositoryId, STRICT, document);
            await recordChange(tx, { repositoryId, package: undefined });
          });
        for (const [what, name] of [...history, ["rename", ""]] as Action[]) {
          if (what === "build") await build(world);
          else if (what === "publish") {
            const within = { repository: NAMES[named] ?? "", package: "foo", app: "foo" };
            const requirements = [{ ...within, requirement: "~> 1.0", optional: false }];
            // In the public repository as well: it depends on the one that is renamed.
            await world.rows.publish(`open_${name}`, "1.0.0", { requirements });
            await renamed.publish(name, "1.0.0", name === "foo" ? {} : { requirements });
            live.add(name);
          } else if (what === "policy" || what === "unpolicy") {
            for (const rows of [renamed, other]) await changePolicy(rows, what === "unpolicy");
          } else if (what === "rename") {
            const [from, to] = [NAMES[named], NAMES[named + 1]];
            if (from === undefined || to === undefined) continue;
            const { repositoryId } = renamed;
            const organizationId = organization?.id ?? 0;
            await sql.begin((tx) => renameOrganization(tx, { organizationId, repositoryId, from, to }));
            named += 1;
          } else if (!live.has(name)) {
          } else if (what === "revert") {
            await renamed.revert(name, "1.0.0");
            live.delete(name);
          } else if (what === "retire") await renamed.retire(name, "1.0.0", "other", "because");
          else await renamed.docs(name, "1.0.0", Buffer.from(name));
        }
        await expect
          .poll(async () => {
            await build(world);
            return sql`select from changes where visible_at is null union all select from deletions`;
          })
          .toHaveLength(0);
        const moved = await bucket(world);
        expect([...moved.keys()].filter((key) => /^repos\/(?!other\/)/.test(key))).toEqual(
          [...moved.keys()].filter((key) => key.startsWith(`repos/${NAMES[named]}/`)),
        );

        for (const key of moved.keys()) await world.publicStore.delete(key);
        const { generator, context } = world.generator();
        await rebuild(context, generator, { strays: "few", signal: new AbortController().signal });
        await generator.releaseClaims();
        expect(await bucket(world)).toEqual(moved);
      } finally {
        await world.close();
      }
    }),
    { numRuns: 12 },
  );
});
