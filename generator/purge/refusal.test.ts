import { describe, expect, it } from "vitest";
import { refusalOfError, refusalOfStatus, retryAfterMs } from "./refusal.ts";

const now = new Date("2026-03-01T12:00:00Z");

describe("retryAfterMs", () => {
  it.each([
    ["0", 0],
    ["120", 120_000],
    ["Sun, 01 Mar 2026 12:00:30 GMT", 30_000],
    ["Sun, 01 Mar 2026 11:00:00 GMT", 0],
    ["", undefined],
    ["-1", undefined],
    ["1.5", undefined],
    ["soon", undefined],
    ["Sun, 99 Foo 2026 12:00:30 GMT", undefined],
    ["9999999999", undefined],
  ])("reads %j as %s", (value, milliseconds) => {
    expect(retryAfterMs(value, now)).toBe(milliseconds);
  });
});

describe("refusalOfStatus", () => {
  it.each([
    [401, false],
    [403, false],
    [404, false],
    [301, false],
    [408, true],
    [429, true],
    [500, true],
    [503, true],
  ])("%i may succeed later: %s", (status, again) => {
    expect(refusalOfStatus(status, null, now)).toEqual({ reason: `HTTP ${status}`, again });
  });

  it("keeps how long to wait", () => {
    expect(refusalOfStatus(429, "7", now)).toMatchObject({ afterMs: 7_000 });
  });
});

describe("refusalOfError", () => {
  it("names the code of the error that caused it, and nothing else of it", () => {
    const refused = Object.assign(new Error("token-1"), {
      code: "ECONNREFUSED",
      headers: { token: "token-1" },
    });
    const wrapped = new TypeError("fetch failed", { cause: refused });
    expect(refusalOfError(wrapped)).toEqual({ reason: "ECONNREFUSED", again: true });
  });

  it.each([
    [new DOMException("x", "TimeoutError"), "no answer in time"],
    [new Error("token-1"), "no answer"],
    [Object.assign(new Error("x"), { code: "token-1" }), "no answer"],
    ["token-1", "no answer"],
  ])("has words for %s", (error, reason) => {
    expect(refusalOfError(error)).toEqual({ reason, again: true });
  });

  it("comes to an end with an error that is its own cause", () => {
    const error = new Error("loop");
    error.cause = error;
    expect(refusalOfError(error).reason).toBe("no answer");
  });
});
