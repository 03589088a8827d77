import { describe, expect, it } from "vitest";
import { isNotModified, requestedRange } from "./conditional.ts";

const ETAG = "0123456789abcdef0123456789abcdef";
const validators = { etag: ETAG, lastModified: new Date("2026-03-04T05:06:07.890Z") };
const headers = (given: Record<string, string>) => (name: string) => given[name];

describe("isNotModified", () => {
  const same = "Wed, 04 Mar 2026 05:06:07 GMT";
  const later = "Wed, 04 Mar 2026 05:06:08 GMT";
  const earlier = "Wed, 04 Mar 2026 05:06:06 GMT";
  const cases: readonly (readonly [Record<string, string>, boolean])[] = [
    [{}, false],
    [{ "if-none-match": `"${ETAG}"` }, true],
    [{ "if-none-match": `W/"${ETAG}"` }, true],
    [{ "if-none-match": ETAG }, true],
    [{ "if-none-match": "*" }, true],
    [{ "if-none-match": ` "a,b", W/"c" , "${ETAG}"` }, true],
    [{ "if-none-match": `"a","${ETAG}x"` }, false],
    [{ "if-none-match": `"${ETAG.toUpperCase()}"` }, false],
    [{ "if-none-match": "" }, false],
    [{ "if-none-match": '"*"' }, false],
    [{ "if-none-match": '"a"', "if-modified-since": later }, false],
    [{ "if-none-match": `"${ETAG}"`, "if-modified-since": earlier }, true],
    [{ "if-modified-since": earlier }, false],
    [{ "if-modified-since": same }, true],
    [{ "if-modified-since": later }, true],
    [{ "if-modified-since": "tomorrow" }, false],
    [{ "if-modified-since": "2027-01-01" }, false],
    [{ "if-modified-since": "9999999999" }, false],
    [{ "if-modified-since": "Wed, 99 Mar 2026 05:06:07 GMT" }, false],
  ];
  it.each(cases)("%j", (given, expected) => {
    expect(isNotModified(headers(given), validators)).toBe(expected);
  });

  it("stays quick with a long list (attack: much work for one header)", () => {
    const list = '"x",'.repeat(200_000);
    const start = performance.now();
    expect(isNotModified(headers({ "if-none-match": list }), validators)).toBe(false);
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});

describe("requestedRange", () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ["bytes=0-0", { first: 0, last: 0 }],
    ["bytes=0-9", { first: 0, last: 9 }],
    ["bytes=3-", { first: 3, last: 9 }],
    ["bytes=3-5", { first: 3, last: 5 }],
    ["bytes=3-100", { first: 3, last: 9 }],
    [`bytes=3-${"9".repeat(400)}`, { first: 3, last: 9 }],
    ["bytes=-3", { first: 7, last: 9 }],
    ["bytes=-100", { first: 0, last: 9 }],
    ["Bytes= 3-5 ", { first: 3, last: 5 }],
    ["bytes=10-", "unsatisfiable"],
    ["bytes=10-12", "unsatisfiable"],
    [`bytes=${"9".repeat(400)}-`, "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=5-3", undefined],
    ["bytes=-", undefined],
    ["bytes=", undefined],
    ["bytes=a-b", undefined],
    ["bytes=1.5-3", undefined],
    ["bytes=0x1-3", undefined],
    ["bytes=0-1,3-4", undefined],
    ["lines=0-1", undefined],
    ["", undefined],
  ];
  it.each(cases)("%s of ten bytes", (range, expected) => {
    expect(requestedRange(headers({ range }), validators, 10)).toEqual(expected);
  });

  it.each(["bytes=0-", "bytes=0-0", "bytes=-1"])("%s of nothing", (range) => {
    expect(requestedRange(headers({ range }), validators, 0)).toBe("unsatisfiable");
  });

  it.each([
    [`"${ETAG}"`, true],
    [`W/"${ETAG}"`, false],
    ['"other"', false],
    ["Wed, 04 Mar 2026 05:06:07 GMT", false],
    ["", false],
  ])("if-range %s", (condition, partial) => {
    const given = headers({ range: "bytes=0-0", "if-range": condition });
    expect(requestedRange(given, validators, 10)).toEqual(partial ? { first: 0, last: 0 } : undefined);
  });

  it("no range", () => {
    expect(requestedRange(headers({ "if-range": `"${ETAG}"` }), validators, 10)).toBeUndefined();
  });
});
