import { describe, expect, it } from "vitest";
import { matchesName, type NamePattern, parseSearch } from "./search.ts";

const exactly = (text: string): NamePattern => ({ text, openStart: false, openEnd: false });
const part = (text: string): NamePattern => ({ text, openStart: true, openEnd: true });

describe("13.1: free words", () => {
  it.each([
    ["", {}],
    ["  \t ", {}],
    ["web", { text: { name: part("web"), words: ["web"] } }],
    ["We", { text: { name: exactly("we"), words: ["We"] } }],
    ["  web \n server ", { text: { name: part("web server"), words: ["web", "server"] } }],
    ["web-server's, 2", { text: { name: part("web-server's, 2"), words: ["web", "server", "s", "2"] } }],
    ["_%\\", { text: { name: part("_%\\"), words: [] } }],
    ["acme/web", { text: { name: part("web"), repository: part("acme"), words: ["acme", "web"] } }],
    ["ac/w/b", { text: { name: part("w/b"), repository: exactly("ac"), words: ["ac", "w", "b"] } }],
    ["größe", { text: { name: part("größe"), words: ["größe"] } }],
    ["😀😀", { text: { name: exactly("😀😀"), words: [] } }],
    [":web", { text: { name: part(":web"), words: ["web"] } }],
    ['"web server"', { text: { name: part('"web server"'), words: ["web", "server"] } }],
  ])("%j", (search, terms) => expect(parseSearch(search)).toEqual(terms));
});

describe("13.1: key:value", () => {
  it.each([
    ["name:pear", { name: { pattern: exactly("pear") } }],
    ["name:p", { name: { pattern: exactly("p") } }],
    ["name:pe*", { name: { pattern: { text: "pe", openStart: false, openEnd: true } } }],
    ["name:*ar", { name: { pattern: { text: "ar", openStart: true, openEnd: false } } }],
    ["name:*ea*", { name: { pattern: part("ea") } }],
    ["name:*", { name: { pattern: { text: "", openStart: true, openEnd: false } } }],
    ["name:a*b", { name: { pattern: exactly("a*b") } }],
    [
      "name:acme/pe*",
      { name: { repository: "acme", pattern: { text: "pe", openStart: false, openEnd: true } } },
    ],
    ["name:", { name: { pattern: exactly("") } }],
    ["name:pear name:plum", { name: { pattern: exactly("plum") } }],
    ['description:"web server"', { description: ["web", "server"] }],
    ['description:"web server', { description: ["web", "server"] }],
    ['description:"web"server', { description: ["web"], text: { name: part("server"), words: ["server"] } }],
    ["description:web server", { description: ["web"], text: { name: part("server"), words: ["server"] } }],
    ["depends:plug", { depends: { package: "plug" } }],
    ["depends:acme:plug", { depends: { repository: "acme", package: "plug" } }],
    ["build_tool:mix", { buildTool: "mix" }],
    ["colour:red", {}],
    ["colour:red web", { text: { name: part("web"), words: ["web"] } }],
  ])("%j", (search, terms) => expect(parseSearch(search)).toEqual(terms));
});

describe("13.1: updated_after", () => {
  const at = 1_767_323_045_000_000;
  it.each([
    ["2026-01-02T03:04:05Z", at],
    ["2026-01-02T03:04:05.000001Z", at + 1],
    ["2026-01-02T03:04:05.0000019Z", at + 1],
    ["2026-01-02T03:04:05,5Z", at + 500_000],
    ["2026-01-02T03:04:05+00:00", at],
    ['"2026-01-02 03:04:05Z"', at],
    ["2026-01-02T03:04:05", undefined],
    ["2026-01-02T03:04:05+01:00", undefined],
    ["2026-02-30T03:04:05Z", undefined],
    ["2026-13-01T03:04:05Z", undefined],
    ["2026-01-02T24:00:00Z", undefined],
    ["2026-01-02", undefined],
    ["soon", undefined],
  ])("%s", (text, instant) => expect(parseSearch(`updated_after:${text}`).updatedAfter).toBe(instant));
});

describe("13.1: extra", () => {
  it.each([
    ["extra:a,b", [{ a: "b" }]],
    ["extra:a,b,c", [{ a: { b: "c" } }]],
    ["extra:a,1", [{ a: 1 }]],
    ["extra:a,-1", [{ a: -1 }]],
    ["extra:a,1.5", [{ a: "1.5" }]],
    ["extra:a,99999999999999999999", [{ a: "99999999999999999999" }]],
    ["extra:a,[b,2]", [{ a: ["b", 2] }]],
    ["extra:a,b,[c]", [{ a: { b: ["c"] } }]],
    ["extra:a,", [{ a: "" }]],
    ["extra:a,b extra:c,d", [{ a: "b" }, { c: "d" }]],
    ['extra:"a,b c"', [{ a: "b c" }]],
  ])("%s", (search, extra) => expect(parseSearch(search)).toEqual({ extra }));

  it("without a comma all of it is free text", () => {
    expect(parseSearch(" name:pear extra:plum ")).toEqual({
      text: { name: part("name:pear extra:plum"), words: ["name", "pear", "extra", "plum"] },
    });
  });

  it("nested beyond all metadata is free text too", () => {
    expect(parseSearch(`extra:${"a,".repeat(5_000)}b`).extra).toBeUndefined();
  });

  it("a key can be any word", () => {
    expect(JSON.stringify(parseSearch("extra:__proto__,b").extra)).toBe('[{"__proto__":"b"}]');
  });
});

it.each([
  [exactly("ab"), ["ab"]],
  [part("b"), ["ab", "abc", "bc"]],
  [{ text: "b", openStart: true, openEnd: false }, ["ab"]],
  [{ text: "b", openStart: false, openEnd: true }, ["bc"]],
])("matchesName %j", (pattern, names) => {
  expect(["ab", "abc", "bc", "x"].filter((name) => matchesName(pattern, name))).toEqual(names);
});
