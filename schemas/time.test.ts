import { describe, expect, it } from "vitest";
import { isoMicros, micros, parseTimestamp, secondsAndNanos } from "./time.ts";

describe("instants", () => {
  it.each([
    ["2026-11-23 14:24:14.123456+00", "2026-11-23T14:24:14.123456Z"],
    ["2026-11-23 14:24:14.12+00", "2026-11-23T14:24:14.120000Z"],
    ["2026-11-23 14:24:14+00", "2026-11-23T14:24:14.000000Z"],
    ["2030-01-01T00:00:00.000001Z", "2030-01-01T00:00:00.000001Z"],
    ["1969-12-31 23:59:59.999999+00", "1969-12-31T23:59:59.999999Z"],
  ])("%s", (text, iso) => {
    expect(isoMicros(parseTimestamp(text))).toBe(iso);
  });

  it("are split exactly, before 1970 too", () => {
    expect(secondsAndNanos(micros(1_700_000_000_123_456))).toEqual({
      seconds: 1_700_000_000,
      nanos: 123_456_000,
    });
    expect(secondsAndNanos(micros(-1))).toEqual({ seconds: -1, nanos: 999_999_000 });
  });

  it.each(["2026-11-23 14:24:14+01", "infinity", "2026-11-23", ""])("%j is none", (text) => {
    expect(() => parseTimestamp(text)).toThrow(RangeError);
  });
});
