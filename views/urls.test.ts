import { expect, it } from "vitest";
import { urlsOf } from "./urls.ts";

const settings = {
  publicUrl: "https://hex.acme.example",
  repositoryUrl: "https://repo.acme.example",
  docsUrl: "https://docs.example:8443",
  privateDocsUrl: "http://inner.example",
  repositoryName: "local",
} as unknown as Parameters<typeof urlsOf>[0];

it.each([
  ["local", "my_app", undefined, "https://my-app.docs.example:8443/"],
  ["local", "my_app", "1.0.0", "https://my-app.docs.example:8443/1.0.0/"],
  ["local", "search", "1.0.0", "https://docs.example:8443/search/1.0.0/"],
  ["acme", "my_app", undefined, "http://acme.inner.example/my_app/"],
  ["big_co", "my_app", "1.0.0", "http://big-co.inner.example/my_app/1.0.0/"],
  ["acme", "search", undefined, "http://acme.inner.example/search/"],
])("7.14: docs of %s, %s %s: %s", (repository, name, version, expected) => {
  expect(urlsOf(settings, repository).docsPage(name, version)).toBe(expected);
});

it("packages, of the public repository unless another is named", () => {
  expect([urlsOf(settings).package("a1"), urlsOf(settings).packagePage("a1")]).toEqual([
    "https://hex.acme.example/api/packages/a1",
    "https://hex.acme.example/packages/a1",
  ]);
  expect([urlsOf(settings, "acme").package("a1"), urlsOf(settings, "acme").packagePage("a1")]).toEqual([
    "https://hex.acme.example/api/repos/acme/packages/a1",
    "https://hex.acme.example/packages/acme/a1",
  ]);
});
