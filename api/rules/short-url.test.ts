import { expect, it } from "vitest";
import { ApiError } from "../http/errors.ts";
import { newCode, readLongUrl } from "./short-url.ts";

const HOSTS = {
  publicUrl: "https://hex.pm",
  docsUrl: "https://hexdocs.pm",
  privateDocsUrl: "https://hexorgs.pm",
};
const DOMAIN = "domain must match hex.pm, *.hex.pm, hexdocs.pm, *.hexdocs.pm, or *.hexorgs.pm";

it.each([
  ["https://hex.pm/packages", undefined],
  ["http://hex.pm", "http://hex.pm/"],
  ["HTTPS://HEX.PM/a?b#c", "https://hex.pm/a?b#c"],
  ["https://diff.hex.pm/diff/pear/1.0.0..1.1.0", undefined],
  ["https://pear.hexdocs.pm/1.0.0/readme.html", undefined],
  ["https://hexdocs.pm", "https://hexdocs.pm/"],
  ["https://hexdocs.pm/", undefined],
  ["https://staging.hex.pm/", undefined],
  ["https://acme.hexorgs.pm/pear/", undefined],
  ["https://hex.pm\\@evil.example", "https://hex.pm/@evil.example"],
])("7.16: %s is shortened", (url, kept) => expect(readLongUrl(url, HOSTS)).toBe(kept ?? url));

it.each([
  [undefined, "can't be blank"],
  [null, "can't be blank"],
  [1, "expected type string"],
  ["hex.pm", "must use http or https scheme"],
  ["javascript:alert(1)", "must use http or https scheme"],
  ["ftp://hex.pm/", "must use http or https scheme"],
  [" https://hex.pm", "must use http or https scheme"],
  ["https:", "must include a host"],
  ["https:///packages", "must include a host"],
  ["https:hex.pm", "must include a host"],
  ["https:\\\\evil.example", "must include a host"],
  ["https://hex.pm:x/", "must include a host"],
  ["https://evil.example/", DOMAIN],
  ["https://staging.hex.pm/packages", DOMAIN],
  ["https://evilhex.pm/", DOMAIN],
  ["https://hex.pm.evil.example/", DOMAIN],
  ["https://hex.pm@evil.example/", DOMAIN],
  ["https://ann:pw@hex.pm/", DOMAIN],
  ["https://evil.example\\.hex.pm/", DOMAIN],
  ["https://hex.pm:8443/", DOMAIN],
  ["https://hexdocs.pm/pear", DOMAIN],
  ["https://hexdocs.pm/?x", DOMAIN],
  ["https://hexorgs.pm/", DOMAIN],
  [`https://hex.pm/${"a".repeat(9_000)}`, "should be at most 8192 character(s)"],
])("7.16: %s is refused", (url, problem) => {
  const refusal = () => readLongUrl(url, HOSTS);
  expect(refusal).toThrow(ApiError);
  try {
    refusal();
  } catch (error) {
    expect((error as ApiError).errors).toEqual({ url: problem });
  }
});

it("one host for everything is named once", () => {
  const one = "http://localhost:4000";
  const hosts = { publicUrl: one, docsUrl: one, privateDocsUrl: one };
  expect(readLongUrl(`${one}/packages/pear`, hosts)).toBe(`${one}/packages/pear`);
  expect(() => readLongUrl("http://localhost/", hosts)).toThrow(
    expect.objectContaining({ errors: { url: "domain must match localhost:4000, or *.localhost:4000" } }),
  );
});

it("a code has 5 characters of all that do not look alike", () => {
  let next = 0;
  const random = (bytes: number) => Uint8Array.from({ length: bytes }, () => next++ % 256);
  const letters = new Set(Array.from({ length: 500 }, () => newCode(random)).join(""));
  expect(newCode(random)).toMatch(/^[A-Za-z0-9]{5}$/);
  expect([...letters].sort().join("")).toBe("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz");
});
