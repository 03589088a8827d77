/** Many publishes at once: few builds, and nobody waits for more than the build that runs and the next. */
import { afterEach, beforeEach, expect, it } from "vitest";
import type { StepName } from "../../generator/steps.ts";
import { type PackageName, repositoryName, trusted } from "../../hex/ids.ts";
import { recordChanges } from "../../store/queries/changes.ts";
import { name, openRowPublisher } from "../support/rows.ts";
import { createWorld, type World } from "../support/world.ts";

const PACKAGES: readonly PackageName[] = Array.from({ length: 20 }, (_, index) =>
  name(`burst_${index + 10}`),
);
const LIVE = Object.fromEntries(PACKAGES.map((one) => [one, ["1.0.0"]]));

let world: World;
beforeEach(async () => {
  world = await createWorld();
  for (const one of PACKAGES) await world.rows.publish(one, "1.0.0");
  await world.expectWhole(LIVE);
});
afterEach(() => world.close());

/** As many publishes of these packages, each a transaction of its own that changes all of them. */
async function publish(changes: number, repositoryId = world.rows.repositoryId): Promise<void> {
  for (let done = 0; done < changes; done += PACKAGES.length) {
    await world.sql.begin((tx) => recordChanges(tx, repositoryId, PACKAGES));
  }
}

async function pending(repository = "local"): Promise<number> {
  const [row] = await world.sql<{ count: number }[]>`
    select count(*) from changes where repository = ${repository} and finished_at is null`;
  return row?.count ?? 0;
}

async function settle(onStep: (step: StepName, phase: "before" | "after") => Promise<void>): Promise<number> {
  const { generator, context } = world.generator({ onStep });
  await generator.settle();
  await generator.releaseClaims();
  return context.counters.builds;
}

it("1,000 publishes are one build, and each file is written once", async () => {
  await publish(1_000);
  const puts = () => world.publicStore.count("put");
  const before = puts();
  expect(await settle(async () => {})).toBe(1);
  expect(puts() - before).toBe(PACKAGES.length + 2);
  await world.expectWhole(LIVE);
});

it("what arrives while a build runs is taken together by the next, and waits for no more than those two", async () => {
  const waves = 9;
  let sent = 0;
  const left: number[] = [];
  await publish(100);
  const before = world.publicStore.count("put", "names");
  const builds = await settle(async (step, phase) => {
    // The last moment at which a build could still be taken for one that has it.
    if (step === "put-names" && phase === "after" && sent < waves) {
      sent += 1;
      await publish(100);
    }
    if (step === "record" && phase === "after") left.push(await pending());
  });
  expect(builds).toBe(waves + 1);
  expect(world.publicStore.count("put", "names") - before).toBe(waves + 1);
  // Of the wave before nothing is left: only the one that came during this very build.
  expect(left).toEqual([...Array(waves).fill(100), 0]);
  await world.expectWhole(LIVE);
});

it("a repository whose publishes never end does not keep another one waiting", async () => {
  // Behind the busy one in every round.
  const quiet = trusted(repositoryName, "zeta");
  const rows = await openRowPublisher(world.sql, world.privateStore, { name: quiet, public: false });
  await settle(async () => {});
  const busyBuilds: string[] = [];
  let rounds = 0;
  await publish(100);
  await settle(async (step, phase) => {
    if (step === "record" && phase === "after")
      busyBuilds.push((await pending(quiet)) > 0 ? "waits" : "built");
    if (step !== "put-names" || phase !== "before" || rounds >= 5) return;
    rounds += 1;
    await publish(100);
    if (rounds === 1) await rows.publish("pear", "1.0.0");
  });
  // It comes while the first build runs, and is done by the end of the third: behind one more of the busy one.
  expect(busyBuilds.slice(0, 3)).toEqual(["waits", "waits", "built"]);
  expect(busyBuilds.length).toBeGreaterThan(5);
});
