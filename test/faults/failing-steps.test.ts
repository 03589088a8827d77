/** A generator that fails at each step, before the step and after its effect: everything converges. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StepHook, StepName } from "../../generator/steps.ts";
import { BUILD_STEPS, DELETE_STEPS } from "../support/steps.ts";
import { createWorld, type World } from "../support/world.ts";

const PHASES = ["before", "after"] as const;

let world: World;
beforeEach(async () => {
  world = await createWorld({ cache: true });
  await world.rows.publish("foo", "1.0.0");
  await world.rows.publish("gone", "1.0.0");
  await world.expectWhole({ foo: ["1.0.0"], gone: ["1.0.0"] });
});
afterEach(() => world.close());

/** @returns a hook that throws once, at this point. */
function failing(at: StepName, when: "before" | "after") {
  let failed = false;
  return {
    get failed() {
      return failed;
    },
    hook: async (step: StepName, phase: "before" | "after") => {
      if (failed || step !== at || phase !== when) return;
      failed = true;
      throw new Error(`injected: ${phase} ${step}`);
    },
  };
}

/** A generator that meets the fault, and ends. */
async function runInto(hook: StepHook): Promise<void> {
  const { generator } = world.generator({ onStep: hook });
  await generator.settle().catch(() => undefined);
  await generator.releaseClaims();
}

describe.each(PHASES)("%s", (phase) => {
  it.each(BUILD_STEPS)("%s fails, then the same changes are built", async (step) => {
    await world.rows.publish("foo", "1.1.0");
    await world.rows.publish("bar", "2.0.0");
    await world.rows.revert("gone", "1.0.0");
    const fault = failing(step, phase);
    await runInto(fault.hook);
    expect(fault.failed).toBe(true);
    await world.expectNothingDangling();
    await world.expectWhole({ bar: ["2.0.0"], foo: ["1.0.0", "1.1.0"] });
  });

  it.each(BUILD_STEPS)("%s fails, then what it was about is taken back", async (step) => {
    await world.rows.publish("bar", "2.0.0");
    await world.rows.publish("foo", "1.1.0");
    const fault = failing(step, phase);
    await runInto(fault.hook);
    expect(fault.failed).toBe(true);
    await world.expectNothingDangling();
    await world.rows.revert("bar", "2.0.0");
    await world.rows.revert("foo", "1.1.0");
    await world.expectWhole({ foo: ["1.0.0"], gone: ["1.0.0"] });
  });

  it.each(DELETE_STEPS)("%s fails, then the version is published again", async (step) => {
    await world.rows.revert("gone", "1.0.0");
    const fault = failing(step, phase);
    await runInto(fault.hook);
    expect(fault.failed).toBe(true);
    await world.expectNothingDangling();
    await world.rows.publish("gone", "1.0.0");
    await world.expectWhole({ foo: ["1.0.0"], gone: ["1.0.0"] });
  });
});
