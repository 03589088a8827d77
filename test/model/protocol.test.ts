/**
 * All interleavings of short histories. `SKEP_MODEL_STATES` raises the number of states per history, which bounds
 * a run; what is within the bound is searched whole.
 */
import { describe, expect, it } from "vitest";
import { explore } from "./explore.ts";
import { type DatabaseChange, type Faults, Protocol, RULES, type Rules } from "./protocol.ts";

const LIMIT = Number(process.env.SKEP_MODEL_STATES ?? 20_000);

const REVERTED: readonly DatabaseChange[] = [
  ["1.0.0", "a"],
  ["1.0.0", null],
];
const REPUBLISHED: readonly DatabaseChange[] = [...REVERTED, ["1.0.0", "a"]];
const REPLACED: readonly DatabaseChange[] = [
  ["1.0.0", "a"],
  ["1.0.0", "b"],
];
const TWO_VERSIONS: readonly DatabaseChange[] = [
  ["1.0.0", "a"],
  ["2.0.0", "c"],
  ["1.0.0", null],
];

const NONE: Faults = { crashes: 0, takeovers: 0, unanswered: 0 };

describe("holds in every state", () => {
  it.each<[string, readonly DatabaseChange[], Faults]>([
    ["a crash, a publish that is reverted", REVERTED, { ...NONE, crashes: 1 }],
    ["a takeover, a publish that is reverted", REVERTED, { ...NONE, takeovers: 1 }],
    ["a request without an answer", REVERTED, { ...NONE, unanswered: 1 }],
    ["a crash, a version that is replaced", REPLACED, { ...NONE, crashes: 1 }],
    ["all of it, a version that comes again", REPUBLISHED, { crashes: 1, takeovers: 1, unanswered: 1 }],
    ["all of it, two versions", TWO_VERSIONS, { crashes: 1, takeovers: 1, unanswered: 1 }],
  ])(
    "%s",
    (name, history, faults) => {
      const { states, complete, fault } = explore(new Protocol(RULES, history), faults, LIMIT);
      console.info(`${name}: ${states} states${complete ? "" : ", not all of them"}`);
      expect(fault).toBeUndefined();
    },
    600_000,
  );
});

describe("finds what a safeguard prevents", () => {
  const overtaken: Faults = { ...NONE, takeovers: 1 };
  it.each<[keyof Rules, Faults, string]>([
    ["conditions", overtaken, "I4"],
    ["intents", { ...NONE, crashes: 1 }, "I2"],
    ["fence", overtaken, "I2"],
    ["tarballsFirst", NONE, "I1"],
    ["deletionGrace", NONE, "I1"],
    ["rechecks", { ...NONE, crashes: 1, unanswered: 1 }, "I2"],
    ["putBack", overtaken, "I2"],
    ["freshLooks", overtaken, "I2"],
    ["triesEnd", { ...NONE, unanswered: 1 }, "I"],
  ])(
    "%s",
    (rule, faults, invariant) => {
      const { fault } = explore(new Protocol({ ...RULES, [rule]: false }, REVERTED), faults, 200_000);
      expect(fault?.what).toMatch(new RegExp(`^${invariant}`));
      expect(fault?.trace).not.toEqual([]);
    },
    120_000,
  );
});
