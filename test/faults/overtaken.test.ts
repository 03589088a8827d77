/**
 * A generator is paused for longer than its lease, another takes over and finishes, then the first goes on.
 * It must change nothing that counts (docs/design.md, I4).
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StepName } from "../../generator/steps.ts";
import { createWorld, Gate, type World } from "../support/world.ts";

let world: World;
beforeEach(async () => {
  world = await createWorld({ settings: { leaseSeconds: 1 } });
  await world.rows.publish("foo", "1.0.0");
  await world.expectWhole({ foo: ["1.0.0"] });
});
afterEach(() => world.close());

/** A generator that stands still at a point, as a process does that was stopped or swapped out. */
function pausedAt(at: StepName, when: "before" | "after") {
  const gate = new Gate();
  const { generator, context } = world.generator({
    // Frozen: not even its renewals are sent.
    settings: { leaseSeconds: 1, renewSeconds: 3_600 },
    onStep: async (step, phase) => {
      if (step === at && phase === when) await gate.pass();
    },
  });
  return { gate, context, run: generator.settle().catch((error: unknown) => error) };
}

const STEPS: readonly StepName[] = [
  "intent",
  "put-tarballs",
  "put-packages",
  "put-versions",
  "put-names",
  "delete-packages",
];

describe.each(["before", "after"] as const)("paused %s", (phase) => {
  // Before the snapshot it has read nothing yet, and finds that nothing is left to do.
  const steps = phase === "after" ? (["snapshot", ...STEPS] as const) : STEPS;

  it.each(steps)("%s while a later version is published", async (step) => {
    await world.rows.publish("foo", "1.1.0");
    const { gate, run, context } = pausedAt(step, phase);
    await gate.reached;
    await world.rows.publish("foo", "1.2.0");
    await world.expectWhole({ foo: ["1.0.0", "1.1.0", "1.2.0"] });
    gate.open();
    expect(await run).toMatchObject({ code: "lease_lost" });
    expect(context.counters.builds).toBe(0);
    await world.expectWhole({ foo: ["1.0.0", "1.1.0", "1.2.0"] });
  });

  it.each(steps)("%s while its publish is reverted: the old payload must not come back", async (step) => {
    await world.rows.publish("foo", "1.1.0");
    await world.rows.publish("bar", "1.0.0");
    const { gate, run } = pausedAt(step, phase);
    await gate.reached;
    await world.rows.revert("foo", "1.1.0");
    await world.rows.revert("bar", "1.0.0");
    await world.expectWhole({ foo: ["1.0.0"] });
    gate.open();
    expect(await run).toMatchObject({ code: "lease_lost" });
    await world.expectWhole({ foo: ["1.0.0"] });
  });
});

/** The request itself is under way while everything else happens: no check of the clock helps any more. */
describe.each(["packages/foo", "packages/bar", "versions", "names", "tarballs/bar-1.0.0.tar"])(
  "a PUT of %s arrives late",
  (key) => {
    it("after its publish was reverted", async () => {
      await world.rows.publish("foo", "1.1.0");
      await world.rows.publish("bar", "1.0.0");
      const pause = world.publicStore.pauseBefore("put", key);
      const { generator } = world.generator({ settings: { leaseSeconds: 1, renewSeconds: 3_600 } });
      const run = generator.settle().catch((error: unknown) => error);
      await pause.reached;
      await world.rows.revert("foo", "1.1.0");
      await world.rows.revert("bar", "1.0.0");
      await world.expectWhole({ foo: ["1.0.0"] });
      pause.release();
      expect(await run).toMatchObject({ code: "lease_lost" });
      await world.expectWhole({ foo: ["1.0.0"] });
    });
  },
);

describe("revisions", () => {
  // Publish, revert: without a revision the files have the same bytes, and so the same ETag, as before.
  it("a file never has an ETag again, though its contents come back", async () => {
    const before = await world.publicStore.head("packages/foo");
    await world.rows.publish("foo", "1.1.0");
    await world.expectWhole({ foo: ["1.0.0", "1.1.0"] });
    await world.rows.revert("foo", "1.1.0");
    await world.expectWhole({ foo: ["1.0.0"] });
    expect((await world.publicStore.head("packages/foo"))?.etag).not.toBe(before?.etag);
  });

  it("a write that read older rows meets another ETag after publish and revert", async () => {
    await world.rows.retire("foo", "1.0.0", "other", "paused with this");
    const pause = world.publicStore.pauseBefore("put", "packages/foo");
    const { generator } = world.generator({ settings: { leaseSeconds: 1, renewSeconds: 3_600 } });
    const run = generator.settle().catch((error: unknown) => error);
    await pause.reached;
    await world.rows.retire("foo", "1.0.0", null);
    await world.expectWhole({ foo: ["1.0.0"] });
    const puts = world.publicStore.succeeded("put", "packages/foo");
    pause.release();
    expect(await run).toMatchObject({ code: "lease_lost" });
    expect(world.publicStore.succeeded("put", "packages/foo")).toBe(puts);
    await world.expectWhole({ foo: ["1.0.0"] });
  });
});
