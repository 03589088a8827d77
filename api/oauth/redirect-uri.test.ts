import { describe, expect, it } from "vitest";
import { matchesRedirect, redirectProblem } from "./redirect-uri.ts";

describe("9.1: a redirect URI is the registered one", () => {
  const STAR = "https://*.app.example.org/back";
  it.each<[string, string, boolean]>([
    ["https://a.example/back", "https://a.example/back", true],
    ["https://a.example/back", "https://a.example:443/back", true],
    ["https://a.example:443/back", "https://a.example/back", true],
    ["http://127.0.0.1/back", "http://127.0.0.1:80/back", true],
    ["https://a.example/back", "https://a.example:80/back", false],
    ["https://a.example/back", "http://a.example/back", false],
    ["https://a.example/back", "https://a.example/back/", false],
    ["https://a.example/back", "https://a.example/back?x=1", false],
    ["https://a.example/back", "https://a.example/back#x", false],
    ["https://a.example/back", "https://a.example/Back", false],
    ["https://a.example/back", "https://a.example/x/../back", false],
    ["https://a.example/back", "https://a.example.evil.example/back", false],
    ["https://a.example/back", "https://a.example@evil.example/back", false],
    ["https://a.example/back", "https://evil.example\\@a.example/back", false],
    ["https://a.example/back", " https://a.example/back", false],
    ["https://a.example/back", "//a.example/back", false],
    ["https://a.example/back", "", false],
    ["com.example.app://back", "com.example.app://back", true],
    [STAR, "https://x.app.example.org/back", true],
    [STAR, "https://x-1.app.example.org:443/back", true],
    [STAR, "https://app.example.org/back", false],
    [STAR, "https://.app.example.org/back", false],
    [STAR, "https://x.y.app.example.org/back", false],
    [STAR, "https://evil.example/.app.example.org/back", false],
    [STAR, "https://evil.example?.app.example.org/back", false],
    [STAR, "https://x.appXexample.org/back", false],
    [STAR, "http://x.app.example.org/back", false],
    [STAR, "https://*.app.example.org/back", false],
    ["https://*.example/back", "https://x.example/back", false],
    ["https://a*.app.example.org/back", "https://ab.app.example.org/back", false],
    ["http://*.app.example.org/back", "http://x.app.example.org/back", false],
    ["https://a.example/*", "https://a.example/x", false],
  ])("%s: %s is %s", (registered, given, matches) => {
    expect(matchesRedirect(registered, given)).toBe(matches);
  });
});

it.each([
  ["https://a.example/back", undefined],
  ["https://*.app.example.org/back", undefined],
  ["http://localhost:8080/back", undefined],
  ["com.example.app://back", undefined],
  ["http://a.example/back", "it must be https"],
  ["javascript://a.example/%0aalert(1)", "it must be https"],
  ["data:text/html,x", "it is no absolute address"],
  ["/back", "it is no absolute address"],
  ["https://a@b.example/", "it is no absolute address"],
  ["https://a.example/#x", "it is no absolute address"],
  ["https://*.example/back", "a * stands for one whole label"],
  ["https://a.example/*", "a * stands for one whole label"],
])("registering %s: %s", (text, problem) => {
  const found = redirectProblem(text);
  if (problem === undefined) expect(found).toBeUndefined();
  else expect(found).toContain(problem);
});
