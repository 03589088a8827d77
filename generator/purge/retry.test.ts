import { describe, expect, it } from "vitest";
import type { Refusal } from "./refusal.ts";
import { type RetryPolicy, untilAccepted } from "./retry.ts";

const busy: Refusal = { reason: "HTTP 503", again: true };

async function run(answers: readonly (Refusal | undefined)[], policy: Partial<RetryPolicy> = {}) {
  const waits: number[] = [];
  let made = 0;
  let clock = 5_000;
  const refusal = await untilAccepted(
    {
      attempts: 4,
      baseMs: 100,
      maxMs: 300,
      random: () => 0.999_999,
      deadlineMs: 10_000,
      now: () => clock,
      wait: async (milliseconds) => {
        waits.push(Math.round(milliseconds));
        clock += milliseconds;
      },
      ...policy,
    },
    4_000,
    async () => answers[made++],
  );
  return { refusal, waits, made };
}

describe("untilAccepted", () => {
  it("stops at the first acceptance", async () => {
    expect(await run([busy, undefined, busy])).toEqual({ refusal: undefined, waits: [100], made: 2 });
  });

  it("waits twice as long each time, up to the longest pause, and gives up", async () => {
    expect(await run([busy, busy, busy, busy, undefined])).toEqual({
      refusal: busy,
      waits: [100, 200, 300],
      made: 4,
    });
  });

  it("waits at least half of the pause", async () => {
    expect((await run([busy, busy, undefined], { random: () => 0 })).waits).toEqual([50, 100]);
  });

  it("gives up at once where another attempt cannot help", async () => {
    const refused = { reason: "HTTP 401", again: false };
    expect(await run([refused, undefined])).toEqual({ refusal: refused, waits: [], made: 1 });
  });

  it("waits as long as it is told to, and gives up when that is too long", async () => {
    expect((await run([{ ...busy, afterMs: 250 }, undefined])).waits).toEqual([250]);
    const later = { ...busy, afterMs: 301 };
    expect(await run([later, undefined])).toEqual({ refusal: later, waits: [], made: 1 });
  });

  it("makes no attempt after the purge's deadline", async () => {
    // The purge began 1,000 ms before the first attempt.
    expect(await run([busy, busy, busy, undefined], { deadlineMs: 1_250 })).toEqual({
      refusal: busy,
      waits: [100],
      made: 2,
    });
    const late = await run([undefined], { deadlineMs: 900 });
    expect(late).toEqual({ refusal: { reason: "not begun within 900 ms", again: true }, waits: [], made: 0 });
  });
});
